import type { FaultBoard } from './fault-board.ts';
import type { WorldPlan } from './plan.ts';
import type { SimulatedProcess } from './process.ts';
import type { SimulatedProvider } from './provider.ts';
import type { Randomness } from './randomness.ts';
import type { Schedule } from './schedule.ts';
import { NATURE } from './schedule.ts';
import type { Story } from './story.ts';

/** A place where one broker runs after the other. */
export interface Berth {
  readonly process: SimulatedProcess;
  /** Ends the process at once and begins a new one after so many milliseconds. */
  crash(awayMs: number): void;
  /** Lets the process end by itself first. */
  restart(awayMs: number): void;
}

export interface WeatherParts {
  readonly plan: WorldPlan;
  readonly schedule: Schedule;
  readonly random: Randomness;
  readonly board: FaultBoard;
  readonly story: Story;
  readonly provider: SimulatedProvider;
  readonly berths: readonly Berth[];
  readonly addAccounts: (count: number) => void;
  /** Indexes lag up to this much longer, until it is called with 1. */
  readonly setLag: (factor: number) => void;
  readonly isOver: () => boolean;
}

/** What befalls the world as a whole, now and then. */
export class Weather {
  readonly #parts: WeatherParts;

  constructor(parts: WeatherParts) {
    this.#parts = parts;
  }

  begin(): void {
    const { plan, schedule, random, isOver } = this.#parts;
    if (plan.disturbances.length === 0) return;
    const wait = random.spread(plan.disturbanceMs / 10, plan.disturbanceMs * 2);
    schedule.after(wait, NATURE, 'weather', () => {
      if (isOver()) return;
      this.#disturb();
      this.begin();
    });
  }

  #disturb(): void {
    const { plan, schedule, random, board, story, provider, berths } = this.#parts;
    const kind = random.pick(plan.disturbances);
    const berth = random.pick(berths);
    const length = random.spread(100, 60_000);
    const ahead = random.between(-plan.skewMs, plan.skewMs);
    const accounts = [...provider.accounts.values()];
    const account = accounts.length === 0 ? undefined : random.pick(accounts);
    const few = random.integer(1, 5);
    if (!board.permits(kind, 'weather')) return;
    story.tell('weather', `${kind} (${berth.process.name}, ${(length / 1000).toFixed(1)} s)`);
    const later = (label: string, run: () => void) => schedule.after(length, NATURE, label, run);
    switch (kind) {
      case 'crash':
        berth.crash(length / 10);
        return;
      case 'restart':
        berth.restart(length / 10);
        return;
      case 'pause':
        // What a first pause holds up is not let go by a second one that is shorter.
        berth.process.pausedUntil = Math.max(berth.process.pausedUntil, schedule.now + length);
        return;
      case 'clock-step':
        berth.process.aheadMs = ahead;
        return;
      case 'storm':
        board.severity = 5;
        later('calm', () => {
          board.severity = 1;
        });
        return;
      case 'index-surge':
        this.#parts.setLag(5);
        later('calm', () => this.#parts.setLag(1));
        return;
      case 'provider-outage':
        if (provider.downSince !== undefined) return;
        provider.downSince = schedule.now;
        later('calm', () => {
          provider.downSince = undefined;
        });
        return;
      case 'account-vanishes':
        if (account === undefined) return;
        provider.hide(account);
        later('calm', () => provider.showAgain(account));
        return;
      case 'new-accounts':
        this.#parts.addAccounts(few);
    }
  }
}
