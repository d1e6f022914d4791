import type { Item } from '../dynamodb/attribute-values.ts';
import type { SimulatedProvider } from '../world/provider.ts';
import type { ToldMove } from './row-moves.ts';
import { numberOf } from './rows.ts';

export interface MoveWitnessParts {
  readonly provider: SimulatedProvider;
  /** The true time. Unix milliseconds. */
  readonly now: () => number;
  /** Milliseconds since the world began, by which the provider counts. */
  readonly elapsed: () => number;
  /** By how much two clocks may disagree. Milliseconds. */
  readonly clocksDisagreeMs: number;
  readonly gracePeriodMs: number;
  /** Sandboxes whose release somebody asked for. */
  readonly releaseAsked: ReadonlySet<string>;
  /** Runs of sync that an operator forced past its brakes. */
  readonly forcedRuns: ReadonlySet<string>;
}

/** An outage of this length is one that no run can have begun before. Milliseconds. */
const LONG_OUTAGE_MS = 5 * 60_000;

export type Finding = { readonly invariant: string; readonly text: string } | undefined;

/** Holds moves against the world outside the table: the time, the provider, and what people asked for. */
export class MoveWitness {
  readonly #parts: MoveWitnessParts;

  constructor(parts: MoveWitnessParts) {
    this.#parts = parts;
  }

  judge(sandboxId: string, { move, requestId }: ToldMove, before: Item): Finding {
    switch (move) {
      case 'expire':
        return this.#expired(sandboxId, before);
      case 'release':
        return this.#parts.releaseAsked.has(sandboxId)
          ? undefined
          : { invariant: 'I5', text: `sandbox ${sandboxId} was released, and nobody asked for it` };
      case 'mark_stale':
        return this.#staled(sandboxId, requestId);
      case 'delete':
        return this.#deleted(sandboxId, before);
      case 'give_up_deletion':
        return this.#gaveUp(sandboxId);
      default:
        return undefined;
    }
  }

  #expired(sandboxId: string, before: Item): Finding {
    const { now, clocksDisagreeMs, gracePeriodMs } = this.#parts;
    const seconds = numberOf(before, 'allocated_at') + numberOf(before, 'lab_duration_hours') * 3_600;
    const early = Math.floor(seconds) * 1_000 + gracePeriodMs - clocksDisagreeMs - now();
    return early <= 0
      ? undefined
      : { invariant: 'I5', text: `sandbox ${sandboxId} was expired ${Math.round(early / 1000)} s too early` };
  }

  #staled(sandboxId: string, runId = ''): Finding {
    const { provider, forcedRuns } = this.#parts;
    const listing = provider.listings.get(runId);
    if (listing === undefined)
      return { invariant: 'I9', text: `sandbox ${sandboxId} went stale without a listing` };
    if (listing.has(sandboxId))
      return { invariant: 'I9', text: `sandbox ${sandboxId} went stale, and the listing has it` };
    if (listing.size === 0 && !forcedRuns.has(runId))
      return { invariant: 'I9', text: `sandbox ${sandboxId} went stale by an empty listing` };
    return undefined;
  }

  #deleted(sandboxId: string, before: Item): Finding {
    const account = this.#parts.provider.accounts.get(before.external_id?.S ?? sandboxId);
    return account === undefined || account.gone
      ? undefined
      : {
          invariant: 'I4',
          text: `the row of sandbox ${sandboxId} went, and the provider still has the account`,
        };
  }

  #gaveUp(sandboxId: string): Finding {
    const { downSince } = this.#parts.provider;
    if (downSince === undefined || this.#parts.elapsed() - downSince < LONG_OUTAGE_MS) return undefined;
    return { invariant: 'I9', text: `the deletion of sandbox ${sandboxId} was given up during an outage` };
  }
}
