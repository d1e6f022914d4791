import type { Clock, Random } from '../../domain/clock.ts';
import type { SimulatorSettings } from './settings.ts';

/** A row of the listing, in the provider's shape. */
export interface SimulatedAccount {
  readonly id: string;
  readonly csp_id: number;
  readonly name: string;
  readonly account_type: string;
  readonly state: string;
  readonly created_at: string;
  readonly sfdc_account_id: string;
}

export interface SimulatedService {
  readonly id: string;
  readonly name: string;
}

export interface NewAccounts {
  readonly count: number;
  /** Names are the prefix and a number of four digits or more. */
  readonly namePrefix?: string | undefined;
  /** The whole name, where one account is made. */
  readonly name?: string | undefined;
  readonly accountType?: string | undefined;
  readonly state?: string | undefined;
  /** Names of universal services that each tenant holds. */
  readonly services?: readonly string[] | undefined;
}

interface Lingering {
  readonly account: SimulatedAccount;
  /** Monotonic milliseconds. */
  readonly until: number;
  /** Listings that still show it. */
  listings: number;
  /** Whether the listing that began last shows it, so that its pages agree. */
  shown: boolean;
}

const FIRST_CSP_ID = 2_009_001;

/** The tenant's accounts, and the deleted ones that it still lists. */
export class SimulatedAccounts {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #settings: () => SimulatorSettings;
  /** By the last segment of the id. */
  readonly #accounts = new Map<string, SimulatedAccount>();
  readonly #lingering = new Map<string, Lingering>();
  readonly #services = new Map<string, SimulatedService[]>();
  #made = 0;

  constructor(clock: Clock, random: Random, settings: () => SimulatorSettings) {
    this.#clock = clock;
    this.#random = random;
    this.#settings = settings;
  }

  /** Puts in accounts as they are, such as those of an earlier run. */
  add(accounts: Iterable<SimulatedAccount>): void {
    for (const account of accounts) {
      this.#accounts.set(lastSegment(account.id), account);
      // Ids that are made later must not repeat one of these.
      this.#made = Math.max(this.#made, account.csp_id - FIRST_CSP_ID + 1);
    }
  }

  create(wanted: NewAccounts): SimulatedAccount[] {
    return Array.from({ length: wanted.count }, () => {
      const number = this.#made++;
      const uuid = this.#uuid();
      const account: SimulatedAccount = {
        id: `identity/accounts/${uuid}`,
        csp_id: FIRST_CSP_ID + number,
        name: wanted.name ?? `${wanted.namePrefix ?? 'lab-adventure-'}${String(number + 1).padStart(4, '0')}`,
        account_type: wanted.accountType ?? 'sandbox',
        state: wanted.state ?? 'active',
        created_at: new Date(this.#clock.now()).toISOString(),
        sfdc_account_id: `001SAND${String(number + 1).padStart(8, '0')}`,
      };
      this.#accounts.set(uuid, account);
      for (const name of wanted.services ?? []) this.addService(uuid, name);
      return account;
    });
  }

  /** Those that exist, whether or not a listing shows them. */
  all(): SimulatedAccount[] {
    return [...this.#accounts.values()];
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** @param key id, its last segment, csp_id or name */
  find(key: string): SimulatedAccount | undefined {
    return (
      this.#accounts.get(lastSegment(key)) ??
      this.all().find((account) => account.name === key || String(account.csp_id) === key)
    );
  }

  /**
   * What a listing shows now: the accounts, and the deleted ones that linger.
   *
   * @param beginning whether a listing begins; further pages of one show the same and use nothing up
   */
  listed(beginning: boolean): SimulatedAccount[] {
    const now = this.#clock.monotonic();
    const rows = this.all();
    for (const [key, lingering] of this.#lingering) {
      if (beginning) {
        lingering.shown = lingering.listings > 0 || lingering.until > now;
        lingering.listings -= 1;
        if (!lingering.shown) this.#lingering.delete(key);
      }
      if (lingering.shown) rows.push(lingering.account);
    }
    return rows;
  }

  /** As the provider's own delete does it. @returns whether there was such an account */
  delete(key: string): boolean {
    const account = this.#accounts.get(lastSegment(key));
    if (account === undefined) return false;
    this.#accounts.delete(lastSegment(key));
    this.#services.delete(lastSegment(key));
    const { linger_seconds, linger_listings } = this.#settings();
    if (linger_seconds > 0 || linger_listings > 0) {
      this.#lingering.set(lastSegment(key), {
        account,
        until: this.#clock.monotonic() + linger_seconds * 1000,
        listings: linger_listings,
        shown: true,
      });
    }
    return true;
  }

  /** Takes an account out at once, as an outsider with access to the tenant may. */
  remove(key: string): boolean {
    const account = this.find(key);
    if (account === undefined) return false;
    this.#services.delete(lastSegment(account.id));
    return this.#accounts.delete(lastSegment(account.id));
  }

  clear(): void {
    this.#accounts.clear();
    this.#lingering.clear();
    this.#services.clear();
  }

  addService(accountKey: string, name: string): SimulatedService {
    const service = { id: `infra/universal_service/${this.#uuid()}`, name };
    const services = this.services(accountKey);
    this.#services.set(lastSegment(accountKey), [...services, service]);
    return service;
  }

  services(accountKey: string): readonly SimulatedService[] {
    return this.#services.get(lastSegment(accountKey)) ?? [];
  }

  deleteService(accountKey: string, serviceKey: string): boolean {
    const services = this.services(accountKey);
    const left = services.filter((service) => lastSegment(service.id) !== serviceKey);
    this.#services.set(lastSegment(accountKey), left);
    return left.length < services.length;
  }

  /** From the seed, so that a run can be repeated to the letter. */
  #uuid(): string {
    const digits = Array.from({ length: 32 }, () => Math.floor(this.#random() * 16).toString(16)).join('');
    return [8, 12, 16, 20, 32].map((end, part, ends) => digits.slice(ends[part - 1] ?? 0, end)).join('-');
  }
}

export function lastSegment(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}
