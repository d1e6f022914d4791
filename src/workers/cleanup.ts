import type { Logger } from 'pino';
import type { CspClient } from '../csp/csp-client.ts';
import { CspError, type CspErrorKind } from '../csp/csp-error.ts';
import type { NiosxaasClient } from '../csp/niosxaas-client.ts';
import { type Clock, type Random, unixSeconds } from '../domain/clock.ts';
import { eventWrite } from '../store/audit.ts';
import type { Database } from '../store/database.ts';
import { failedDeletionWrite } from '../store/deletion-writes.ts';
import type { JobNotes } from '../store/job-rows.ts';
import { removeWrite } from '../store/move-writes.ts';
import { keepNiosxaasRecord } from '../store/niosxaas-records.ts';
import type { PoolReader } from '../store/pool-reader.ts';
import type { StoredSandbox } from '../store/sandbox-row.ts';
import type { StatusShards } from '../store/status-shards.ts';
import { walkStatus } from '../store/status-walk.ts';
import { tombstoneWrites } from '../store/tombstones.ts';
import { transactPatiently } from '../store/transact.ts';
import { decideRetry } from './deletion-retry.ts';
import { DeletionSigns } from './deletion-signs.ts';
import { DeletionWindow } from './deletion-window.ts';
import { inLanes } from './in-lanes.ts';
import type { Job, JobContext, JobResult } from './job.ts';
import { staleBrake } from './stale-brake.ts';

export interface CleanupOptions {
  readonly intervalSeconds: number;
  /** Deletions between two pauses. */
  readonly batchSize: number;
  readonly batchDelaySeconds: number;
  /** Pause after each deletion; with one, deletions go one by one. */
  readonly perSandboxDelaySeconds: number;
  /** Deletions under way at once. */
  readonly concurrency: number;
  readonly maxAttempts: number;
  /** Deletions in one window at most. */
  readonly maxDeletions: number;
  readonly windowSeconds: number;
  /** A listing that lacks more of the available rows is not believed. Percent. */
  readonly maxStalePercent: number;
}

export interface CleanupParts {
  readonly database: Database;
  readonly shards: StatusShards;
  readonly reader: PoolReader;
  readonly csp: CspClient;
  readonly niosxaas: NiosxaasClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly onNiosxaas: (cleanup: Awaited<ReturnType<NiosxaasClient['cleanUp']>>) => void;
}

/** What ends a run before it is through. None of it costs a row an attempt. */
type Stop = 'breaker_open' | 'unauthorized' | 'rate_limited' | 'provider_unwell' | 'deletion_cap';

interface Run {
  readonly context: JobContext;
  readonly window: DeletionWindow;
  readonly signs: DeletionSigns;
  /** The last listing; undefined until one was needed. */
  listing: Listing | undefined;
  due: number;
  deleted: number;
  failed: number;
  gaveUp: number;
  overtaken: number;
  stop: Stop | undefined;
}

interface CallOptions {
  readonly signal: AbortSignal;
  readonly requestId: string;
}

interface Listing {
  /** The provider's id of each sandbox. */
  readonly externalIds: ReadonlyMap<string, string>;
  readonly has: (row: StoredSandbox) => boolean;
  /** Whether it knows the pool; undefined until that was asked. */
  knowsPool: Promise<boolean> | undefined;
}

/** After these the account is as it was. After any other error nobody knows. */
const NOT_DELETED: ReadonlySet<CspErrorKind> = new Set([
  'breaker_open',
  'request',
  'unauthorized',
  'rate_limited',
]);

/**
 * Deletes at the provider what nobody needs any more, slowly: deletions in bursts have made the provider fail.
 * Only when the provider says that an account is gone does its row go, and a tombstone comes in its place.
 */
export class CleanupJob implements Job {
  readonly name = 'cleanup';
  readonly intervalSeconds: number;
  readonly #options: CleanupOptions;
  readonly #parts: CleanupParts;
  /** The provider's address has been seen to be right: a wrong one answers 404 to everything, as if it were gone. */
  #addressProven = false;

  constructor(options: CleanupOptions, parts: CleanupParts) {
    this.#options = options;
    this.#parts = parts;
    this.intervalSeconds = options.intervalSeconds;
  }

  async run(context: JobContext): Promise<JobResult> {
    const { batchSize, batchDelaySeconds, maxDeletions, windowSeconds } = this.#options;
    const now = unixSeconds(this.#parts.clock);
    const run: Run = {
      context,
      window: new DeletionWindow(context.memory, maxDeletions, windowSeconds, now),
      signs: new DeletionSigns(context.memory, now),
      listing: undefined,
      due: 0,
      deleted: 0,
      failed: 0,
      gaveUp: 0,
      overtaken: 0,
      stop: undefined,
    };
    const due = await this.#due(now);
    run.due = due.length;
    if (due.length > 0) await this.#proveAddress(run);
    for (let index = 0; index < due.length && this.#goesOn(run); index += batchSize) {
      if (index > 0) await this.#pause(batchDelaySeconds, context.signal);
      await this.#deleteBatch(due.slice(index, index + batchSize), run);
    }
    return { outcome: run.stop ?? 'success', notes: notesOf(run) };
  }

  /** Rows whose turn has come, in its order: so a few that end every run cannot keep the others from theirs. */
  async #due(now: number): Promise<StoredSandbox[]> {
    const due: StoredSandbox[] = [];
    for await (const rows of walkStatus(this.#parts, 'pending_deletion')) {
      due.push(...rows.filter((row) => row.nextAttemptAt <= now));
    }
    const dueSince = (row: StoredSandbox) => Math.max(row.nextAttemptAt, row.deletionRequestedAt);
    return due.sort((a, b) => dueSince(a) - dueSince(b));
  }

  #goesOn(run: Run): boolean {
    return run.stop === undefined && !run.context.signal.aborted;
  }

