import { lastSegment } from '../../src/local/csp-simulator/simulated-accounts.ts';
import { contradictionIn } from '../history/checker.ts';
import { type Call, type History, tellContradiction } from '../history/history.ts';
import { tableAtEnd } from '../history/table-at-end.ts';
import { violations } from '../support/invariants.ts';
import { providerViolations } from '../support/provider-violations.ts';
import { dueForDeletion, isSandbox, statusOf } from '../support/table-rows.ts';
import { leakTexts } from '../support/watched-log.ts';
import type { Installation, Item } from './installation.ts';
import type { Scenario } from './scenario.ts';
import type { Visit } from './students.ts';

export interface Evidence {
  readonly scenario: Scenario;
  readonly installation: Installation;
  readonly items: readonly Item[];
  readonly calls: readonly Call[];
  readonly visits: readonly Visit[];
  /** When the pool that it began with was there, in the recorder's time. */
  readonly poolSince: number;
  readonly initialPool: readonly { readonly sandboxId: string; readonly name: string }[];
  /** What to add to the recorder's time for Unix milliseconds. */
  readonly epoch: number;
  readonly mostStale: number;
}

export interface Check {
  readonly name: string;
  readonly violations: readonly string[];
}

/** An empty pool may be remembered so long. */
const EMPTY_POOL_MEMORY_MS = 1_000;
/** Between two clocks of one machine, and the whole seconds of the table. */
const TOLERANCE_MS = 1_100;

export function check(evidence: Evidence): Check[] {
  const { installation, items, visits, calls, scenario } = evidence;
  const { csp, clockOffSeconds, fleet } = installation;
  const named = Map.groupBy(violations(items), (text) => text.slice(0, text.indexOf(':')));
  const ofTable = (invariant: string) => named.get(invariant) ?? [];
  const contradiction = contradictionIn(historyOf(evidence));
  const failures = calls.filter(({ answer }) => answer.is === 'unknown' || answer.is === 'unexpected');
  return [
    { name: 'I1 one owner, on the table', violations: ofTable('I1') },
    { name: 'I2 one sandbox for a claim key, on the table', violations: ofTable('I2') },
    { name: 'I6 nothing used comes back, on the table', violations: ofTable('I6') },
    { name: 'I10 claim and row agree, on the table', violations: ofTable('I10') },
    {
      name: 'I1, I2, I3, I5, I7: what the students were told can be explained',
      violations: contradiction === undefined ? [] : [tellContradiction(contradiction)],
    },
    { name: 'I4 what was given back is deleted at the provider, or waits', violations: leaks(evidence) },
    { name: 'I5 nothing was deleted at the provider while in use', violations: deletedInUse(evidence) },
    {
      name: 'I4, I5, I6: the provider, the table and its audit trail agree',
      violations: providerViolations(csp, items, ownersOf(calls), clockOffSeconds),
    },
    {
      name: 'I9 no fault of the provider staled the pool or gave a deletion up',
      violations: brakes(evidence),
    },
    {
      name: 'every student was served and could give back',
      violations: visits.flatMap(({ track, problem }) =>
        problem === undefined ? [] : [`${track} ${problem}`],
      ),
    },
    { name: 'no log holds a credential', violations: leakTexts() },
    { name: 'no broker ended by itself', violations: fleet.crashes },
    ...(scenario.unnoticed === true
      ? [
          {
            name: 'no call failed',
            violations: failures.map((call) => `${call.track}: ${call.kind}: ${JSON.stringify(call.answer)}`),
          },
        ]
      : []),
  ];
}

function historyOf({ items, calls, scenario, poolSince, initialPool }: Evidence): History {
  return {
    calls,
    cleanupRuns: true,
    othersEndAllocations: scenario.expireAfterSeconds !== undefined,
    pool: initialPool.map((sandbox) => ({ ...sandbox, since: poolSince })),
    emptyPoolMemory: EMPTY_POOL_MEMORY_MS,
    ...tableAtEnd(items),
  };
}

