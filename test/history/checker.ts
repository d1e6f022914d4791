import {
  type Call,
  type Contradiction,
  type FinalRow,
  type History,
  keyOf,
  keyOfRow,
  sandboxOf,
  trackOf,
} from './history.ts';
import { callsOf, certainTime, contradictionWithin, type Tenure, tenureOf, unique } from './tenure.ts';
import { contradictionBetween, isOpenSomewhere } from './timeline.ts';

/**
 * Decides whether some order of effects explains what the callers were told: each call takes effect once, at a
 * moment between its sending and its answer, those of unknown end at any later moment or never; each sandbox is a
 * register that has one owner once, and each claim key has at most one sandbox at a time.
 *
 * Every sandbox and every key is judged by itself, so the time taken grows with the number of calls, and with the
 * square of those of one key.
 *
 * @returns undefined, or the shortest of the contradictions found
 */
export function contradictionIn(history: History): Contradiction | undefined {
  return contradictionsIn(history).sort((a, b) => a.calls.length - b.calls.length)[0];
}

export function contradictionsIn(history: History): Contradiction[] {
  const found: Contradiction[] = [];
  const calls = [...history.calls, ...observationsOf(history)];
  for (const call of calls) {
    if (call.answer.is === 'unexpected')
      found.push({
        invariant: 'contract',
        message: 'an answer that the contract does not know',
        calls: [call],
      });
  }

  const whole = { ...history, calls, allocations: allocationsById(calls) };
  const bySandbox = Map.groupBy(calls, (call) => sandboxOf(call) ?? '');
  bySandbox.delete('');
  const tenures: Tenure[] = [];
  for (const [sandboxId, ofSandbox] of bySandbox) {
    const judged = judgeSandbox(sandboxId, ofSandbox, whole);
    if ('sandboxId' in judged) tenures.push(judged);
    else if ('invariant' in judged) found.push(judged);
  }
  for (const tenure of tenures) {
    const wrong = contradictionWithin(tenure);
    if (wrong !== undefined) found.push(wrong);
  }
  // What contradicts itself would only contradict others, too.
  if (found.length > 0) return found;

  const allocations = Map.groupBy(
    calls.filter((call) => call.kind === 'allocate'),
    keyOf,
  );
  const byKey = Map.groupBy(tenures, (tenure) => tenure.key);
  for (const [key, ofKey] of byKey) {
    const unknowns = (allocations.get(key) ?? []).filter(({ answer }) => answer.is === 'unknown');
    const wrong = contradictionBetween(key, ofKey, unknowns);
    if (wrong !== undefined) found.push(wrong);
  }
  const bySandboxId = new Map(tenures.map((tenure) => [tenure.sandboxId, tenure]));
  for (const call of calls) {
    const { is } = call.answer;
    if (is === 'empty_pool') {
      found.push(
        ...refusedThoughHolding(call, byKey.get(keyOf(call)) ?? []),
        ...refusedThoughFree(call, history, bySandboxId),
      );
    } else if (is === 'not_found') {
      const tenure = bySandboxId.get(call.sandboxId ?? '');
      if (tenure !== undefined) found.push(...refusedThoughHolding(call, [tenure]));
    }
  }
  return found;
}

/** A history with the table at the end as calls of it. */
interface WholeHistory extends History {
  /** By their request ids. */
  readonly allocations: ReadonlyMap<string, Call>;
}

function allocationsById(calls: readonly Call[]): ReadonlyMap<string, Call> {
  return new Map(
    calls.flatMap((call) =>
      call.kind === 'allocate' && call.requestId !== undefined ? [[call.requestId, call] as const] : [],
    ),
  );
}

