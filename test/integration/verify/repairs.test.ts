import { expect, test } from 'vitest';
import type { FindingKind } from '../../../src/verification/finding.ts';
import { repair } from '../../../src/verification/repairs.ts';
import { verify } from '../../../src/verification/verify.ts';
import { allocate } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { endAllocation, findingsOf, type PlantedTable, plantedTable } from './planted.ts';

const repairing = ({ table }: PlantedTable, ...kinds: FindingKind[]) =>
  verify(table, async (finding) => kinds.includes(finding.kind) && (await repair(table, finding)));

test('a dangling claim is removed, and its key gets another sandbox', async () => {
  const planted = await plantedTable();
  const claim = await planted.item('CLAIM#ann ');
  await endAllocation(planted, planted.held.ann as string);
  await planted.put(claim);
  expect(await repairing(planted, 'dangling-claim')).toMatchObject({ violations: 1, repaired: 1 });
  expect(violations(await planted.table.items())).toEqual([]);
  expect((await allocate(planted.broker.url, 'ann')).body.sandbox_id).not.toBe(planted.held.ann);
});

test('a missing claim is written, and a replay is answered from it', async () => {
  const planted = await plantedTable();
  await planted.remove('CLAIM#ann ');
  expect(await repairing(planted, 'missing-claim')).toMatchObject({ violations: 1, repaired: 1 });
  expect(violations(await planted.table.items())).toEqual([]);
  expect((await allocate(planted.broker.url, 'ann')).body.sandbox_id).toBe(planted.held.ann);
});

test('of two claims on one sandbox that of its owner stays', async () => {
  const planted = await plantedTable();
  await planted.put({ ...(await planted.item('CLAIM#ann ')), PK: 'CLAIM#dan ' });
  expect(await repairing(planted, 'double-claim')).toMatchObject({ violations: 1, repaired: 1 });
  expect(violations(await planted.table.items())).toEqual([]);
  expect((await allocate(planted.broker.url, 'ann')).body.sandbox_id).toBe(planted.held.ann);
});

test('a second allocation of one key is marked as superseded, and stays its caller’s until it ends', async () => {
  const planted = await plantedTable();
  const { allocated_to_track, idempotency_key, allocated_at } = await planted.item(`SBX#${planted.held.ann}`);
  const [free] = (await planted.table.items()).filter(({ status }) => status === 'available');
  await planted.change(String(free?.PK), {
    status: 'allocated',
    allocated_to_track,
    idempotency_key,
    allocated_at,
  });
  expect(await repairing(planted, 'second-allocation')).toMatchObject({ violations: 1, repaired: 1 });
  expect(violations(await planted.table.items())).toEqual([]);
  expect(await planted.item(String(free?.PK))).toMatchObject({ status: 'allocated', superseded: true });
});

test('a used sandbox in the pool is quarantined, with a trace', async () => {
  const planted = await plantedTable();
  const [free] = (await planted.table.items()).filter(({ status }) => status === 'available');
  await planted.put({
    PK: `TOMB#${free?.sandbox_id}`,
    SK: 'META',
    sandbox_id: free?.sandbox_id,
    removed_at: 1,
  });
  expect(await repairing(planted, 'used-sandbox')).toMatchObject({ violations: 1, repaired: 1 });
  expect(await planted.item(String(free?.PK))).toMatchObject({ status: 'quarantined' });
  expect((await findingsOf(planted.table)).findings).toEqual([]);
  const events = (await planted.table.items()).filter(({ SK }) => String(SK).startsWith('EVT#'));
  expect(events).toMatchObject([{ move: 'quarantine', actor: 'command line' }]);
});

test('a sandbox that only its history knows to be used is quarantined', async () => {
  const planted = await plantedTable();
  const sandboxId = planted.held.ann as string;
  await endAllocation(planted, sandboxId);
  await planted.change(`SBX#${sandboxId}`, {
    status: 'available',
    allocated_to_track: undefined,
    idempotency_key: undefined,
    allocated_at: 0,
  });
  expect(await repairing(planted, 'returned-sandbox')).toMatchObject({ violations: 1, repaired: 1 });
  expect(await planted.item(`SBX#${sandboxId}`)).toMatchObject({ status: 'quarantined' });
  expect((await findingsOf(planted.table)).findings).toEqual([]);
});

test('nothing but what was told is repaired', async () => {
  const planted = await plantedTable();
  await planted.remove('CLAIM#ann ');
  await planted.put({ ...(await planted.item('CLAIM#ben ')), PK: 'CLAIM#dan ' });
  await planted.put({ ...(await planted.item('CLAIM#cleo ')), PK: 'CLAIM#eve ', sandbox_id: 'gone' });
  expect(await repairing(planted, 'dangling-claim')).toMatchObject({ violations: 3, repaired: 1 });
  const { findings } = await findingsOf(planted.table);
  expect(findings.map(({ kind }) => kind).sort()).toEqual(['double-claim', 'missing-claim']);
});

test('a claim that has become right between the reading and the repair is left alone', async () => {
  const planted = await plantedTable();
  const claim = await planted.item('CLAIM#ann ');
  const row = await planted.item(`SBX#${planted.held.ann}`);
  await planted.put({ ...row, status: 'pending_deletion' });
  const { findings } = await findingsOf(planted.table);
  await planted.put(row);
  expect(await repair(planted.table, findings[0]!)).toBe(true);
  expect(await planted.item('CLAIM#ann ')).toEqual(claim);
});
