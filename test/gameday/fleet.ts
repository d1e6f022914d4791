import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BrokerProcess, startBrokerProcess } from '../../src/local/broker-process.ts';
import { freePort } from '../../src/local/engine.ts';
import { LoadBalancer } from '../support/load-balancer.ts';
import { watchedLog } from '../support/watched-log.ts';

interface Seat {
  readonly name: string;
  /** The one that it listens on, and the one for whoever replaces it. */
  ports: [number, number];
  readonly clockFile: string;
  process: BrokerProcess | undefined;
  /** Its starts and replacements, one after the other. */
  busy: Promise<unknown>;
}

/** A task may meet a database that does not answer; whoever looks after tasks starts another. */
const MAX_STARTS = 20;
const STOP_WITHIN_MS = 40_000;
/** What pino calls an error. */
const ERROR_LEVEL = 50;

/** Broker processes behind a proxy, numbered from 1, each of which can be ended, stopped for a while or replaced. */
export class Fleet {
  readonly balancer: LoadBalancer;
  /** Processes that ended though nobody had ended them. */
  readonly crashes: string[] = [];
  /** What they logged as errors, and how often. */
  readonly errors = new Map<string, number>();
  readonly #seats: Seat[];
  readonly #environment: Record<string, string | undefined>;
  readonly #expected = new Set<number>();

  private constructor(
    balancer: LoadBalancer,
    seats: Seat[],
    environment: Record<string, string | undefined>,
  ) {
    this.balancer = balancer;
    this.#seats = seats;
    this.#environment = environment;
  }

  static async start(count: number, environment: Record<string, string>, folder: string): Promise<Fleet> {
    const seats: Seat[] = [];
    for (let number = 1; number <= count; number += 1) {
      const clockFile = join(folder, `clock-${number}`);
      writeFileSync(clockFile, '0');
      const ports: [number, number] = [await freePort(), await freePort()];
      seats.push({ name: `broker ${number}`, ports, clockFile, process: undefined, busy: Promise.resolve() });
    }
    const balancer = await LoadBalancer.start(
      await freePort(),
      seats.flatMap(({ ports }) => ports),
    );
    const fleet = new Fleet(balancer, seats, {
      PATH: process.env.PATH,
      NODE_OPTIONS: `--import=${new URL('./wall-clock.ts', import.meta.url).href}`,
      ...environment,
    });
    try {
      await Promise.all(
        seats.map(async (seat) => {
          await fleet.#launch(seat);
          await balancer.register(seat.ports[0]);
        }),
      );
    } catch (error) {
      fleet.killAll();
      throw error;
    }
    return fleet;
  }

  get count(): number {
    return this.#seats.length;
  }

  /** @param holder as the row of a lease names it: host, process, instance */
  numberOf(holder: string): number | undefined {
    const index = this.#seats.findIndex(
      ({ process: broker }) => holder.split('/')[1] === String(broker?.pid),
    );
    return index < 0 ? undefined : index + 1;
  }

  /** SIGKILL. */
  async kill(number: number): Promise<void> {
    const seat = this.#seat(number);
    const broker = seat.process;
    if (broker === undefined) return;
    seat.process = undefined;
    this.#expected.add(broker.pid);
    broker.process.kill('SIGKILL');
    await broker.ended;
  }

  /** Starts one that was killed. */
  startAgain(number: number): Promise<void> {
    return this.#inTurn(number, async (seat) => {
      if (seat.process === undefined) await this.#launch(seat);
    });
  }

  /** SIGSTOP. @returns what lets it go on */
  pause(number: number): () => void {
    const broker = this.#seat(number).process;
    broker?.process.kill('SIGSTOP');
    return () => broker?.process.kill('SIGCONT');
  }

  /** As a deployment does: another one starts and takes over, and this one is asked to stop. */
  replace(number: number): Promise<void> {
    return this.#inTurn(number, async (seat) => {
      const old = seat.process;
      const [oldPort, newPort] = seat.ports;
      seat.ports = [newPort, oldPort];
      await this.#launch(seat);
      await this.balancer.register(newPort);
      if (old !== undefined) await this.#end(old);
      await this.balancer.deregister(oldPort);
    });
  }

  /** How far the wall clock of a broker is off, now and after it has been started again. */
  setClock(number: number, offMilliseconds: number): void {
    writeFileSync(this.#seat(number).clockFile, String(offMilliseconds));
  }

  /** Asks all to stop. @returns those that did not within their time */
  async stop(): Promise<string[]> {
    const late: string[] = [];
    await Promise.all(
      this.#seats.map(async (seat) => {
        const broker = seat.process;
        seat.process = undefined;
        if (broker !== undefined && !(await this.#end(broker))) late.push(seat.name);
      }),
    );
    await this.balancer.stop();
    return late;
  }

  /** At once, and without waiting: for when this process ends. */
  killAll(): void {
    for (const { process: broker } of this.#seats) {
      if (broker !== undefined) this.#expected.add(broker.pid);
      broker?.process.kill('SIGKILL');
    }
    this.balancer.kill();
  }

  #inTurn(number: number, work: (seat: Seat) => Promise<void>): Promise<void> {
    const seat = this.#seat(number);
    const done = seat.busy.then(() => work(seat));
    seat.busy = done.catch(() => {});
    return done;
  }

  async #launch(seat: Seat): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        const watch = watchedLog(this.#environment);
        const broker = await startBrokerProcess(
          { ...this.#environment, PORT: String(seat.ports[0]), GAMEDAY_CLOCK_FILE: seat.clockFile },
          (line) => {
            watch(line);
            this.#note(line);
          },
        );
        seat.process = broker;
        broker.ended.then(() => {
          if (this.#expected.has(broker.pid)) return;
          this.crashes.push(`${seat.name} ended by itself: ${broker.log.at(-1) ?? 'it had logged nothing'}`);
        });
        return;
      } catch (error) {
        if (tries === MAX_STARTS) throw error;
      }
    }
  }

  /** @returns whether it ended within its time */
  async #end(broker: BrokerProcess): Promise<boolean> {
    this.#expected.add(broker.pid);
    broker.process.kill('SIGCONT');
    let inTime = true;
    const limit = setTimeout(() => {
      inTime = false;
      broker.process.kill('SIGKILL');
    }, STOP_WITHIN_MS);
    await broker.stop();
    clearTimeout(limit);
    return inTime;
  }

  #note(line: string): void {
    if (!/"level":("error"|"fatal"|[56]0)/.test(line)) return;
    try {
      const entry = JSON.parse(line);
      if (typeof entry.level === 'number' && entry.level < ERROR_LEVEL) return;
      const what = `${entry.action ?? ''} ${entry.msg ?? ''}: ${entry.err?.message ?? ''}`
        .replaceAll(/ \(request [^)]*\)/g, '')
        .slice(0, 120);
      this.errors.set(what, (this.errors.get(what) ?? 0) + 1);
    } catch {
      // Cut short by the end of its process.
    }
  }

  #seat(number: number): Seat {
    const seat = this.#seats[number - 1];
    if (seat === undefined) throw new Error(`There is no broker ${number}`);
    return seat;
  }
}
