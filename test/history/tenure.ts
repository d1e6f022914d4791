import type { Call, Contradiction } from './history.ts';

/** A time, and the call that it follows from. */
export interface Bound {
  readonly at: number;
  readonly call: Call | undefined;
}

/**
 * One claim key's time with one sandbox: it starts with the effect of an allocation and ends with that of a
 * release. What was answered says between which times either must have happened; both ends of either interval
 * are open, and no two times of a history are equal.
 */
export interface Tenure {
  readonly sandboxId: string;
  readonly key: string;
  /**
   * The allocation that began it: the one that was answered 201, or that the table tells of. Without either it was a call
   * of this key whose end nobody knows.
   */
  readonly beginner: Call | undefined;
  readonly startAfter: Bound;
  readonly startBefore: Bound;
  readonly endAfter: Bound;
  readonly endBefore: Bound;
  /** A call that shows it. */
  readonly witness: Call;
}

const ALWAYS: Bound = { at: Number.NEGATIVE_INFINITY, call: undefined };
const NEVER: Bound = { at: Number.POSITIVE_INFINITY, call: undefined };

export interface TenureEvidence {
  readonly sandboxId: string;
  readonly key: string;
  /** As in the tenure. */
  readonly beginner: Call | undefined;
  /** Calls of the key that were answered with this sandbox, and observations that its row was allocated. */
  readonly held: readonly Call[];
  /** Answered releases by its track, and observations that the row was no longer allocated. */
  readonly ended: readonly Call[];
  /** Releases by its track that may have ended it, answered or not. */
  readonly releases: readonly Call[];
  /** Calls of its track that were told that it is not theirs. */
  readonly notYet: readonly Call[];
  readonly othersEndAllocations: boolean;
}

export function tenureOf(evidence: TenureEvidence): Tenure {
  const { sandboxId, key, beginner, held, ended, releases, notYet, othersEndAllocations } = evidence;
  const begun = beginner === undefined ? [] : [beginner];
  const startAfter = latest([...begun, ...notYet].map(sent));
  const startBefore = earliest([...begun, ...held, ...ended].map(answered));
  const mayEndFrom = othersEndAllocations
    ? ALWAYS
    : releases.length === 0
      ? NEVER
      : earliest(releases.map(sent));
  // Who began it sees nothing of it after its start; whoever repeats it does.
  const stillHeld = held.filter((call) => call !== beginner);
  return {
    sandboxId,
    key,
    beginner,
    startAfter,
    startBefore,
    endAfter: latest([mayEndFrom, ...stillHeld.map(sent)]),
    endBefore: earliest(ended.map(answered)),
    witness: held.find((call) => call === beginner) ?? (held[0] as Call),
  };
}

/** What is wrong with a tenure by itself. */
export function contradictionWithin(tenure: Tenure): Contradiction | undefined {
  const { sandboxId, key, startAfter, startBefore, endAfter, endBefore } = tenure;
  if (startAfter.at >= startBefore.at) {
    const message =
      startAfter.call?.kind === 'allocate'
        ? `"${key}" was answered with sandbox ${sandboxId} before it can have been given`
        : `"${key}" was told that sandbox ${sandboxId} is not its own, or not there, after it had been given`;
    return { invariant: 'I3', message, calls: callsOf(startAfter, startBefore) };
  }
  if (endBefore.call !== undefined && endAfter.at >= endBefore.at) {
    const message =
      endAfter.call === undefined
        ? `sandbox ${sandboxId} was taken from "${key}", and nobody had released it`
        : `"${key}" holds sandbox ${sandboxId} after it had been released`;
    return {
      invariant: endAfter.call === undefined ? 'I5' : 'I3',
      message,
      calls: unique([tenure.witness, ...callsOf(endAfter, endBefore)]),
    };
  }
  if (startAfter.at >= endBefore.at) {
    const message = `sandbox ${sandboxId} was released before "${key}" can have held it`;
    return { invariant: 'I3', message, calls: callsOf(startAfter, endBefore) };
  }
  return undefined;
}

/** Between these times the key certainly held it; undefined where it may have been for a moment only. */
export function certainTime(tenure: Tenure): { from: Bound; to: Bound } | undefined {
  const { startBefore: from, endAfter: to } = tenure;
  return from.at < to.at ? { from, to } : undefined;
}

export function callsOf(...bounds: readonly Bound[]): Call[] {
  return unique(bounds.flatMap((bound) => (bound.call === undefined ? [] : [bound.call])));
}

export function unique(calls: readonly Call[]): Call[] {
  return [...new Set(calls)];
}

export function sent(call: Call): Bound {
  return { at: call.sentAt, call };
}

export function answered(call: Call): Bound {
  return { at: call.answer.is === 'unknown' ? Number.POSITIVE_INFINITY : call.answeredAt, call };
}

function latest(bounds: readonly Bound[]): Bound {
  return bounds.reduce((one, other) => (other.at > one.at ? other : one), ALWAYS);
}

function earliest(bounds: readonly Bound[]): Bound {
  return bounds.reduce((one, other) => (other.at < one.at ? other : one), NEVER);
}
