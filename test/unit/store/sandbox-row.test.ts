import { expect, test } from 'vitest';
import { isSandboxRow, toSandbox } from '../../../src/store/sandbox-row.ts';

test('a row of the previous broker is read although attributes are missing, null or numbers in text', () => {
  const sandbox = toSandbox(
    {
      PK: 'SBX#2009001',
      SK: 'META',
      status: 'allocated',
      name: null,
      external_id: '',
      allocated_to_track: 'student-1',
      allocated_at: 1_774_000_000,
      lab_duration_hours: null,
      deletion_retry_count: '2',
      updated_at: '2025-03-27T10:00:00Z',
      track_name: null,
      sfdc_account_id: null,
    },
    4,
  );
  expect(sandbox).toMatchObject({
    sandboxId: '2009001',
    name: '2009001',
    externalId: '2009001',
    status: 'allocated',
    storedStatus: 'allocated',
    allocatedToTrack: 'student-1',
    allocatedAt: 1_774_000_000,
    labDurationHours: 4,
    deletionRetryCount: 2,
    updatedAt: 0,
    idempotencyKey: null,
    trackName: null,
    superseded: false,
  });
});

test('a row keeps the hours that its allocation gave it, whatever the configuration says now', () => {
  expect(toSandbox({ PK: 'SBX#1', status: 'allocated', lab_duration_hours: 2.5 }, 4).labDurationHours).toBe(
    2.5,
  );
});

test('a row without a status, or of one that is unknown, is named', () => {
  expect(() => toSandbox({ PK: 'SBX#1' }, 4)).toThrow('SBX#1');
  expect(() => toSandbox({ PK: 'SBX#1', status: 'hibernating' }, 4)).toThrow('hibernating');
});

test('claims, events, tombstones and single rows are no sandboxes', () => {
  const keys = [
    ['SBX#1', 'META'],
    ['SBX#1', 'EVT#001774000000000#0000'],
    ['CLAIM#student-1 ', 'META'],
    ['TOMB#1', 'META'],
    ['STATS', 'META'],
    ['ADOPTION', 'META'],
  ];
  expect(keys.filter(([PK, SK]) => isSandboxRow({ PK, SK }))).toEqual([['SBX#1', 'META']]);
});
