import { expect, test } from 'vitest';
import { SANDBOX_STATUSES } from '../../../src/domain/sandbox.ts';
import { plainStatus, StatusShards, statusOf } from '../../../src/store/status-shards.ts';

const ids = Array.from({ length: 2_000 }, (_, index) => String(2_009_001 + index));

test('one shard stores the plain status and reads nothing else, as the previous broker does', () => {
  const shards = new StatusShards(1);
  expect(shards.stored('available', '2009001')).toBe('available');
  expect(shards.partitions('available')).toEqual(['available']);
});

test('more shards read the plain form too, and everything that they or fewer shards have stored', () => {
  for (const count of [2, 4, 7, 100]) {
    const read = new Set(new StatusShards(count).partitions('available'));
    expect(read.size).toBe(count + 1);
    for (const written of [1, 2, 4, 7, 100].filter((fewer) => fewer <= count)) {
      for (const id of ids) expect(read).toContain(new StatusShards(written).stored('available', id));
    }
  }
});

test('a row stays in its shard through all of its states', () => {
  const shards = new StatusShards(16);
  for (const id of ids) {
    expect(new Set(SANDBOX_STATUSES.map((status) => shards.stored(status, id).split('#')[1])).size).toBe(1);
  }
});

test('ids that follow one another spread evenly over the shards', () => {
  const shards = new StatusShards(8);
  const sizes = new Map<string, number>();
  for (const id of ids) {
    const stored = shards.stored('available', id);
    sizes.set(stored, (sizes.get(stored) ?? 0) + 1);
  }
  expect(sizes.size).toBe(8);
  for (const size of sizes.values()) expect(Math.abs(size - ids.length / 8)).toBeLessThan(ids.length / 16);
});

test('a stored value stands for its status in either form, and for nothing when it is unknown', () => {
  expect([statusOf('pending_deletion'), statusOf('available#07')]).toEqual(['pending_deletion', 'available']);
  expect(plainStatus('hibernating#07')).toBe('hibernating');
  expect(() => statusOf('hibernating#07')).toThrow('hibernating#07');
});
