import type { Logger } from 'pino';
import type { Clock, Random } from '../domain/clock.ts';
import type { SecretStore, SecretVersions } from './secret-store.ts';

export interface RotatingSecretParts {
  readonly store: SecretStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly refreshMs: number;
}

/** Each period is longer or shorter by up to this part, so that tasks do not ask all at once. */
const JITTER = 0.2;
/** Reloads on demand are at least so far apart, whoever asks. */
const ON_DEMAND_PAUSE_MS = 10_000;

/**
 * One secret of the store: read at the start, where a failure is final, and again from time to time, where a
 * failure changes nothing.
 *
 * @param Value what its versions are turned into
 */
export class RotatingSecret<Value> {
  readonly #secretId: string;
  readonly #interpret: (versions: SecretVersions) => Value;
  readonly #parts: RotatingSecretParts;
  #value: { readonly is: Value } | undefined;
  #reloading: Promise<void> | undefined;
  #lastReload = Number.NEGATIVE_INFINITY;
  #cancelTimer: () => void = () => {};
  #closed = false;

  constructor(secretId: string, interpret: (versions: SecretVersions) => Value, parts: RotatingSecretParts) {
    this.#secretId = secretId;
    this.#interpret = interpret;
    this.#parts = parts;
  }

  /** Reads it for the first time, and begins to read it again and again. @throws Error that names the secret */
  async start(): Promise<void> {
    try {
      await this.#load();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`The secret ${this.#secretId} cannot be used: ${reason}`, { cause: error });
    }
    this.#schedule();
  }

  get value(): Value {
    if (this.#value === undefined) throw new Error(`The secret ${this.#secretId} has not been read yet`);
    return this.#value.is;
  }

  /**
   * Reads it again now, because something unknown arrived that it may know by now. Rarely does anything: tokens
   * that are guessed must not become calls. Never rejects.
   */
  async reloadOnDemand(): Promise<void> {
    const isEarly = this.#parts.clock.monotonic() - this.#lastReload < ON_DEMAND_PAUSE_MS;
    if (this.#reloading === undefined && isEarly) return;
    await this.#reload();
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer();
  }

  #schedule(): void {
    if (this.#closed) return;
    const { clock, random, refreshMs } = this.#parts;
    this.#cancelTimer = clock.after(refreshMs * (1 - JITTER + 2 * JITTER * random()), () => {
      void this.#reload().finally(() => this.#schedule());
    });
  }

  /** One at a time, so that an answer that was long under way never replaces a later one. */
  #reload(): Promise<void> {
    this.#reloading ??= this.#tryLoad().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  /** Keeps what is known when it fails. */
  async #tryLoad(): Promise<void> {
    try {
      await this.#load();
    } catch (error) {
      this.#parts.logger.warn(
        { err: error, action: 'reload_secret', outcome: 'error', secret: this.#secretId },
        'a secret could not be read again; the one that is known stays in use',
      );
    }
  }

  async #load(): Promise<void> {
    this.#lastReload = this.#parts.clock.monotonic();
    this.#value = { is: this.#interpret(await this.#parts.store.read(this.#secretId)) };
  }
}
