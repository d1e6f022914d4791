import type { Call, Contradiction } from './history.ts';
import { callsOf, certainTime, type Tenure, unique } from './tenure.ts';

interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Whether the tenures of one claim key fit into its time one after the other, each begun by a call of its own.
 *
 * A tenure that certainly lasted from one time to another takes exactly that time, and need take no more; any
 * other may have been a moment, anywhere in its window. So they fit if no two of the certain times overlap, and
 * each moment finds a place outside them. Those of which nobody knows what call began them each need one of unknown end
 * that may have: a matching (augmenting paths; Kuhn 1955).
 *
 * @param unknowns allocations of this key whose end nobody knows
 */
export function contradictionBetween(
  key: string,
  tenures: readonly Tenure[],
  unknowns: readonly Call[],
): Contradiction | undefined {
  const certain = tenures.flatMap((tenure) => {
    const time = certainTime(tenure);
    return time === undefined ? [] : [{ tenure, ...time }];
  });
  for (const [index, one] of certain.entries()) {
    for (const other of certain.slice(index + 1)) {
      if (one.from.at >= other.to.at || other.from.at >= one.to.at) continue;
      const message = `"${key}" holds sandboxes ${one.tenure.sandboxId} and ${other.tenure.sandboxId} at once`;
      const calls = unique([
        ...callsOf(one.from, one.to, other.from, other.to),
        one.tenure.witness,
        other.tenure.witness,
      ]);
      return { invariant: 'I2', message, calls };
    }
  }
  const taken = certain.map(({ from, to }) => ({ from: from.at, to: to.at }));
  for (const tenure of tenures) {
    if (tenure.beginner === undefined || canBegin(tenure, undefined, taken)) continue;
    return crowdedOut(
      key,
      tenure,
      certain.flatMap((each) => callsOf(each.from, each.to)),
    );
  }
  return unexplained(
    key,
    tenures.filter((tenure) => tenure.beginner === undefined),
    unknowns,
    taken,
  );
}

/** Gives each tenure a call that may have begun it. */
function unexplained(
  key: string,
  tenures: readonly Tenure[],
  unknowns: readonly Call[],
  taken: readonly Span[],
): Contradiction | undefined {
  const begunBy = new Map<Call, Tenure>();
  const assign = (tenure: Tenure, tried: Set<Call>): boolean => {
    for (const call of unknowns) {
      if (tried.has(call) || !canBegin(tenure, call, taken)) continue;
      tried.add(call);
      const other = begunBy.get(call);
      if (other !== undefined && !assign(other, tried)) continue;
      begunBy.set(call, tenure);
      return true;
    }
    return false;
  };
  for (const tenure of tenures) {
    if (assign(tenure, new Set())) continue;
    const message = `"${key}" was answered with sandbox ${tenure.sandboxId}, which no call of it can have allocated`;
    return { invariant: 'I2', message, calls: unique([tenure.witness, ...callsOf(tenure.startBefore)]) };
  }
  return undefined;
}

/** Whether a tenure can begin with the effect of this call, outside the times that others take. */
function canBegin(tenure: Tenure, call: Call | undefined, taken: readonly Span[]): boolean {
  const begin = Math.max(tenure.startAfter.at, call?.sentAt ?? Number.NEGATIVE_INFINITY);
  if (certainTime(tenure) !== undefined) return begin < tenure.startBefore.at;
  const from = Math.max(begin, tenure.endAfter.at);
  const to = Math.min(tenure.startBefore.at, tenure.endBefore.at);
  return isOpenSomewhere({ from, to }, taken);
}

/** Whether something of the window is left outside the spans. */
export function isOpenSomewhere(window: Span, spans: readonly Span[]): boolean {
  let { from } = window;
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    if (from < span.from && from < window.to) return true;
    from = Math.max(from, span.to);
  }
  return from < window.to;
}

function crowdedOut(key: string, tenure: Tenure, others: readonly Call[]): Contradiction {
  const message = `"${key}" cannot have held sandbox ${tenure.sandboxId}: it held others all the time`;
  return {
    invariant: 'I2',
    message,
    calls: unique([tenure.witness, ...callsOf(tenure.startBefore, tenure.endBefore), ...others]),
  };
}
