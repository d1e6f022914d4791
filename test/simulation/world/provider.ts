import type { FaultSource } from './fault-board.ts';
import type { ProviderFault } from './provider-faults.ts';
import type { Randomness } from './randomness.ts';
import type { Timeline } from './schedule.ts';
import type { Story } from './story.ts';

export interface Account {
  readonly id: string;
  readonly cspId: number;
  name: string;
  /** Deleted, by us or behind our back. */
  gone: boolean;
  /** Until when it is listed all the same. */
  listedUntil: number;
  /** Every deletion of it fails. */
  readonly stuck: boolean;
}

export interface ProviderRequest {
  readonly method: string;
  readonly path: string;
  readonly requestId: string;
}

/** Undefined: no answer ever comes. */
export type ProviderAnswer =
  | { readonly status: number; readonly headers: Record<string, string>; readonly body: string }
  | 'reset'
  | undefined;

const JSON_TYPE = { 'content-type': 'application/json' };

/** How long a deleted account may still be listed. Milliseconds. */
const LISTED_AFTER_DELETION_MS = [100, 600_000] as const;

/** The tenant that owns the sandboxes, as it was seen to behave. */
export class SimulatedProvider {
  readonly accounts = new Map<string, Account>();
  /** The sandboxes that were listed to each run of sync, by its request id. */
  readonly listings = new Map<string, ReadonlySet<string>>();
  /** Since when it answers nothing but errors. Milliseconds. */
  downSince: number | undefined;
  readonly #schedule: Timeline;
  readonly #random: Randomness;
  readonly #faults: FaultSource<ProviderFault>;
  readonly #story: Story;

  constructor(schedule: Timeline, random: Randomness, faults: FaultSource<ProviderFault>, story: Story) {
    this.#schedule = schedule;
    this.#random = random;
    this.#faults = faults;
    this.#story = story;
  }

  addAccount(cspId: number, name: string, stuck: boolean): Account {
    const id = `identity/accounts/account-${cspId}`;
    const account: Account = { id, cspId, name, gone: false, listedUntil: Number.POSITIVE_INFINITY, stuck };
    this.accounts.set(id, account);
    return account;
  }

  /** An account disappears, for a while at least, without anyone having asked for it. */
  hide(account: Account): void {
    account.listedUntil = this.#schedule.now;
  }

  showAgain(account: Account): void {
    if (!account.gone) account.listedUntil = Number.POSITIVE_INFINITY;
  }

  answer(request: ProviderRequest): ProviderAnswer {
    const fault = this.#faults.draw();
    if (this.#story.told) {
      const words = `${request.method} ${request.path}${this.downSince !== undefined ? '  [down]' : fault === undefined ? '' : `  [${fault}]`}`;
      this.#story.tell('provider', words);
    }
    if (this.downSince !== undefined) return this.#random.chance(0.5) ? failure(503, 'unavailable') : 'reset';
    switch (fault) {
      case 'error':
        return failure(500, 'unable to get licenses');
      case 'rate-limited':
        return this.#random.chance(0.5)
          ? { ...failure(429, 'slow down'), headers: { ...JSON_TYPE, 'retry-after': '20' } }
          : failure(429, 'slow down');
      case 'maintenance-page':
        return {
          status: 200,
          headers: { 'content-type': 'text/html' },
          body: '<html>We are back soon</html>',
        };
      case 'hanging':
        return undefined;
      case 'reset':
        return 'reset';
      default: {
        const answer = request.method === 'GET' ? this.#list(request, fault) : this.#delete(request);
        if (fault === 'answer-lost') return undefined;
        if (fault === 'error-after') return failure(500, 'something went wrong at the end');
        return answer;
      }
    }
  }

  #list(request: ProviderRequest, fault: ProviderFault | undefined): ProviderAnswer {
    const shown = [...this.accounts.values()].filter(
      (account) =>
        account.listedUntil > this.#schedule.now &&
        fault !== 'empty-listing' &&
        (fault !== 'short-listing' || this.#random.chance(0.5)),
    );
    this.listings.set(request.requestId, new Set(shown.map(({ cspId }) => String(cspId))));
    const results = shown.map(({ id, cspId, name }) => ({
      id,
      csp_id: cspId,
      name,
      account_type: 'sandbox',
      state: 'active',
    }));
    return { status: 200, headers: JSON_TYPE, body: JSON.stringify({ results }) };
  }

  #delete(request: ProviderRequest): ProviderAnswer {
    const account = this.accounts.get(`identity/accounts/${request.path.split('/').at(-1)}`);
    if (account === undefined || account.gone) return failure(404, 'not found');
    if (account.stuck) return failure(500, 'unable to get licenses');
    account.gone = true;
    if (account.listedUntil > this.#schedule.now)
      account.listedUntil = this.#schedule.now + this.#random.spread(...LISTED_AFTER_DELETION_MS);
    return { status: 204, headers: {}, body: '' };
  }
}

function failure(status: number, message: string) {
  return { status, headers: JSON_TYPE, body: JSON.stringify({ error: [{ message }] }) };
}
