import { expect, test } from 'vitest';
import { type Claim, claimAttributes, toClaim } from '../../../src/store/claim-row.ts';
import { tableDefinition } from '../../../src/store/table.ts';

const claim: Claim = {
  sandboxId: '2009001',
  name: 'lab-adventure-0001',
  externalId: 'identity/accounts/1',
  allocatedAt: 1_774_000_000,
  labDurationHours: 4,
  sfdcAccountId: '001',
};

test('a claim comes back from its row as it was', () => {
  for (const each of [claim, { ...claim, sfdcAccountId: null }])
    expect(toClaim(claimAttributes(each))).toEqual(each);
});

test('no index lists a claim: it has no attribute that is the partition key of one', () => {
  const names = { tableName: 't', statusIndex: 's', trackIndex: 't', idempotencyIndex: 'i' };
  const partitionKeys = tableDefinition(names).GlobalSecondaryIndexes!.map(
    (index) => index.KeySchema?.[0]?.AttributeName,
  );
  expect(partitionKeys).toHaveLength(3);
  for (const key of partitionKeys) expect(claimAttributes(claim)).not.toHaveProperty(key!);
});

test('a row that names no sandbox is no claim, and is named', () => {
  expect(() => toClaim({ PK: { S: 'CLAIM#student-1 ' } })).toThrow('CLAIM#student-1 ');
});
