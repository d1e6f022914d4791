import { expect, test } from 'vitest';
import { readAccount, readListing } from '../../../src/csp/csp-account.ts';

/** As in the provider's own answer. */
const ROW = {
  id: 'identity/accounts/27578a8f-0000-4000-8000-000000000087',
  csp_id: 2009521,
  name: 'lab-adventure-0087',
  account_type: 'sandbox',
  state: 'active',
  created_at: '2025-03-27T16:53:47.605459Z',
  sfdc_account_id: '001SAND0087',
};

test('a row becomes an account under its csp_id as a string', () => {
  expect(readAccount(ROW)).toEqual({
    sandboxId: '2009521',
    externalId: ROW.id,
    name: 'lab-adventure-0087',
    createdAt: 1743094427,
    sfdcAccountId: '001SAND0087',
  });
});

test('a csp_id that is a string already is kept', () => {
  expect(readAccount({ ...ROW, csp_id: '2009521' })).toMatchObject({ sandboxId: '2009521' });
});

test.each([null, undefined])('an account whose csp_id is %s goes by its id', (csp_id) => {
  expect(readAccount({ ...ROW, csp_id })).toMatchObject({ sandboxId: ROW.id, externalId: ROW.id });
});

test.each([{ account_type: 'standard' }, { state: 'disabled' }, { state: 'deleted', name: null }])(
  'a row with %j does not concern the pool, whatever else it lacks',
  (change) => {
    expect(readAccount({ ...ROW, ...change })).toBe('elsewhere');
  },
);

test.each([
  { id: undefined },
  { id: '' },
  { id: 7 },
  { name: null },
  { name: '  ' },
  { csp_id: {} },
  { account_type: undefined },
  { state: null },
])('an active sandbox with %j is malformed', (change) => {
  expect(readAccount({ ...ROW, ...change })).toBe('malformed');
});

test.each([null, 7, 'row', []])('%j in place of a row is malformed', (row) => {
  expect(readAccount(row)).toBe('malformed');
});

test('times and sales ids that cannot be read are not known, and no reason to refuse the account', () => {
  for (const change of [
    { created_at: 'yesterday', sfdc_account_id: '' },
    { created_at: 17, sfdc_account_id: 17 },
    { created_at: undefined, sfdc_account_id: undefined },
  ]) {
    expect(readAccount({ ...ROW, ...change })).toMatchObject({ createdAt: null, sfdcAccountId: null });
  }
});

test('malformed rows are counted beside the accounts that are well', () => {
  const listing = readListing([ROW, { ...ROW, name: null }, 'row', { ...ROW, account_type: 'standard' }]);
  expect(listing?.accounts.map(({ sandboxId }) => sandboxId)).toEqual(['2009521']);
  expect(listing?.skipped).toBe(2);
});

test('a second account under the id of another is counted, not taken', () => {
  const listing = readListing([ROW, { ...ROW, id: 'identity/accounts/another' }]);
  expect(listing).toMatchObject({ accounts: [{ externalId: ROW.id }], skipped: 1 });
});

test('rows of which none can be read are no listing', () => {
  expect(readListing([{ uuid: 1 }, { uuid: 2 }])).toBeNull();
});

test('no rows are an empty listing, whose meaning the caller judges', () => {
  expect(readListing([])).toEqual({ accounts: [], skipped: 0 });
});
