import type { Answer, Call, History } from './history.ts';

/** Writes a history as a test tells it: each call with its two times. */
export class Told {
  readonly calls: Call[] = [];

  allocate(
    track: string,
    [sentAt, answeredAt]: [number, number],
    answer: Answer,
    { idempotencyKey, requestId }: Pick<Call, 'idempotencyKey' | 'requestId'> = {},
  ): this {
    const call = { track, idempotencyKey, requestId, via: 'a broker', sentAt, answeredAt, answer };
    this.calls.push({ kind: 'allocate', ...call });
    return this;
  }

  release(track: string, sandboxId: string, [sentAt, answeredAt]: [number, number], answer: Answer): this {
    this.calls.push({ kind: 'release', track, sandboxId, via: 'a broker', sentAt, answeredAt, answer });
    return this;
  }

  read(track: string, sandboxId: string, [sentAt, answeredAt]: [number, number], answer: Answer): this {
    this.calls.push({ kind: 'read', track, sandboxId, via: 'a broker', sentAt, answeredAt, answer });
    return this;
  }

  with(more: Omit<History, 'calls'> = {}): History {
    return { calls: this.calls, ...more };
  }
}

export const tell = () => new Told();

export const created = (sandboxId: string): Answer => ({
  is: 'allocated',
  created: true,
  sandboxId,
  body: sandboxId,
});
export const repeated = (sandboxId: string): Answer => ({
  is: 'allocated',
  created: false,
  sandboxId,
  body: sandboxId,
});
export const emptyPool: Answer = { is: 'empty_pool' };
export const released: Answer = { is: 'released' };
export const seenAllocated: Answer = { is: 'seen', held: true };
export const seenReleased: Answer = { is: 'seen', held: false };
export const notOwner: Answer = { is: 'not_owner' };
export const notFound: Answer = { is: 'not_found' };
export const unknown: Answer = { is: 'unknown', why: 'no answer' };
