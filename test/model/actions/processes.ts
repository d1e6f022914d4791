import type { Side } from '../../crash/gate.ts';
import type { World } from '../world.ts';
import { type Request, Step } from './action.ts';

/** A broker's process is stopped (SIGSTOP) in the middle of a request, at one of its calls. */
export class Suspend extends Step {
  readonly #request: Request;
  readonly #call: number;
  readonly #side: Side;

  constructor(request: Request, call: number, side: Side) {
    super();
    this.#request = request;
    this.#call = call;
    this.#side = side;
  }

  toString(): string {
    return `${this.#request.tell()}, and the broker is stopped ${this.#side} its call ${this.#call}`;
  }

  async take(world: World): Promise<void> {
    const request = this.#request;
    const broker = world.broker(request.broker);
    if (broker === undefined) return;
    const stopped = broker.gate.closeAt(this.#call, this.#side).then(() => 'stopped' as const);
    const reply = request.perform(world, broker);
    const first = await world.whileTimePasses(Promise.race([reply, stopped]));
    if (first !== 'stopped') {
      broker.gate.open();
      request.foresee(world, broker, first);
      await world.check(request.moves, 'as the model says');
      return;
    }
    broker.clock.stop();
    world.suspended.set(broker, { request, reply: reply.catch(() => undefined) });
    if (request.job !== undefined) world.heldJobs.add(request.job, broker);
    await broker.gate.quiet();
    await world.check(request.moves, 'whatever is legal');
  }
}

/** A stopped process goes on (SIGCONT), with what it knew. */
export class Resume extends Step {
  readonly #broker: number;

  constructor(broker: number) {
    super();
    this.#broker = broker;
  }

  toString(): string {
    return `broker ${this.#broker} goes on`;
  }

  async take(world: World): Promise<void> {
    const broker = world.brokers[world.indexOf(this.#broker)];
    const suspended = broker && world.suspended.get(broker);
    if (broker === undefined || suspended === undefined) return;
    const { request, reply } = suspended;
    world.suspended.delete(broker);
    broker.clock.goOn();
    broker.gate.open();
    await world.whileTimePasses(reply.then(() => world.untilIdle(broker)));
    if (request.job !== undefined) world.heldJobs.delete(request.job, broker);
    await world.check(request.moves, 'whatever is legal');
  }
}

/** A broker's process ends, wherever it is, and another takes its place. */
export class Crash extends Step {
  readonly #broker: number;

  constructor(broker: number) {
    super();
    this.#broker = broker;
  }

  toString(): string {
    return `broker ${this.#broker} is killed and started again`;
  }

  async take(world: World): Promise<void> {
    await world.replace(this.#broker);
    await world.check([], 'as the model says');
  }
}
