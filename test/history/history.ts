import { claimKeyOf, claimKeyText } from '../../src/domain/identifiers.ts';

/** What a caller was told. Whatever is not an answer of the contract is `unexpected`. */
export type Answer =
  | { readonly is: 'allocated'; readonly created: boolean; readonly sandboxId: string; readonly body: string }
  | { readonly is: 'empty_pool' }
  | { readonly is: 'released' }
  | { readonly is: 'seen'; readonly held: boolean }
  | { readonly is: 'not_owner' }
  | { readonly is: 'not_found' }
  /** Nobody knows whether it took effect, or when: no answer, a time-out, a 5xx. */
  | { readonly is: 'unknown'; readonly why: string }
  | { readonly is: 'unexpected'; readonly what: string };

/** One call of a track route: when it was sent, when its answer came, and what it said. */
export interface Call {
  readonly kind: 'allocate' | 'release' | 'read';
  readonly track: string;
  /** Of an allocation. */
  readonly idempotencyKey?: string | undefined;
  readonly namePrefix?: string | undefined;
  /** Its `X-Request-ID`. */
  readonly requestId?: string | undefined;
  /** Of a release or a read. */
  readonly sandboxId?: string | undefined;
  /** Where it was sent, for people. */
  readonly via: string;
  /** Any unit, as long as it is one clock and no two times of a history are equal. */
  readonly sentAt: number;
  /** Infinity for an answer that never came. */
  readonly answeredAt: number;
  readonly answer: Answer;
}

/** A sandbox as the table holds it when all is over. */
export interface FinalRow {
  readonly sandboxId: string;
  readonly status: string;
  readonly track: string | null;
  readonly idempotencyKey: string | null;
}

export interface History {
  readonly calls: readonly Call[];
  /** Allocations may also end by expiry or by an operator's hand. */
  readonly othersEndAllocations?: boolean;
  /** Cleanup runs: what was released may be gone. */
  readonly cleanupRuns?: boolean;
  /** Sandboxes that could be had from a time on unless allocated, for judging answers that say "empty". */
  readonly pool?: readonly { readonly sandboxId: string; readonly name: string; readonly since: number }[];
  /** How long an empty pool may be remembered, in the unit of the times. */
  readonly emptyPoolMemory?: number;
  /** The table after the last answer. */
  readonly finalRows?: readonly FinalRow[];
  /**
   * The request that allocated each sandbox, as the table tells. A request may then have allocated two: the broker repeats
   * what it did not hear the end of, and what it allocated first may have been found and released by then.
   */
  readonly begunBy?: ReadonlyMap<string, string>;
}

/** A history that no order of effects explains: the fewest calls that show it. */
export interface Contradiction {
  readonly invariant: string;
  readonly message: string;
  readonly calls: readonly Call[];
}

export function keyOf(call: Pick<Call, 'track' | 'idempotencyKey'>): string {
  return claimKeyText(claimKeyOf(call.track, call.idempotencyKey));
}

export function keyOfRow(row: FinalRow): string {
  return claimKeyText(claimKeyOf(row.track ?? '', row.idempotencyKey ?? undefined));
}

/** The sandbox that a call says something of. */
export function sandboxOf({ kind, answer, sandboxId }: Call): string | undefined {
  if (kind !== 'allocate') return sandboxId;
  return answer.is === 'allocated' ? answer.sandboxId : undefined;
}

export function trackOf(key: string): string {
  return key.slice(0, key.indexOf(' '));
}

/** What an HTTP answer of a track route says. */
// biome-ignore lint/suspicious/noExplicitAny: a body is whatever came
export function readAnswer(kind: Call['kind'], status: number, body: any): Answer {
  const code: unknown = body?.error?.code;
  if (status >= 500) return { is: 'unknown', why: `${status} ${String(code)}` };
  if (kind === 'allocate') {
    if ((status === 200 || status === 201) && typeof body?.sandbox_id === 'string') {
      const { sandbox_id: sandboxId } = body;
      return { is: 'allocated', created: status === 201, sandboxId, body: JSON.stringify(body) };
    }
    if (status === 409 && code === 'NO_SANDBOXES_AVAILABLE') return { is: 'empty_pool' };
  } else {
    if (status === 403 && code === 'NOT_SANDBOX_OWNER') return { is: 'not_owner' };
    if (status === 404 && code === 'SANDBOX_NOT_FOUND') return { is: 'not_found' };
    if (kind === 'release' && status === 200) return { is: 'released' };
    if (kind === 'read' && status === 200) return { is: 'seen', held: body?.status === 'allocated' };
  }
  return { is: 'unexpected', what: `${status} ${JSON.stringify(body)}` };
}

/** A contradiction as a person reads it. */
export function tellContradiction({ invariant, message, calls }: Contradiction): string {
  const lines = [...calls].sort((a, b) => a.sentAt - b.sentAt).map((call) => `  ${tellCall(call)}`);
  return [`${invariant}: ${message}`, ...lines].join('\n');
}

export function tellCall(call: Call): string {
  const time = (at: number) => (Number.isFinite(at) ? String(Math.round(at * 1000) / 1000) : 'never');
  const what =
    call.kind === 'allocate'
      ? `allocate${call.idempotencyKey === undefined ? '' : ` with key ${call.idempotencyKey}`}${call.namePrefix === undefined ? '' : ` from ${call.namePrefix}*`}`
      : `${call.kind} ${call.sandboxId}`;
  return `${time(call.sentAt)} .. ${time(call.answeredAt)}  ${call.track} at ${call.via}: ${what} -> ${tellAnswer(call.answer)}`;
}

function tellAnswer(answer: Answer): string {
  switch (answer.is) {
    case 'allocated':
      return `${answer.created ? '201 new' : '200 again'} ${answer.sandboxId}`;
    case 'empty_pool':
      return '409 nothing available';
    case 'released':
      return '200 released';
    case 'seen':
      return `200 ${answer.held ? 'allocated' : 'no longer allocated'}`;
    case 'not_owner':
      return '403 not the owner';
    case 'not_found':
      return '404 not found';
    case 'unknown':
      return `unknown (${answer.why})`;
    case 'unexpected':
      return answer.what;
  }
}
