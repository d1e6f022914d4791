import { keyOfRow, type RowSeen, type Snapshot } from './snapshot.ts';

export interface ModelSandbox extends RowSeen {
  /** When it last became available; model seconds. */
  readonly availableSince: number;
}

/** Seconds for which an empty pool may be remembered at most. */
const EMPTY_POOL_MEMORY = 1;
/** So few may always go stale, whatever part of the pool they are. */
const ALWAYS_MAY_STALE = 5;

/** Short waits that may pass while a broker does something. Seconds. */
const WAITS_ON_THE_WAY = 5;
/** Fields that a broker writes the time into. */
const TIMES: readonly string[] = ['deletionRequestedAt', 'staleSince'];

/** What the model's installation is configured with. */
export const LAB_HOURS = 4;
export const GRACE_MINUTES = 30;
export const STALE_HOURS = 24;
export const MAX_ATTEMPTS = 3;
export const MAX_STALE_PERCENT = 20;

/** The model expected something else. */
export class UnexpectedError extends Error {
  override readonly name = 'UnexpectedError';
}

export function expectThat(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new UnexpectedError(otherwise);
}

/**
 * The pool as a plain map: what every caller, job and operator does to it, one at a time, as the contract says it.
 * Where the broker may choose (which sandbox, how long a wait), the model takes over the choice once it has seen
 * that it is one of those allowed.
 */
export class PoolModel {
  readonly rows = new Map<string, ModelSandbox>();
  readonly tombstones = new Set<string>();
  /** Allocations whose rows are gone: whose they were, and since when they are over, where that was seen. */
  readonly endings = new Map<string, { track: string; at: number | undefined }>();
  /** Rows that operators removed: their accounts are not the broker's to delete any more. */
  readonly letGo = new Set<string>();

  /** The sandbox that a claim key holds. */
  heldBy(key: string): ModelSandbox | undefined {
    return [...this.rows.values()].find((row) => row.status === 'allocated' && keyOfRow(row) === key);
  }

  /** Who holds a sandbox, or held it last. */
  trackOf(sandboxId: string): string | null | undefined {
    return (this.rows.get(sandboxId) ?? this.endings.get(sandboxId))?.track;
  }

  /** Those that an allocation may take, and those of them that it must not overlook. */
  candidates(namePrefix: string, now: number): { all: Set<string>; certain: Set<string> } {
    const all = [...this.rows.values()].filter(
      (row) => row.status === 'available' && row.name.startsWith(namePrefix),
    );
    const certain = all.filter((row) => row.availableSince <= now - EMPTY_POOL_MEMORY);
    return { all: idsOf(all), certain: idsOf(certain) };
  }

  change(sandboxId: string, changes: Partial<ModelSandbox>): void {
    const row = this.rows.get(sandboxId);
    if (row === undefined) throw new Error(`The model has no sandbox ${sandboxId}`);
    this.rows.set(sandboxId, { ...row, ...changes });
  }

  becomeAvailable(sandboxId: string, now: number, changes: Partial<ModelSandbox> = {}): void {
    this.change(sandboxId, { ...changes, status: 'available', staleSince: 0, availableSince: now });
  }

  add(sandbox: { sandboxId: string; name: string; externalId: string }, now: number): void {
    this.rows.set(sandbox.sandboxId, {
      ...sandbox,
      status: 'available',
      track: null,
      idempotencyKey: null,
      allocatedAt: 0,
      labDurationHours: null,
      lab: null,
      deletionRequestedAt: 0,
      attempts: 0,
      nextAttemptAt: 0,
      staleSince: 0,
      availableSince: now,
    });
  }

  end(sandboxId: string, now: number): void {
    this.change(sandboxId, { status: 'pending_deletion', deletionRequestedAt: now, attempts: 0 });
  }

  remove(sandboxId: string): void {
    this.#bury(this.rows.get(sandboxId));
    this.rows.delete(sandboxId);
    this.tombstones.add(sandboxId);
  }