function leaks({ installation, items, calls, scenario }: Evidence): string[] {
  const now = Date.now() / 1000;
  const rows = new Map(items.filter(isSandbox).map((row) => [String(row.sandbox_id), row]));
  const released = new Set(
    calls.flatMap(({ answer, sandboxId }) =>
      answer.is === 'released' && sandboxId !== undefined ? [sandboxId] : [],
    ),
  );
  const problems: string[] = [];
  for (const sandboxId of released) {
    const row = rows.get(sandboxId);
    if (row === undefined) {
      if (installation.csp.accounts.find(sandboxId) !== undefined)
        problems.push(`${sandboxId} was given back, has no row and is still at the provider`);
    } else if (dueForDeletion(row, now) || !['pending_deletion', 'deletion_failed'].includes(statusOf(row))) {
      problems.push(`${sandboxId} was given back, is ${statusOf(row)} and not deleted`);
    }
  }
  if (scenario.expireAfterSeconds !== undefined) {
    for (const [sandboxId, row] of rows)
      if (statusOf(row) === 'allocated')
        problems.push(`${sandboxId} is still allocated, long after its time`);
  }
  return problems;
}

/** By the clocks of the students and the provider, which are one: whatever brokers think that the time is. */
function deletedInUse({ installation, items, calls, scenario, epoch }: Evidence): string[] {
  const names = new Map(
    items
      .filter((item) => item.external_id !== undefined && item.sandbox_id !== undefined)
      .map((item) => [lastSegment(String(item.external_id)), String(item.sandbox_id)]),
  );
  // The time of an allocation may be that of a call whose answer was lost, and which a later one repeated.
  const firstAsked = new Map<string, number>();
  for (const { kind, track, sentAt } of calls) {
    if (kind === 'allocate') firstAsked.set(track, Math.min(firstAsked.get(track) ?? Infinity, sentAt));
  }
  const endsFrom = new Map<string, number>();
  for (const call of calls) {
    const sandboxId = call.answer.is === 'allocated' ? call.answer.sandboxId : call.sandboxId;
    if (sandboxId === undefined) continue;
    const lasts = scenario.expireAfterSeconds;
    let from: number | undefined;
    if (call.kind === 'release') from = call.sentAt;
    else if (call.answer.is === 'allocated' && lasts !== undefined)
      from = (firstAsked.get(call.track) ?? call.sentAt) + lasts * 1000;
    if (from !== undefined) endsFrom.set(sandboxId, Math.min(endsFrom.get(sandboxId) ?? Infinity, from));
  }
  const held = new Set(calls.flatMap(({ answer }) => (answer.is === 'allocated' ? [answer.sandboxId] : [])));
  return installation.csp.log.of('delete').flatMap((request) => {
    const sandboxId = names.get(lastSegment(String(request.account)));
    if (sandboxId === undefined || !held.has(sandboxId)) return [];
    const from = endsFrom.get(sandboxId) ?? Infinity;
    if (request.at >= from + epoch - TOLERANCE_MS) return [];
    return [`${sandboxId} was to be deleted at the provider before its student had let it go`];
  });
}

function brakes({ items, mostStale }: Evidence): string[] {
  const failed = items.filter(isSandbox).filter((row) => statusOf(row) === 'deletion_failed').length;
  return [
    ...(mostStale > 0 ? [`up to ${mostStale} rows were stale at once`] : []),
    ...(failed > 0 ? [`${failed} deletions were given up`] : []),
  ];
}

function ownersOf(calls: readonly Call[]): Map<string, string[]> {
  const owners = new Map<string, string[]>();
  for (const { answer, track } of calls) {
    if (answer.is !== 'allocated') continue;
    owners.set(answer.sandboxId, [...(owners.get(answer.sandboxId) ?? []), track]);
  }
  return owners;
}
