import { lastSegment } from '../../src/local/csp-simulator/simulated-accounts.ts';
import type { CspSimulator } from '../../src/local/csp-simulator.ts';
import { isSandbox } from './table-rows.ts';

type Item = Record<string, unknown>;

/** Moves after which a sandbox may be deleted at the provider. */
const ENDINGS = new Set(['release', 'expire', 'retry_deletion']);

/**
 * Holds what the provider was asked for against the table and its audit trail, and names whatever breaks an
 * invariant: I5 (nothing in use is deleted), I4 (what is deleted here is deleted there), I6.
 *
 * @param owners who was given which sandbox, by sandbox; in the order of the answers
 * @param clockOffSeconds how far the clock of whoever wrote the audit trail may be ahead
 */
export function providerViolations(
  simulator: CspSimulator,
  items: readonly Item[],
  owners: ReadonlyMap<string, readonly string[]> = new Map(),
  clockOffSeconds = 0,
): string[] {
  const problems: string[] = [];
  const endings = new Map<string, number>();
  for (const event of items.filter((item) => ENDINGS.has(String(item.move)))) {
    const sandboxId = String(event.sandbox_id);
    endings.set(sandboxId, Math.min(endings.get(sandboxId) ?? Infinity, Number(event.at)));
  }
  const named = items.filter((item) => item.external_id !== undefined && item.sandbox_id !== undefined);
  // The log names an account that is gone by the last segment of its id alone.
  const sandboxes = new Map(
    named.map((item) => [lastSegment(String(item.external_id)), String(item.sandbox_id)]),
  );
  const rows = new Map(items.filter(isSandbox).map((row) => [String(row.sandbox_id), row]));

  const deleted = new Map<string, number>();
  for (const request of simulator.log.of('delete')) {
    const account = lastSegment(String(request.account));
    const sandboxId = sandboxes.get(account);
    const endedAt = sandboxId === undefined ? undefined : endings.get(sandboxId);
    // Events keep whole seconds.
    if (endedAt === undefined || request.at / 1000 + clockOffSeconds < endedAt) {
      problems.push(
        `I5: ${request.account} was to be deleted at the provider and nobody had ended its allocation`,
      );
    }
    if (request.status === 204) deleted.set(account, (deleted.get(account) ?? 0) + 1);
  }
  for (const [account, times] of deleted)
    if (times > 1) problems.push(`${account} was deleted ${times} times`);
  for (const [sandboxId, row] of rows) {
    const gone = deleted.has(lastSegment(String(row.external_id)));
    if (gone && row.status !== 'pending_deletion')
      problems.push(`I6: ${sandboxId} was deleted and is ${row.status}`);
  }
  for (const tombstone of items.filter((item) => String(item.PK).startsWith('TOMB#'))) {
    const sandboxId = String(tombstone.sandbox_id);
    if (simulator.accounts.find(sandboxId))
      problems.push(`I4: ${sandboxId} is done with here and still there`);
  }
  for (const [sandboxId, tracks] of owners) {
    if (new Set(tracks).size > 1) problems.push(`I1: ${sandboxId} was given to ${tracks.join(' and ')}`);
  }
  return problems;
}
