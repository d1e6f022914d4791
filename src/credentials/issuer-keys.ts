import { type PenaltyBox, SimpleJwksCache } from 'aws-jwt-verify/jwk';
import type { Logger } from 'pino';
import { request } from 'undici';
import type { Clock, Random } from '../domain/clock.ts';

export interface IssuerKeysParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Milliseconds for one fetch, from its beginning to its end. */
  readonly timeoutMs: number;
}

/** A document of keys has a few of them. */
const KEYS_MAX_BYTES = 64 * 1024;
/** A key that the issuer has withdrawn is good no longer than this, about. */
const REFRESH_MS = 15 * 60_000;
/** Each period is longer or shorter by up to this part, so that tasks do not ask all at once. */
const JITTER = 0.2;
/** After a token that named a key which there is not: whoever invents names must not become as many fetches. */
const UNKNOWN_KEY_PAUSE_MS = 10_000;
/** After a fetch that failed: short, as tokens may be refused for no fault of theirs. */
const FAILED_FETCH_PAUSE_MS = 1_000;

/** The public keys of an issuer: fetched from time to time, and when a token names one that is not known. */
export class IssuerKeys extends SimpleJwksCache {
  readonly #url: string;
  readonly #parts: IssuerKeysParts;
  readonly #pause: FetchPause;
  #cancelTimer: () => void = () => {};
  #closed = false;

  constructor(url: string, parts: IssuerKeysParts) {
    const pause = new FetchPause(parts.clock);
    super({ fetcher: { fetch: (from) => fetchKeys(from, parts.timeoutMs) }, penaltyBox: pause });
    this.#url = url;
    this.#parts = parts;
    this.#pause = pause;
  }

  /** Fetches them, and again and again. Waits for nothing: an issuer that is down stops no start. */
  start(): void {
    void this.#refresh();
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer();
  }

  /** Those that are known stay when it fails. */
  override async getJwks(url: string): ReturnType<SimpleJwksCache['getJwks']> {
    try {
      return await super.getJwks(url);
    } catch (error) {
      this.#pause.begin(FAILED_FETCH_PAUSE_MS);
      throw error;
    }
  }

  async #refresh(): Promise<void> {
    const { clock, random, logger } = this.#parts;
    await this.getJwks(this.#url).catch((error: unknown) =>
      logger.warn(
        { err: error, action: 'reload_keys', outcome: 'error' },
        'the keys of the issuer could not be fetched; those that are known stay in use',
      ),
    );
    if (this.#closed) return;
    this.#cancelTimer = clock.after(REFRESH_MS * (1 - JITTER + 2 * JITTER * random()), () => {
      void this.#refresh();
    });
  }
}

/** Says when tokens may have keys fetched again. */
class FetchPause implements PenaltyBox {
  readonly #clock: Clock;
  #end = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param milliseconds from now on */
  begin(milliseconds: number): void {
    this.#end = this.#clock.monotonic() + milliseconds;
  }

  async wait(): Promise<void> {
    if (this.#clock.monotonic() < this.#end) throw new Error('The keys were asked for a moment ago');
  }

  registerFailedAttempt(): void {
    this.begin(UNKNOWN_KEY_PAUSE_MS);
  }

  registerSuccessfulAttempt(): void {
    this.#end = Number.NEGATIVE_INFINITY;
  }
}

async function fetchKeys(url: string, timeoutMs: number): Promise<ArrayBuffer> {
  const { statusCode, body } = await request(url, {
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (statusCode !== 200) {
    await body.dump({ limit: KEYS_MAX_BYTES });
    throw new Error(`The keys were answered with ${statusCode}`);
  }
  const document = new Uint8Array(KEYS_MAX_BYTES);
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (size + chunk.length > KEYS_MAX_BYTES) throw new Error('The document of keys is too large');
    document.set(chunk, size);
    size += chunk.length;
  }
  return document.buffer.slice(0, size);
}
