import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setImmediate as nextTurn, setTimeout as realTime } from 'node:timers/promises';
// Loaded now: a broker loads it with its first call, and while it does nobody has a call under way.
import 'undici';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/domain/clock.ts';
import type { CspSimulator } from '../../src/local/csp-simulator.ts';
import type { Database } from '../../src/store/database.ts';
import { ManualClock } from './manual-clock.ts';
import { tapDatabase } from './tapped-database.ts';

/** Turns of the event loop with nothing under way after which nothing is about to begin, either. */
const QUIET_TURNS = 6;
/** Timers served while one thing is awaited, at most: something waits for what the clock does not bring. */
const MAX_TIMERS = 200_000;
/** How long a request may be on its way when nobody waits on the clock, in milliseconds. */
const MAX_TRANSIT_MS = 15_000;

interface UndiciRequest {
  readonly origin: string;
  readonly path: string;
}

/**
 * Simulated time over a real database and a real provider: the clock moves on only when neither has a call under
 * way, so hours pass in a second and no time-out strikes because a machine was slow.
 */
export class DrivenTime {
  readonly clock = new ManualClock();
  readonly #provider = new Set<UndiciRequest>();
  #calls = 0;
  #sleeping = 0;
  #simulator: CspSimulator | undefined;

  /** Calls that go through the result are waited for. */
  watchDatabase(database: Database): Database {
    return tapDatabase(database, async (_call, next) => {
      this.#calls += 1;
      try {
        return await next();
      } finally {
        this.#calls -= 1;
      }
    });
  }

  /** For the simulator: while one of its answers waits on this clock, it is the clock that is to move. */
  readonly providerClock: Clock = {
    now: () => this.clock.now(),
    monotonic: () => this.clock.monotonic(),
    after: (milliseconds, callback) => this.clock.after(milliseconds, callback),
    sleep: async (milliseconds, signal) => {
      this.#sleeping += 1;
      try {
        await this.clock.sleep(milliseconds, signal);
      } finally {
        this.#sleeping -= 1;
      }
    },
  };

  /** Requests to this provider are waited for, until the end of the test. */
  watchProvider(simulator: CspSimulator): void {
    this.#simulator = simulator;
    const began = (message: unknown) => {
      const { request } = message as { request: UndiciRequest };
      if (String(request.origin) === simulator.url) this.#provider.add(request);
    };
    const ended = (message: unknown) => {
      this.#provider.delete((message as { request: UndiciRequest }).request);
    };
    subscribe('undici:request:create', began);
    subscribe('undici:request:trailers', ended);
    subscribe('undici:request:error', ended);
    onTestFinished(() => {
      unsubscribe('undici:request:create', began);
      unsubscribe('undici:request:trailers', ended);
      unsubscribe('undici:request:error', ended);
    });
  }

  /** Resolves when everybody waits on the clock, or for the test. */
  async still(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
      await nextTurn();
      if (this.#underWay() === 0) continue;
      quiet = -1;
      // Not turn after turn: the engine wants the processor, too.
      await realTime(1);
    }
  }

  /**
   * Lets time pass until the promise has settled. For what waits on the clock; a request that does not is simply
   * awaited, since nobody sees it on its way and a deadline of its own might strike.
   */
  async until<Result>(promise: Promise<Result>): Promise<Result> {
    let settled = false;
    promise.then(
      () => {
        settled = true;
      },
      () => {
        settled = true;
      },
    );
    let transitSince: number | undefined;
    for (let timers = 0; timers < MAX_TIMERS; timers += 1) {
      await this.still();
      if (settled) return promise;
      const wait = this.clock.untilNext;
      if (wait !== null) {
        transitSince = undefined;
        await this.clock.advance(wait);
        continue;
      }
      // A request to a broker is on its way, to it or back.
      transitSince ??= performance.now();
      if (performance.now() - transitSince > MAX_TRANSIT_MS) break;
      await realTime(1);
    }
    throw new Error('What was awaited does not come, however much time passes');
  }

  /** Lets so much time pass, timer by timer. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.clock.monotonic() + milliseconds;
    for (;;) {
      await this.still();
      const wait = this.clock.untilNext;
      const left = end - this.clock.monotonic();
      if (wait === null || wait > left) {
        await this.clock.advance(left);
        return;
      }
      await this.clock.advance(wait);
    }
  }

  /** The same time with a wall clock that is ahead, or behind. */
  skewed(byMilliseconds: number): Clock {
    return {
      now: () => this.clock.now() + byMilliseconds,
      monotonic: () => this.clock.monotonic(),
      after: (milliseconds, callback) => this.clock.after(milliseconds, callback),
      sleep: (milliseconds, signal) => this.clock.sleep(milliseconds, signal),
    };
  }

  #underWay(): number {
    const atProvider = [...this.#provider].filter((request) => !this.#hangs(request)).length;
    return this.#calls + Math.max(0, atProvider - this.#sleeping);
  }

  /** A request that the provider will never answer waits for its own time-out, which is on the clock. */
  #hangs(request: UndiciRequest): boolean {
    const latest = this.#simulator?.log.all().findLast((entry) => entry.path === request.path);
    return latest?.fault === 'hang';
  }
}
