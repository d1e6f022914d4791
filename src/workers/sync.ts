import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { CspAccount } from '../csp/csp-account.ts';
import type { CspClient } from '../csp/csp-client.ts';
import { type Clock, type Random, unixSeconds } from '../domain/clock.ts';
import { type Move, type SandboxStatus, wasHeld } from '../domain/sandbox.ts';
import { eventWrite } from '../store/audit.ts';
import type { Database } from '../store/database.ts';
import { moveWrite, type Values } from '../store/move-writes.ts';
import type { PoolReader } from '../store/pool-reader.ts';
import type { StoredSandbox } from '../store/sandbox-row.ts';
import type { StatusShards } from '../store/status-shards.ts';
import { walkStatus } from '../store/status-walk.ts';
import { additionWrites, FIRST_TOMBSTONE_CHECK, renameWrite } from '../store/sync-writes.ts';
import { keepTombstone } from '../store/tombstones.ts';
import { CONDITION_FAILED, type Transacted, transactPatiently } from '../store/transact.ts';
import { inLanes } from './in-lanes.ts';
import type { Job, JobContext, JobResult } from './job.ts';
import { matchListing } from './listing-match.ts';
import { staleBrake } from './stale-brake.ts';

export interface SyncParts {
  readonly database: Database;
  readonly shards: StatusShards;
  readonly reader: PoolReader;
  readonly csp: CspClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly intervalSeconds: number;
  /** A listing that lacks more than this part of the available rows stales none of them. Percent. */
  readonly maxStalePercent: number;
}

/** Whose accounts may be gone already. */
const LEAVING: readonly SandboxStatus[] = ['pending_deletion', 'deletion_failed'];
/** Writes under way at once. */
const LANES = 16;

interface Counts {
  added: number;
  updated: number;
  restored: number;
  markedStale: number;
  /** Listed accounts that were used or removed before, and stay out. */
  buried: number;
  /** Rows that somebody else moved between the reading and the writing. */
  overtaken: number;
}

/**
 * Brings the pool into line with the provider's listing. It touches only rows that are available or stale, each
 * on the condition that it still is: what is allocated or on its way to deletion is none of its business (I5).
 */
export class SyncJob implements Job {
  readonly name = 'sync';
  readonly intervalSeconds: number;
  readonly #parts: SyncParts;

  constructor(parts: SyncParts) {
    this.#parts = parts;
    this.intervalSeconds = parts.intervalSeconds;
  }

  async run(context: JobContext): Promise<JobResult> {
    // The pool first: a row that comes in between the two readings must not look as if it were not listed.
    const pool = await this.#readPool();
    const listing = await this.#parts.csp.listSandboxes({
      signal: context.signal,
      requestId: context.author.requestId,
    });
    const { accounts, unreadable } = matchListing(listing, pool);
    const counts: Counts = { added: 0, updated: 0, restored: 0, markedStale: 0, buried: 0, overtaken: 0 };
    const progress = () => context.report({ listed: accounts.length, ...presented(counts) });

    await inLanes(accounts, LANES, context.signal, async ({ account, row }) => {
      await this.#takeIn(account, row, context, counts);
      progress();
    });

    const listed = new Set(accounts.map(({ account, row }) => row?.sandboxId ?? account.sandboxId));
    const rows = [...pool.values()];
    const available = rows.filter((row) => row.status === 'available');
    const missing = available.filter((row) => !listed.has(row.sandboxId));
    const brake =
      context.input.force === true
        ? null
        : staleBrake({
            rows: rows.filter(({ status }) => !LEAVING.includes(status)).length,
            listed: accounts.length,
            unreadable,
            available: available.length,
            missing: missing.length,
            maxStalePercent: this.#parts.maxStalePercent,
          });
    if (brake === null) {
      await inLanes(missing, LANES, context.signal, async (row) => {
        await this.#markStale(row, context, counts);
        progress();
      });
    }
    return {
      outcome: brake === null ? 'success' : 'braked',
      notes: {
        synced: accounts.length,
        ...presented(counts),
        unreadable,
        would_stale: missing.length,
        brake,
      },
    };
  }

  async #readPool(): Promise<Map<string, StoredSandbox>> {
    const pool = new Map<string, StoredSandbox>();
    // What is allocated, pending or failed is read too: it is in the pool, so it is not to be added.
    for (const status of [
      'available',
      'stale',
      'allocated',
      'pending_deletion',
      'deletion_failed',
      'quarantined',
    ] as const) {
      for await (const rows of walkStatus(this.#parts, status)) {
        for (const row of rows) pool.set(row.sandboxId, row);
      }
    }
    return pool;
  }

  async #takeIn(
    account: CspAccount,
    row: StoredSandbox | undefined,
    context: JobContext,
    counts: Counts,
  ): Promise<void> {
    const { database, shards, clock, random } = this.#parts;
    const now = unixSeconds(clock);
    if (row === undefined) {
      const result = await this.#transact(additionWrites(this.#parts, account, context.author));
      if (result.committed) {
        counts.added += 1;
        return;
      }
      const tombstones = result.reasons
        .slice(FIRST_TOMBSTONE_CHECK)
        .filter(({ code }) => code === CONDITION_FAILED);
      if (tombstones.length > 0) counts.buried += 1;
      else counts.overtaken += 1;
      for (const { item } of tombstones) if (item !== undefined) await keepTombstone(database, item, now);
      return;
    }
    if (row.status === 'stale') {
      // The previous broker's sync made rows stale that somebody held: the job that removes stale rows sees to them.
      if (wasHeld(row)) {
        counts.buried += 1;
        return;
      }
      const back: Values = {
        name: { S: account.name },
        external_id: { S: account.externalId },
        last_synced: { N: String(now) },
      };
      const restored = await this.#write([
        moveWrite(database, shards, row, 'available', now, back, ['stale_since']),
        eventWrite(database, row, 'listed_again' satisfies Move, 'available', context.author, clock, random),
      ]);
      if (restored) counts.restored += 1;
      else counts.overtaken += 1;
      return;
    }
    if (row.status === 'available' && differs(row, account)) {
      if (await this.#write([renameWrite(database, row, account, now)])) counts.updated += 1;
      else counts.overtaken += 1;
    }
  }

  async #markStale(row: StoredSandbox, context: JobContext, counts: Counts): Promise<void> {
    const { database, shards, clock, random } = this.#parts;
    const now = unixSeconds(clock);
    const staled = await this.#write([
      moveWrite(database, shards, row, 'stale', now, { stale_since: { N: String(now) } }),
      eventWrite(database, row, 'mark_stale', 'stale', context.author, clock, random),
    ]);
    if (staled) counts.markedStale += 1;
    else counts.overtaken += 1;
  }

  async #write(writes: TransactWriteItem[]): Promise<boolean> {
    return (await this.#transact(writes)).committed;
  }

  #transact(writes: TransactWriteItem[]): Promise<Transacted> {
    return transactPatiently(this.#parts.database, writes, this.#parts);
  }
}

function differs(row: StoredSandbox, account: CspAccount): boolean {
  return (
    row.name !== account.name ||
    row.externalId !== account.externalId ||
    (account.sfdcAccountId !== null && row.sfdcAccountId !== account.sfdcAccountId)
  );
}

function presented(counts: Counts) {
  return {
    added: counts.added,
    updated: counts.updated,
    restored: counts.restored,
    marked_stale: counts.markedStale,
    used_before: counts.buried,
    overtaken: counts.overtaken,
  };
}
