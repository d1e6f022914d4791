import { expect, test } from 'vitest';
import { Deadline } from '../../../src/allocation/deadline.ts';
import type { OperatorMove } from '../../../src/allocation/operator-moves.ts';
import { markAdopted } from '../../../src/store/adoption.ts';
import { allocateAsPreviousBroker } from '../../support/previous-broker.ts';
import { recordCalls } from '../../support/tapped-database.ts';
import { endAllocation, findingsOf, plantedTable } from './planted.ts';

test('a table in which everything is as it should be has no violation, and every row was looked at', async () => {
  const planted = await plantedTable();
  await endAllocation(planted, planted.held.cleo as string);
  const { findings, report } = await findingsOf(planted.table);
  expect(findings).toEqual([]);
  expect(report).toEqual({ rows: 9 + 2 + 1, violations: 0, repaired: 0, awaitingAdoption: 0 });
});

test('a claim whose sandbox is no longer allocated is reported with both rows', async () => {
  const planted = await plantedTable();
  const claim = await planted.item('CLAIM#ann ');
  await endAllocation(planted, planted.held.ann as string);
  await planted.put(claim);
  const { findings } = await findingsOf(planted.table);
  expect(findings).toMatchObject([
    {
      invariant: 'I10',
      kind: 'dangling-claim',
      rows: [{ PK: 'CLAIM#ann ' }, { status: 'pending_deletion' }],
    },
  ]);
});

test('a claim whose sandbox has no row is reported', async () => {
  const planted = await plantedTable();
  await planted.remove(`SBX#${planted.held.ann}`);
  const { findings } = await findingsOf(planted.table);
  expect(findings).toMatchObject([
    { invariant: 'I10', kind: 'dangling-claim', rows: [{ PK: 'CLAIM#ann ' }] },
  ]);
});

test('a claim on a sandbox that another key holds is reported as a second owner', async () => {
  const planted = await plantedTable();
  const claim = await planted.item('CLAIM#ann ');
  await planted.put({ ...claim, PK: 'CLAIM#dan ' });
  const { findings } = await findingsOf(planted.table);
  expect(findings).toMatchObject([
    {
      invariant: 'I1',
      kind: 'double-claim',
      rows: [{ PK: 'CLAIM#dan ' }, { PK: 'CLAIM#ann ' }, { sandbox_id: planted.held.ann }],
    },
  ]);
});

test('an allocated row without a claim is reported', async () => {
  const planted = await plantedTable();
  await planted.remove('CLAIM#ann ');
  const { findings } = await findingsOf(planted.table);
  expect(findings).toMatchObject([
    {
      invariant: 'I10',
      kind: 'missing-claim',
      rows: [{ sandbox_id: planted.held.ann, status: 'allocated' }],
    },
  ]);
});

test('two allocated rows of one key are reported as its second sandbox, with the claim', async () => {
  const planted = await plantedTable();
  const { allocated_to_track, idempotency_key, allocated_at } = await planted.item(`SBX#${planted.held.ann}`);
  const [free] = (await planted.table.items()).filter(({ status }) => status === 'available');
  await planted.change(String(free?.PK), {
    status: 'allocated',
    allocated_to_track,
    idempotency_key,
    allocated_at,
  });
  const { findings } = await findingsOf(planted.table);
  expect(findings).toMatchObject([
    {
      invariant: 'I2',
      kind: 'second-allocation',
      rows: [{ sandbox_id: free?.sandbox_id }, { sandbox_id: planted.held.ann }, { PK: 'CLAIM#ann ' }],
    },
  ]);
});

test('a claim that says another time than its row is reported', async () => {
  const planted = await plantedTable();
  await planted.change('CLAIM#ann ', { claimed_at: 12_345 });
  const { findings } = await findingsOf(planted.table);
  expect(findings).toMatchObject([{ invariant: 'I10', kind: 'differing-claim' }]);
});

test('a sandbox that has a tombstone and is available is reported with both rows', async () => {
  const planted = await plantedTable();
  const [free] = (await planted.table.items()).filter(({ status }) => status === 'available');
  await planted.put({
    PK: `TOMB#${free?.sandbox_id}`,
    SK: 'META',
    sandbox_id: free?.sandbox_id,
    removed_at: 1,
  });
  const { findings } = await findingsOf(planted.table);
  expect(findings).toMatchObject([
    {
      invariant: 'I6',
      kind: 'used-sandbox',
      rows: [{ status: 'available' }, { PK: `TOMB#${free?.sandbox_id}` }],
    },
  ]);
});

test('a sandbox whose account was used under another id is reported with the tombstone', async () => {
  const planted = await plantedTable();
  const [free] = (await planted.table.items()).filter(({ status }) => status === 'available');
  const PK = `TOMB_EXTERNAL#${free?.external_id}`;
  await planted.put({ PK, SK: 'META', sandbox_id: 'another', removed_at: 1 });
  const { findings } = await findingsOf(planted.table);
  expect(findings).toMatchObject([
    { invariant: 'I6', kind: 'used-sandbox', rows: [{ sandbox_id: free?.sandbox_id }, { PK }] },
  ]);
});