function judgeSandbox(
  sandboxId: string,
  calls: readonly Call[],
  history: WholeHistory,
): Tenure | Contradiction | Record<never, never> {
  const given = calls.filter((call) => call.kind === 'allocate');
  const [first] = given;
  const stranger = first && given.find((call) => keyOf(call) !== keyOf(first));
  if (first !== undefined && stranger !== undefined) {
    const message = `sandbox ${sandboxId} was given to "${keyOf(first)}" and to "${keyOf(stranger)}"`;
    return { invariant: 'I1', message, calls: [first, stranger] };
  }
  const created = given.filter(({ answer }) => answer.is === 'allocated' && answer.created);
  if (created.length > 1) {
    const message = `sandbox ${sandboxId} was newly allocated more than once`;
    return { invariant: 'I2', message, calls: created.slice(0, 2) };
  }
  const [creator] = created;
  const requestId = history.begunBy?.get(sandboxId);
  const allocatedBy = requestId === undefined ? undefined : history.allocations.get(requestId);
  if (first !== undefined && requestId !== undefined) {
    const wrong = judgeBeginner(sandboxId, requestId, allocatedBy, first, creator);
    if (wrong !== undefined) return wrong;
  }
  const different = first && given.find((call) => bodyOf(call) !== bodyOf(first));
  if (first !== undefined && different !== undefined) {
    const message = `the answers about sandbox ${sandboxId} differ: ${bodyOf(first)} and ${bodyOf(different)}`;
    return { invariant: 'I2', message, calls: [first, different] };
  }

  const owned = calls.filter((call) => call.kind !== 'allocate' && isOwnersAnswer(call));
  const track = first === undefined ? owned[0]?.track : trackOf(keyOf(first));
  const intruder = owned.find((call) => call.track !== track);
  if (intruder !== undefined) {
    const message = `${intruder.track} was answered as the owner of sandbox ${sandboxId}, which ${track} held`;
    return { invariant: 'I7', message, calls: unique([first ?? (owned[0] as Call), intruder]) };
  }
  if (first === undefined) return judgeUngiven(sandboxId, owned, history.calls);
  return tenureOf({
    sandboxId,
    key: keyOf(first),
    beginner: creator ?? allocatedBy,
    held: [...given, ...owned.filter(({ answer }) => answer.is === 'seen' && answer.held)],
    ended: calls.filter((call) => call.track === track && isEnd(call)),
    releases: calls.filter((call) => call.kind === 'release' && call.track === track && isMaybeRelease(call)),
    notYet: calls.filter(
      (call) =>
        (call.answer.is === 'not_owner' && call.track === track) ||
        (call.answer.is === 'not_found' && (history.cleanupRuns !== true || isOwnRelease(call, track))),
    ),
    othersEndAllocations: history.othersEndAllocations === true,
  });
}

/** Whether the call that allocated a sandbox, as the table tells, is one of its key, and was answered so if it was. */
function judgeBeginner(
  sandboxId: string,
  requestId: string,
  beginner: Call | undefined,
  first: Call,
  creator: Call | undefined,
): Contradiction | undefined {
  const calls = unique([first, ...(beginner === undefined ? [] : [beginner])]);
  if (beginner === undefined || keyOf(beginner) !== keyOf(first)) {
    const message = `sandbox ${sandboxId} was given to "${keyOf(first)}", and allocated by request ${requestId}, which is none of its own`;
    return { invariant: 'I1', message, calls };
  }
  if (creator !== undefined && creator !== beginner) {
    const message = `sandbox ${sandboxId} was newly allocated to a request that did not allocate it`;
    return { invariant: 'I2', message, calls: [creator, beginner] };
  }
  const { answer } = beginner;
  if (answer.is !== 'allocated' || answer.created || answer.sandboxId !== sandboxId) return undefined;
  const message = `sandbox ${sandboxId} was answered as a repetition to the request that allocated it`;
  return { invariant: 'I2', message, calls: [beginner] };
}

/** Nobody was answered with it; whoever is treated as its owner must have a call of unknown end. */
function judgeUngiven(
  sandboxId: string,
  owned: readonly Call[],
  all: readonly Call[],
): Contradiction | Record<never, never> {
  for (const call of owned) {
    const explained = all.some(
      (other) =>
        other.kind === 'allocate' &&
        other.track === call.track &&
        other.answer.is === 'unknown' &&
        other.sentAt < call.answeredAt,
    );
    if (explained) continue;
    const message = `${call.track} was answered as the owner of sandbox ${sandboxId}, which it was never given`;
    return { invariant: 'I7', message, calls: [call] };
  }
  return {};
}

function isOwnersAnswer({ answer }: Call): boolean {
  return answer.is === 'released' || answer.is === 'seen';
}

/** Whoever gives back what it held hears so, though it be deleted. */
function isOwnRelease(call: Call, track: string | undefined): boolean {
  return call.kind === 'release' && call.track === track;
}

function isEnd({ answer }: Call): boolean {
  return answer.is === 'released' || (answer.is === 'seen' && !answer.held);
}

function isMaybeRelease({ answer }: Call): boolean {
  return answer.is === 'released' || answer.is === 'unknown';
}

function bodyOf({ answer }: Call): string {
  return answer.is === 'allocated' ? answer.body : '';
}