  /** An operator took it out of the pool: its account stays. */
  letGoOf(sandboxId: string): void {
    this.remove(sandboxId);
    this.letGo.add(sandboxId);
  }

  of(...statuses: readonly string[]): ModelSandbox[] {
    return [...this.rows.values()].filter(({ status }) => statuses.includes(status));
  }

  /** Whose lab and grace time are over. @param now in the eyes of whoever looks */
  expired(now: number): ModelSandbox[] {
    return this.of('allocated').filter(
      (row) => row.allocatedAt + (row.labDurationHours ?? LAB_HOURS) * 3600 + GRACE_MINUTES * 60 < now,
    );
  }

  /** Whether a listing may be believed about those that it lacks (I9). */
  believes(listed: number, missing: number, available: number): boolean {
    if (listed === 0) return false;
    return missing <= ALWAYS_MAY_STALE || missing * 100 <= available * MAX_STALE_PERCENT;
  }

  /** Whether a listing knows the pool: one that does not says nothing of what is to be deleted, either. */
  knowsPool(listed: readonly string[]): boolean {
    const available = this.of('available');
    const missing = available.filter(({ sandboxId }) => !listed.includes(sandboxId));
    return available.length === 0 || this.believes(listed.length, missing.length, available.length);
  }

  /** Takes over the table as it is, after something whose outcome nobody can tell beforehand. */
  takeOver(seen: Snapshot, now: number): void {
    const before = new Map(this.rows);
    this.rows.clear();
    for (const row of seen.rows.values()) {
      const was = before.get(row.sandboxId);
      // Under another name it is a newcomer to whoever asks by prefix.
      const stayed = was?.status === 'available' && was.name === row.name;
      const availableSince = stayed ? was.availableSince : now;
      this.rows.set(row.sandboxId, { ...row, availableSince });
    }
    for (const row of before.values()) if (!this.rows.has(row.sandboxId)) this.#bury(row);
    for (const sandboxId of seen.tombstones) this.tombstones.add(sandboxId);
  }

  #bury(row: ModelSandbox | undefined): void {
    if (row?.track == null) return;
    const at = row.status === 'allocated' ? undefined : row.deletionRequestedAt;
    this.endings.set(row.sandboxId, { track: row.track, at });
  }

  /** Everything in which the table is not as the model. */
  differences(seen: Snapshot): string[] {
    const wrong: string[] = [];
    for (const sandboxId of new Set([...this.rows.keys(), ...seen.rows.keys()])) {
      const expected = this.rows.get(sandboxId);
      const found = seen.rows.get(sandboxId);
      if (expected === undefined || found === undefined) {
        wrong.push(
          `sandbox ${sandboxId} should be ${expected?.status ?? 'gone'} and is ${found?.status ?? 'gone'}`,
        );
        continue;
      }
      for (const field of Object.keys(found) as (keyof RowSeen)[]) {
        // Jittered: whoever makes it checks its bounds.
        if (field === 'nextAttemptAt' || expected[field] === found[field]) continue;
        const late = Number(found[field]) - Number(expected[field]);
        if (TIMES.includes(field) && Number(expected[field]) > 0 && late >= 0 && late <= WAITS_ON_THE_WAY)
          continue;
        wrong.push(`${field} of sandbox ${sandboxId} should be ${expected[field]} and is ${found[field]}`);
      }
    }
    for (const sandboxId of this.tombstones) {
      if (!seen.tombstones.has(sandboxId)) wrong.push(`sandbox ${sandboxId} should have a tombstone`);
    }
    for (const sandboxId of seen.tombstones) {
      if (!this.tombstones.has(sandboxId)) wrong.push(`sandbox ${sandboxId} should have no tombstone`);
    }
    return wrong;
  }
}

function idsOf(rows: readonly ModelSandbox[]): Set<string> {
  return new Set(rows.map(({ sandboxId }) => sandboxId));
}
