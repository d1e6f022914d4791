import type { Broker, BrokerRole } from './broker.ts';
import { SimulatedProcess } from './process.ts';
import { NATURE, type Schedule } from './schedule.ts';
import type { Story } from './story.ts';
import type { Berth } from './weather.ts';

/** After this time a stop that does not end is ended. Milliseconds. */
const STOP_MS = 25_000;

/** Where one broker runs after the other, as tasks of a service do. */
export class BrokerBerth implements Berth {
  process: SimulatedProcess;
  broker: Broker;
  readonly #name: string;
  readonly #schedule: Schedule;
  readonly #story: Story;
  readonly #open: (process: SimulatedProcess) => Broker;
  readonly #role: () => BrokerRole;

  /** @param open puts a broker together in a new process */
  constructor(
    name: string,
    schedule: Schedule,
    story: Story,
    open: (process: SimulatedProcess) => Broker,
    role: () => BrokerRole,
  ) {
    this.#name = name;
    this.#schedule = schedule;
    this.#story = story;
    this.#open = open;
    this.#role = role;
    this.process = new SimulatedProcess(name, schedule);
    this.broker = open(this.process);
    this.#boot();
  }

  crash(awayMs: number): void {
    if (!this.process.alive) return;
    this.process.alive = false;
    this.#story.tell(this.#name, 'dies');
    this.#schedule.after(awayMs, NATURE, 'begin', () => this.#begin());
  }

  restart(awayMs: number): void {
    const { process, broker } = this;
    const end = () => {
      if (process === this.process) this.crash(awayMs);
    };
    this.#schedule.after(STOP_MS, NATURE, 'end-stop', end);
    this.#schedule.after(0, process, 'stop', () => void broker.stop().then(end));
  }

  #begin(): void {
    const { aheadMs } = this.process;
    this.process = new SimulatedProcess(this.#name, this.#schedule, aheadMs);
    this.broker = this.#open(this.process);
    this.#boot();
  }

  #boot(): void {
    const { process, broker } = this;
    this.#story.tell(this.#name, 'begins');
    this.#schedule.after(0, process, 'boot', () => {
      broker.start(this.#role()).catch(() => {
        if (process === this.process) this.crash(1_000);
      });
    });
  }
}