/** "Empty" to whoever held a sandbox all the while, or "not found" of one that was held. */
function refusedThoughHolding(call: Call, held: readonly Tenure[]): Contradiction[] {
  const spans = held.flatMap((tenure) => {
    const time = certainTime(tenure);
    return time === undefined ? [] : [{ tenure, from: time.from.at, to: time.to.at }];
  });
  if (isOpenSomewhere({ from: call.sentAt, to: call.answeredAt }, spans)) return [];
  const holding = spans.filter(({ from, to }) => from < call.answeredAt && to > call.sentAt);
  const names = holding.map(({ tenure }) => tenure.sandboxId).join(', ');
  const message = `${call.track} was refused while it held sandbox ${names}`;
  const because = holding.flatMap(({ tenure }) => [
    tenure.witness,
    ...callsOf(tenure.startBefore, tenure.endAfter),
  ]);
  return [{ invariant: 'I2', message, calls: unique([...because, call]) }];
}

/** "Empty" while a sandbox was free from before the call, and longer than an empty pool may be remembered. */
function refusedThoughFree(
  call: Call,
  { pool = [], emptyPoolMemory = 0, finalRows = [] }: History,
  tenures: ReadonlyMap<string, Tenure>,
): Contradiction[] {
  // What is available at the end always was: nothing comes back (I6).
  const leftOver = new Set(
    finalRows.filter(({ status }) => status === 'available').map((row) => row.sandboxId),
  );
  for (const { sandboxId, name, since } of pool) {
    if (since + emptyPoolMemory >= call.sentAt || !name.startsWith(call.namePrefix ?? '')) continue;
    const tenure = tenures.get(sandboxId);
    const takenLater = tenure?.beginner !== undefined && tenure.beginner.sentAt > call.answeredAt;
    // Where nobody was answered with it, an unknown call may hold it.
    if (!takenLater && !(tenure === undefined && leftOver.has(sandboxId))) continue;
    const message = `"${keyOf(call)}" was told that nothing is available while sandbox ${sandboxId} was free`;
    return [{ invariant: 'contract', message, calls: unique([call, tenure?.beginner ?? call]) }];
  }
  return [];
}

/** The table at the end, as answers that it gave to whoever owns its rows. */
function observationsOf(history: History): Call[] {
  const { finalRows } = history;
  if (finalRows === undefined) return [];
  let time = 1 + history.calls.reduce((latest, call) => Math.max(latest, lastTimeOf(call)), 0);
  const rows = new Map(finalRows.map((row) => [row.sandboxId, row]));
  const owners = new Map(
    history.calls.flatMap((call) =>
      call.answer.is === 'allocated' ? [[call.answer.sandboxId, call] as const] : [],
    ),
  );
  const see = (track: string, sandboxId: string, answer: Call['answer'], key?: string | null): Call => {
    const common = { track, via: 'the table at the end', sentAt: time, answeredAt: time + 1 };
    time += 2;
    // An allocated row says under which key, as an answer to an allocation does.
    return answer.is === 'allocated'
      ? { ...common, kind: 'allocate', idempotencyKey: key ?? undefined, answer }
      : { ...common, kind: 'read', sandboxId, answer };
  };
  const observed: Call[] = [];
  for (const row of finalRows) {
    if (row.status !== 'allocated' || row.track === null) continue;
    observed.push(
      see(row.track, row.sandboxId, allocatedAnswer(row, owners.get(row.sandboxId)), row.idempotencyKey),
    );
  }
  for (const [sandboxId, call] of owners) {
    const row = rows.get(sandboxId);
    if (row?.status === 'allocated') continue;
    const free = row !== undefined && ['available', 'stale', 'quarantined'].includes(row.status);
    const answer: Call['answer'] = free
      ? {
          is: 'unexpected',
          what: `sandbox ${sandboxId} is ${row.status} though it was given to "${keyOf(call)}"`,
        }
      : { is: 'seen', held: false };
    observed.push(see(call.track, sandboxId, answer));
  }
  return observed;
}

function lastTimeOf({ sentAt, answeredAt }: Call): number {
  return Number.isFinite(answeredAt) ? answeredAt : sentAt;
}

function allocatedAnswer(row: FinalRow, given: Call | undefined): Call['answer'] {
  const body = given !== undefined && keyOf(given) === keyOfRow(row) ? bodyOf(given) : '';
  return { is: 'allocated', created: false, sandboxId: row.sandboxId, body };
}
