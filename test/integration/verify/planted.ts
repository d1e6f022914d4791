import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { Deadline } from '../../../src/allocation/deadline.ts';
import type { Finding } from '../../../src/verification/finding.ts';
import { type VerifyReport, verify } from '../../../src/verification/verify.ts';
import { brokerOfTest, type TestBroker } from '../../support/broker.ts';
import { allocate } from '../../support/client.ts';
import { type TestTable, type TestTableOptions, tableOfTest } from '../../support/table.ts';

type Item = Record<string, unknown>;

/** A table that a broker has filled, and in which a test then breaks something by hand. */
export interface PlantedTable {
  readonly table: TestTable;
  readonly broker: TestBroker;
  /** What each caller was given. */
  readonly held: Readonly<Record<string, string>>;
  put(item: Item): Promise<void>;
  remove(partitionKey: string): Promise<void>;
  item(partitionKey: string): Promise<Item>;
  /** Changes attributes of a row. */
  change(partitionKey: string, changes: Item): Promise<void>;
}

/** Ann, ben and cleo hold a sandbox each; six are available. */
export async function plantedTable(options: TestTableOptions = {}): Promise<PlantedTable> {
  const table = await tableOfTest(options);
  await table.seed(9);
  const broker = await brokerOfTest(table.environment);
  const held: Record<string, string> = {};
  for (const track of ['ann', 'ben', 'cleo'])
    held[track] = (await allocate(broker.url, track)).body.sandbox_id;
  const { documents, tableName: TableName } = table.database;
  const put = async (Item: Item) => {
    await documents.send(new PutCommand({ TableName, Item }));
  };
  const item = async (partitionKey: string) => {
    const found = (await table.items()).find(({ PK, SK }) => PK === partitionKey && SK === 'META');
    if (found === undefined) throw new Error(`There is no row ${partitionKey}`);
    return found;
  };
  return {
    table,
    broker,
    held,
    put,
    item,
    remove: async (PK) => {
      await documents.send(new DeleteCommand({ TableName, Key: { PK, SK: 'META' } }));
    },
    change: async (partitionKey, changes) => put({ ...(await item(partitionKey)), ...changes }),
  };
}

export async function findingsOf(table: TestTable): Promise<{ findings: Finding[]; report: VerifyReport }> {
  const findings: Finding[] = [];
  const report = await verify(table, async (finding) => {
    findings.push(finding);
    return false;
  });
  return { findings, report };
}

export async function endAllocation({ broker }: PlantedTable, sandboxId: string): Promise<void> {
  const { reader, releaser, clock } = broker.container;
  const row = await reader.get(sandboxId);
  if (row !== undefined) await releaser.end(row, 'release', { actor: 'a test' }, new Deadline(clock, 10_000));
}
