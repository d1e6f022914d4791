import { type Call, type History, keyOf, trackOf } from './history.ts';

/** A sandbox that is free has no entry. */
interface Register {
  readonly key: string;
  readonly ended: boolean;
}

type Pool = ReadonlyMap<string, Register>;

/**
 * The same question as the checker's, decided by trying every order (Wing and Gong, "Testing and Verifying
 * Concurrent Objects", 1993): for histories of a few calls, to hold the checker against.
 */
export function someOrderExplains(history: History): boolean {
  const sandboxes = [
    ...new Set(
      history.calls.flatMap(({ sandboxId, answer }) => [
        ...(sandboxId === undefined ? [] : [sandboxId]),
        ...(answer.is === 'allocated' ? [answer.sandboxId] : []),
      ]),
    ),
    'another',
  ];
  const seen = new Set<string>();

  const search = (pending: readonly Call[], pool: Pool): boolean => {
    if (pending.every(({ answer }) => answer.is === 'unknown')) return true;
    const state = `${pending.map((call) => history.calls.indexOf(call))} ${JSON.stringify([...pool].sort())}`;
    if (seen.has(state)) return false;
    seen.add(state);
    const deadline = Math.min(...pending.map(endOf));
    for (const call of pending) {
      if (call.sentAt > deadline) continue;
      const rest = pending.filter((other) => other !== call);
      if (outcomes(call, pool, sandboxes, history).some((next) => search(rest, next))) return true;
    }
    if (history.othersEndAllocations !== true) return false;
    return [...pool].some(
      ([id, { key, ended }]) => !ended && search(pending, with_(pool, id, { key, ended: true })),
    );
  };
  return search(history.calls, new Map());
}

function endOf(call: Call): number {
  return call.answer.is === 'unknown' ? Number.POSITIVE_INFINITY : call.answeredAt;
}

/** The states in which the pool may be when the call takes effect now and is answered as it was. */
function outcomes(call: Call, pool: Pool, sandboxes: readonly string[], history: History): Pool[] {
  const { answer } = call;
  if (call.kind === 'allocate') {
    const key = keyOf(call);
    const held = [...pool].find(([, register]) => register.key === key && !register.ended)?.[0];
    switch (answer.is) {
      case 'allocated':
        if (!answer.created) return held === answer.sandboxId ? [pool] : [];
        return held === undefined && !pool.has(answer.sandboxId)
          ? [with_(pool, answer.sandboxId, { key, ended: false })]
          : [];
      case 'empty_pool':
        return held === undefined ? [pool] : [];
      case 'unknown':
        if (held !== undefined) return [pool];
        return [
          pool,
          ...sandboxes.filter((id) => !pool.has(id)).map((id) => with_(pool, id, { key, ended: false })),
        ];
      default:
        return [];
    }
  }
  const sandboxId = call.sandboxId as string;
  const register = pool.get(sandboxId);
  const owns = register !== undefined && trackOf(register.key) === call.track;
  const released = owns ? [with_(pool, sandboxId, { ...register, ended: true })] : [];
  switch (answer.is) {
    case 'released':
      return released;
    case 'seen':
      return owns && register.ended !== answer.held ? [pool] : [];
    case 'not_owner':
      return owns ? [] : [pool];
    case 'not_found':
      if (register === undefined) return [pool];
      // Whoever gives back what it held hears so, though it be deleted.
      return register.ended && history.cleanupRuns === true && !(owns && call.kind === 'release')
        ? [pool]
        : [];
    case 'unknown':
      return [pool, ...(call.kind === 'release' ? released : [])];
    default:
      return [];
  }
}

function with_(pool: Pool, sandboxId: string, register: Register): Pool {
  return new Map(pool).set(sandboxId, register);
}