  async #deleteBatch(batch: readonly StoredSandbox[], run: Run): Promise<void> {
    const { concurrency, perSandboxDelaySeconds } = this.#options;
    const { csp } = this.#parts;
    // A breaker that is not closed lets one call through, to see: the others would end the run for nothing.
    const careful = perSandboxDelaySeconds > 0 || csp.breakerState() !== 'closed';
    const lanes = careful ? 1 : concurrency;
    await inLanes(batch, lanes, run.context.signal, async (row) => {
      if (!this.#goesOn(run)) return;
      // Before the tenant is touched, not after.
      if (csp.breakerState() === 'open') run.stop = 'breaker_open';
      else if (!run.window.take()) run.stop = 'deletion_cap';
      if (run.stop !== undefined) return;
      await this.#delete(row, run);
      tell(run);
      if (perSandboxDelaySeconds > 0) await this.#pause(perSandboxDelaySeconds, run.context.signal);
    });
  }

  async #delete(row: StoredSandbox, run: Run): Promise<void> {
    const { clock } = this.#parts;
    const options = {
      signal: run.context.signal,
      requestId: `${run.context.author.requestId}-${row.sandboxId}`,
    };
    const isAlone = this.#isLastAttempt(row) && run.signs.failsAlone(row.sandboxId, unixSeconds(clock));
    try {
      // Nothing else tells whether the provider is well. Asked before: the failure itself may open the breaker.
      if (isAlone && !(await this.#answers(run))) return run.window.giveBack();
      await this.#cleanTenant(row, options);
      tell(run);
      await this.#deleteAccount(row, run, options);
    } catch (error) {
      if (error instanceof CspError && NOT_DELETED.has(error.kind)) run.window.giveBack();
      if (run.context.signal.aborted) return;
      if (!(error instanceof CspError)) throw error;
      await this.#failed(row, error, run, isAlone);
      return;
    }
    run.signs.succeeded(row.sandboxId, unixSeconds(clock));
    // The account is gone, so this is written even if the run is being aborted: it is true whoever writes it.
    const { database, random } = this.#parts;
    const result = await transactPatiently(
      database,
      [
        removeWrite(database, row),
        ...tombstoneWrites(database, row, unixSeconds(clock)),
        eventWrite(database, row, 'delete', 'deleted', run.context.author, clock, random),
      ],
      this.#parts,
    );
    if (result.committed) run.deleted += 1;
    else run.overtaken += 1;
  }

  async #deleteAccount(row: StoredSandbox, run: Run, options: CallOptions): Promise<void> {
    const { csp } = this.#parts;
    if ((await csp.deleteAccount(row.externalId, options)) === 'deleted') return run.signs.carriedOut();
    if (run.listing === undefined) await this.#answers(run);
    // A row of the previous broker may lack the provider's id, or have an older one.
    const other = run.listing?.externalIds.get(row.sandboxId) ?? row.externalId;
    const isOther = other !== row.externalId;
    if (isOther && (await csp.deleteAccount(other, options)) === 'deleted') return run.signs.carriedOut();
    await this.#checkGone(row, run, options.requestId);
  }

