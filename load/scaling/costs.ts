/** What things cost and how much they hold, with where that is written. */

/** DynamoDB on demand, us-east-1, dollars for a million units (aws.amazon.com/dynamodb/pricing/on-demand, since November 2024). */
export const DOLLARS_PER_MILLION_WRITES = 0.625;
export const DOLLARS_PER_MILLION_READS = 0.125;
/** Fargate, Linux on x86, us-east-1, dollars an hour (aws.amazon.com/fargate/pricing): a task of 1 vCPU and 2 GB. */
export const DOLLARS_PER_TASK_HOUR = 0.04048 + 2 * 0.004445;

/** Writes and reads a second of one partition; an index is partitioned by itself ("Best practices for partition keys"). */
export const PARTITION_WRITES = 1_000;
export const PARTITION_READS = 3_000;
/** What a new on-demand table takes at once; it doubles in half an hour, or is warmed beforehand. */
export const NEW_TABLE_WRITES = 4_000;

/** Rows of the status index in a read unit that is not consistent: 8 KB of rows of about 600 bytes. */
export const ROWS_PER_READ_UNIT = 13;

/** One step of a sandbox's life, in write units of the table and of its indexes. */
export interface Step {
  readonly step: string;
  readonly table: number;
  readonly indexes: number;
  readonly why: string;
}

/**
 * In a transaction an item of up to 1 KB costs 2 units. An index costs 1 for each entry that changes, and 2 where its
 * key changes, for then an entry goes and another one comes.
 */
export const LIFE: readonly Step[] = [
  {
    step: 'sync finds it',
    table: 8,
    indexes: 1,
    why: 'row and event, no tombstone by either id, transacted; an entry by status',
  },
  {
    step: 'allocation',
    table: 4,
    indexes: 4,
    why: 'claim and row, transacted; status moves (2), an entry by caller and one by key',
  },
  {
    step: 'release or expiry',
    table: 6,
    indexes: 4,
    why: 'row, claim and event, transacted; status moves (2), the other two entries change',
  },
  {
    step: 'deletion',
    table: 8,
    indexes: 3,
    why: 'row, a tombstone by each id, and event, transacted; three entries go. What expires costs nothing',
  },
];

export function unitsOfLife(): number {
  return LIFE.reduce((sum, { table, indexes }) => sum + table + indexes, 0);
}
