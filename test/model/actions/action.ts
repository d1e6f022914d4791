import type { AsyncCommand } from 'fast-check';
import type { GatedBroker, Reply } from '../../crash/gated-broker.ts';
import type { Move } from '../legal-moves.ts';
import type { PoolModel } from '../pool-model.ts';
import type { World } from '../world.ts';

/** Something that happens to the installation. */
export interface Action {
  /** A sentence of the story. */
  tell(): string;
  /** How it may move rows. */
  readonly moves: readonly Move[];
  /** What must come of it when nothing else happens meanwhile: changes the model, or throws. */
  foresee(world: World, broker: GatedBroker, reply: Reply): void;
}

/** Something that is asked of one broker. */
export interface Request extends Action {
  /** Any number stands for a broker. */
  readonly broker: number;
  /** The job that it runs, if any. */
  readonly job?: string;
  perform(world: World, broker: GatedBroker): Promise<Reply>;
}

/** A step of the model test. */
export abstract class Step implements AsyncCommand<PoolModel, World> {
  abstract toString(): string;
  abstract take(world: World): Promise<void>;

  check(): boolean {
    return true;
  }

  async run(_model: PoolModel, world: World): Promise<void> {
    await this.take(world);
  }
}

/** One request by itself: its outcome is known beforehand. */
export class Alone extends Step {
  readonly #request: Request;

  constructor(request: Request) {
    super();
    this.#request = request;
  }

  toString(): string {
    return this.#request.tell();
  }

  async take(world: World): Promise<void> {
    const broker = world.broker(this.#request.broker);
    if (broker === undefined) return;
    const reply = await world.whileTimePasses(this.#request.perform(world, broker));
    this.#request.foresee(world, broker, reply);
    await world.check(this.#request.moves, 'as the model says');
  }
}

/** Something that happens around the brokers, and moves no row. */
export class Around extends Step {
  readonly #tell: string;
  readonly #happen: (world: World) => Promise<void> | void;

  constructor(tell: string, happen: (world: World) => Promise<void> | void) {
    super();
    this.#tell = tell;
    this.#happen = happen;
  }

  toString(): string {
    return this.#tell;
  }

  async take(world: World): Promise<void> {
    await this.#happen(world);
    await world.check([], 'as the model says');
  }
}
