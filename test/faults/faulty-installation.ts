import { expect } from 'vitest';
import { brokerOfTest, type TestBroker } from '../support/broker.ts';
import { violations } from '../support/invariants.ts';
import { type Environment, type TestTable, tableOfTest } from '../support/table.ts';
import { type DynamoDbProxy, type DynamoDbProxyOptions, proxyOfTest } from './dynamodb-proxy.ts';

/** Milliseconds. Short, since a test that waits for a call that is not answered waits in real time. */
const CALL_TIMEOUT_MS = 300;
/** For a test in which the broker is to give up. */
export const SOON: Environment = { REQUEST_DEADLINE_MS: '3000' };

export type Row = Record<string, unknown>;

export interface FaultyInstallation {
  readonly proxy: DynamoDbProxy;
  readonly table: TestTable;
  /** Its calls go through the proxy. */
  readonly broker: TestBroker;
  /** Another one, on the same table, which does not give up. */
  another(way?: 'through the proxy' | 'straight to the engine'): Promise<TestBroker>;
  row(sandboxId: string): Promise<Row | undefined>;
  claims(): Promise<Row[]>;
  /** Rows of a status. */
  rows(status: string): Promise<Row[]>;
}

/** A broker whose database the test can make fail at the wire. @param impatience of that broker alone */
export async function faultyInstallation(
  pool: number,
  {
    environment = {},
    impatience = {},
    ...options
  }: DynamoDbProxyOptions & { environment?: Environment; impatience?: Environment } = {},
): Promise<FaultyInstallation> {
  const proxy = await proxyOfTest(options);
  // The test's own way to the table has the usual patience.
  const table = await tableOfTest({
    endpoint: proxy.url,
    environment: { LOG_LEVEL: 'silent', ...environment },
  });
  await table.seed(pool);
  const hasty = {
    ...table.environment,
    BACKOFF_MAX_MS: '50',
    // A lagging index only takes longer.
    ...(options.laggingIndexes === true ? {} : { DDB_TIMEOUT_REQUEST_MS: String(CALL_TIMEOUT_MS) }),
  };
  const broker = await brokerOfTest({ ...hasty, ...impatience });
  const items = async (kind: string) =>
    (await table.items()).filter(({ PK, SK }) => String(PK).startsWith(kind) && SK === 'META');
  return {
    proxy,
    table,
    broker,
    another: (way = 'straight to the engine') =>
      brokerOfTest(way === 'through the proxy' ? hasty : { ...hasty, DDB_ENDPOINT_URL: proxy.engineUrl }),
    row: async (sandboxId) => (await items(`SBX#${sandboxId}`))[0],
    claims: () => items('CLAIM#'),
    rows: async (status) => (await items('SBX#')).filter((row) => row.status === status),
  };
}

/** Nothing in the table breaks an invariant, and so many sandboxes are allocated. Ends every fault. */
export async function expectAllocated(
  { proxy, table, rows, claims }: FaultyInstallation,
  count: number,
): Promise<void> {
  expect(violations(await table.items())).toEqual([]);
  expect(await rows('allocated')).toHaveLength(count);
  expect(await claims()).toHaveLength(count);
  // Only now: a write that was answered 503 may be on its last try still, and go through.
  proxy.clear();
}