test.each(['available', 'stale'])(
  'a sandbox that was allocated and is %s again is reported',
  async (status) => {
    const planted = await plantedTable();
    await planted.change(`SBX#${planted.held.ann}`, { status });
    await planted.remove('CLAIM#ann ');
    const { findings } = await findingsOf(planted.table);
    expect(findings).toMatchObject([
      { invariant: 'I6', kind: 'used-sandbox', rows: [{ allocated_to_track: 'ann' }] },
    ]);
  },
);

const UNUSED = {
  allocated_to_track: undefined,
  idempotency_key: undefined,
  allocated_at: 0,
  deletion_requested_at: undefined,
};

test.each(['available', 'stale'])(
  'a sandbox that was given back and is %s, without a mark of it, is reported with the event that tells',
  async (status) => {
    const planted = await plantedTable();
    const sandboxId = planted.held.ann as string;
    await endAllocation(planted, sandboxId);
    await planted.change(`SBX#${sandboxId}`, { ...UNUSED, status });
    const { findings } = await findingsOf(planted.table);
    expect(findings).toMatchObject([
      {
        invariant: 'I6',
        kind: 'returned-sandbox',
        rows: [
          { move: 'release', held_by_track: 'ann' },
          { sandbox_id: sandboxId, status },
        ],
      },
    ]);
  },
);

test('an allocation that goes on after the event that ended it is reported', async () => {
  const planted = await plantedTable();
  const rows = [await planted.item(`SBX#${planted.held.ann}`), await planted.item('CLAIM#ann ')];
  await endAllocation(planted, planted.held.ann as string);
  for (const row of rows) await planted.put(row);
  const { findings } = await findingsOf(planted.table);
  expect(findings).toMatchObject([{ invariant: 'I6', kind: 'returned-sandbox' }]);
});

test.each([
  ['another caller', { allocated_to_track: 'ben', idempotency_key: 'ben' }],
  ['the same caller, later', { allocated_at: 1_900_000_000 }],
])(
  'a sandbox that went to one owner and then to %s is reported, after both have given it back',
  async (_whom, changes) => {
    const planted = await plantedTable();
    const sandboxId = planted.held.ann as string;
    await endAllocation(planted, sandboxId);
    await planted.change(`SBX#${sandboxId}`, changes);
    const { findings } = await findingsOf(planted.table);
    expect(findings).toMatchObject([
      {
        invariant: 'I1',
        kind: 'second-owner',
        rows: [
          { move: 'release', held_by_track: 'ann' },
          { status: 'pending_deletion', ...changes },
        ],
      },
    ]);
  },
);

test('the history of a sandbox that was given back, given up, tried again and deleted is no violation', async () => {
  const planted = await plantedTable();
  const sandboxId = planted.held.ann as string;
  const { container } = planted.broker;
  await endAllocation(planted, sandboxId);
  await planted.change(`SBX#${sandboxId}`, { status: 'deletion_failed' });
  const move = (name: OperatorMove, id: string) =>
    container.moves.move(id, name, { actor: 'a test' }, new Deadline(container.clock, 10_000));
  await move('retry_deletion', sandboxId);
  const [free] = (await planted.table.items()).filter(({ status }) => status === 'available');
  await move('quarantine', String(free?.sandbox_id));
  await move('restore', String(free?.sandbox_id));
  expect((await findingsOf(planted.table)).findings).toEqual([]);
  await planted.remove(`SBX#${sandboxId}`);
  expect((await findingsOf(planted.table)).findings).toEqual([]);
});

test('a row with a status that nobody knows is reported, and the rest is read all the same', async () => {
  const planted = await plantedTable();
  await planted.change(`SBX#${planted.held.ann}`, { status: 'mislaid' });
  await planted.remove('CLAIM#ben ');
  const { findings } = await findingsOf(planted.table);
  expect(findings.map(({ kind }) => kind).sort()).toEqual(['missing-claim', 'unreadable-row']);
});

test('what the previous broker left is left to adoption until that is complete, and reported after it', async () => {
  const planted = await plantedTable({ adopted: false });
  const { table } = planted;
  const [sandbox] = await table.seed(1, 50);
  if (sandbox === undefined) throw new Error('There is no sandbox');
  await allocateAsPreviousBroker(table.database, [{ sandbox, track: 'dan', allocatedAt: 1_740_000_000 }]);
  expect(await findingsOf(table)).toMatchObject({
    findings: [],
    report: { awaitingAdoption: 1, violations: 0 },
  });
  await markAdopted(table.database, table.clock);
  expect((await findingsOf(table)).findings).toMatchObject([{ kind: 'missing-claim' }]);
});

test('it only reads, a page at a time', async () => {
  const planted = await plantedTable();
  await planted.table.seed(1_200, 100);
  await planted.remove('CLAIM#ann ');
  const { database, calls } = recordCalls(planted.table.database);
  const { report } = await findingsOf({ ...planted.table, database });
  expect(report).toMatchObject({ rows: 1_209 + 2, violations: 1 });
  expect(new Set(calls.map(({ operation }) => operation))).toEqual(
    new Set(['Scan', 'BatchGet', 'TransactGetItems']),
  );
  const scans = calls.filter(({ operation }) => operation === 'Scan');
  expect(scans.length).toBeGreaterThan(2);
  for (const { input } of scans) expect(input).toMatchObject({ Limit: 500, ConsistentRead: true });
});