  /** One listing that arrives whole tells that the address is the provider's. Failing to get it costs no row anything. */
  async #proveAddress(run: Run): Promise<void> {
    this.#addressProven ||= await this.#answers(run);
  }

  /**
   * An address that knows nothing answers 404 to every deletion, as if all were gone, and their accounts would be
   * left to nobody (I4). So what is said to be gone must not be listed any more, but for a few; and the listing must know
   * the pool.
   *
   * @throws CspError when it is not to be believed: the row is tried again later
   */
  async #checkGone(row: StoredSandbox, run: Run, requestId: string): Promise<void> {
    const { listing } = run;
    let reason = 'answered 404 for an account that may still be there';
    if (listing !== undefined && !(await this.#knowsPool(listing))) {
      run.stop ??= 'provider_unwell';
      reason += ', and its listing lacks much of the pool';
    } else if (listing !== undefined) {
      if (!listing.has(row) || run.signs.believesGoneAndListed()) return;
      reason = 'answered 404 for an account that it still lists';
    }
    throw new CspError({ kind: 'content', call: 'delete', status: 404, reason, requestId });
  }

  /**
   * A listing that is empty, or another tenant's, lacks what is available, too: one by which sync would stale nothing says
   * nothing of what is pending, either. Where nothing is available it is believed.
   */
  #knowsPool(listing: Listing): Promise<boolean> {
    listing.knowsPool ??= (async () => {
      for await (const rows of walkStatus(this.#parts, 'available')) {
        if (rows.length === 0) continue;
        const brake = staleBrake({
          rows: rows.length,
          listed: listing.externalIds.size,
          unreadable: 0,
          available: rows.length,
          missing: rows.filter((row) => !listing.has(row)).length,
          maxStalePercent: this.#options.maxStalePercent,
        });
        return brake === null;
      }
      return true;
    })();
    return listing.knowsPool;
  }

  /** Whether a listing arrives whole. It ends the run when it does not. */
  async #answers(run: Run): Promise<boolean> {
    try {
      const { accounts } = await this.#parts.csp.listSandboxes({ signal: run.context.signal });
      const externalIds = new Map(accounts.map((account) => [account.sandboxId, account.externalId]));
      const known = new Set(externalIds.values());
      run.listing = {
        externalIds,
        has: ({ sandboxId, externalId }) => known.has(externalId) || externalIds.has(sandboxId),
        knowsPool: undefined,
      };
      return true;
    } catch (error) {
      if (run.context.signal.aborted) return false;
      if (!(error instanceof CspError)) throw error;
      run.stop ??= stopFor(error) ?? 'provider_unwell';
      return false;
    }
  }

  #isLastAttempt(row: StoredSandbox): boolean {
    return row.deletionRetryCount + 1 >= this.#options.maxAttempts;
  }

  /** Nothing that goes wrong here blocks the deletion of the sandbox. */
  async #cleanTenant(row: StoredSandbox, options: CallOptions): Promise<void> {
    const { niosxaas, database, clock, logger, onNiosxaas } = this.#parts;
    const cleanup = await niosxaas.cleanUp(row.externalId, options);
    if (cleanup.outcome === 'disabled') return;
    onNiosxaas(cleanup);
    const { outcome, found, deleted, failed, error: reason } = cleanup;
    logger[outcome === 'failed' ? 'warn' : 'info'](
      {
        action: 'niosxaas_cleanup',
        outcome,
        request_id: options.requestId,
        track_id: row.allocatedToTrack,
        sandbox_id: row.sandboxId,
        result: { found, deleted, failed, reason: reason ?? null },
      },
      'niosxaas_cleanup',
    );
    try {
      await keepNiosxaasRecord(database, clock, row.sandboxId, cleanup);
    } catch (error) {
      logger.warn(
        { err: error, action: 'job_cleanup', sandbox_id: row.sandboxId },
        'what the NIOSXaaS step did was not recorded',
      );
    }
  }

  async #failed(row: StoredSandbox, error: CspError, run: Run, isAlone: boolean): Promise<void> {
    run.stop ??= stopFor(error);
    if (error.kind === 'breaker_open' || error.kind === 'rate_limited' || error.status === 401) return;
    const { database, shards, clock, random } = this.#parts;
    const { maxAttempts } = this.#options;
    const now = unixSeconds(clock);
    // Its last failure, if it had one, was what touched the row last.
    const previous = row.updatedAt;
    const isLast = this.#isLastAttempt(row);
    const isSign = error.kind !== 'unauthorized' && error.kind !== 'request';
    const othersGo = isSign && run.signs.failed(row.sandboxId, previous, isLast, now);
    const byItself = othersGo || (isAlone && run.signs.failsAlone(row.sandboxId, now));
    const decision = decideRetry(error, row.deletionRetryCount, maxAttempts, byItself, random);
    const writes = [
      failedDeletionWrite(database, shards, row, now, {
        attempts: decision.attempts,
        nextAttemptAt: now + decision.waitSeconds,
        reason: error.message,
        final: decision.final,
      }),
    ];
    if (decision.final) {
      const author = { ...run.context.author, reason: error.message };
      writes.push(eventWrite(database, row, 'give_up_deletion', 'deletion_failed', author, clock, random));
    }
    const result = await transactPatiently(database, writes, this.#parts);
    if (!result.committed) {
      run.overtaken += 1;
      return;
    }
    run.failed += 1;
    if (!decision.final) return;
    run.gaveUp += 1;
    run.signs.gaveUp(row.sandboxId);
  }

  async #pause(seconds: number, signal: AbortSignal): Promise<void> {
    if (seconds > 0) await this.#parts.clock.sleep(seconds * 1000, signal).catch(() => {});
  }
}

/** Errors that say nothing about a row and something about all of them. */
function stopFor(error: CspError): Stop | undefined {
  const { kind } = error;
  return kind === 'breaker_open' || kind === 'unauthorized' || kind === 'rate_limited' ? kind : undefined;
}

/** After each deletion, so that a run that dies is known to have got so far. */
function tell(run: Run): void {
  run.context.report(notesOf(run));
  run.context.remember({ ...run.window.memory, ...run.signs.memory });
}

function notesOf(run: Run): JobNotes {
  return {
    due: run.due,
    deleted: run.deleted,
    failed: run.failed,
    gave_up: run.gaveUp,
    overtaken: run.overtaken,
    stopped_by: run.stop ?? null,
  };
}
