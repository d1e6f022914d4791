import { marshallItem } from '../dynamodb/attribute-values.ts';
import { type Change, SimulatedTable } from '../dynamodb/simulated-table.ts';
import { TABLE, TableShape } from '../dynamodb/table-shape.ts';
import { type Violation, Violations } from '../world/violations.ts';
import { Allocations } from './allocations.ts';
import { TableChecker } from './table-checker.ts';

type Plain = Record<string, unknown>;

/** One write of a transaction: an item's key, and what it is afterwards. */
export interface ToldWrite {
  readonly PK: string;
  readonly SK: string;
  readonly after: Plain | undefined;
}

export const row = (sandboxId: string, after: Plain | undefined): ToldWrite => ({
  PK: `SBX#${sandboxId}`,
  SK: 'META',
  after: after && { sandbox_id: sandboxId, allocated_at: 0, ...after },
});

export const AVAILABLE = { status: 'available' };

export const allocatedTo = (track: string, status = 'allocated') => ({
  status,
  allocated_to_track: track,
  idempotency_key: track,
  allocated_at: 1_000,
  lab_duration_hours: 4,
});

/** @param sandboxId undefined ends the claim */
export const claim = (track: string, sandboxId: string | undefined): ToldWrite => ({
  PK: `CLAIM#${track} `,
  SK: 'META',
  after: sandboxId === undefined ? undefined : { sandbox_id: sandboxId },
});

export const event = (sandboxId: string, move: string, actor: string): ToldWrite => ({
  PK: `SBX#${sandboxId}`,
  SK: `EVT#1000#${move}`,
  after: { sandbox_id: sandboxId, move, actor },
});

export const tombstone = (sandboxId: string): ToldWrite => ({
  PK: `TOMB#${sandboxId}`,
  SK: 'META',
  after: { sandbox_id: sandboxId },
});

export const ADOPTED: ToldWrite = { PK: 'ADOPTION', SK: 'META', after: { completed_at: 1 } };

/** A table that a checker looks at, written to as a broker never would. */
export class ToldTable {
  readonly #violations = new Violations({ now: 0, steps: 0, stop: () => {} });
  readonly #table: SimulatedTable;
  #byPreviousBroker = false;

  constructor() {
    const allocations = new Allocations();
    this.#table = new SimulatedTable(
      new TableShape(TABLE),
      () => 0,
      () => 0,
      (changes) => checker.committed(changes),
    );
    const checker: TableChecker = new TableChecker(this.#table, allocations, this.#violations, {
      step: () => 0,
      time: () => 0,
      byPreviousBroker: () => this.#byPreviousBroker,
      onMove: () => undefined,
    });
  }

  /** One transaction of the broker's. */
  commit(...writes: readonly ToldWrite[]): this {
    this.#table.commit(writes.map((write) => this.#change(write)));
    return this;
  }

  /** The same by the previous broker. */
  previously(...writes: readonly ToldWrite[]): this {
    this.#byPreviousBroker = true;
    this.commit(...writes);
    this.#byPreviousBroker = false;
    return this;
  }

  /** The first. */
  get violation(): Violation | undefined {
    return this.#violations.first;
  }

  #change({ PK, SK, after }: ToldWrite): Change {
    const key = `${PK}\n${SK}`;
    const before = this.#table.get(key);
    return { key, before, after: after === undefined ? undefined : marshallItem({ PK, SK, ...after }) };
  }
}
