import { setTimeout as sleep } from 'node:timers/promises';

export interface Allocation {
  readonly sandboxId: string;
}

/** A broker, old or new, as a student meets it. */
export interface Server {
  allocate(student: Student): Promise<Allocation>;
  release(student: Student, sandboxId: string): Promise<void>;
}

/** Far longer than an index lags behind its table, and far shorter than the pause of a client that retries. */
const PAUSE_MS = { least: 60, most: 250 };

/**
 * One caller of the broker. What it is told is held against what it was told before: while it holds a sandbox every
 * answer is that one, and none is ever one that somebody else has had.
 */
export class Student {
  readonly id: string;
  readonly idempotencyKey: string | undefined;
  /** Who has had which sandbox, over all students. */
  readonly #owners: Map<string, string>;
  #holds: string | undefined;

  constructor(id: string, idempotencyKey: string | undefined, owners: Map<string, string>, holds?: string) {
    this.id = id;
    this.idempotencyKey = idempotencyKey;
    this.#owners = owners;
    if (holds !== undefined) this.#take(holds);
  }

  get holds(): string | undefined {
    return this.#holds;
  }

  /** Asks, by repeated requests of one server, for the sandbox that it holds, or for one. */
  async ask(server: Server, times = 1): Promise<void> {
    const answers = [];
    for (let count = 0; count < times; count += 1) answers.push(await server.allocate(this));
    for (const { sandboxId } of answers) {
      if (this.#holds === undefined) this.#take(sandboxId);
      else if (this.#holds !== sandboxId)
        throw new Error(`${this.id} holds ${this.#holds} and was given ${sandboxId}`);
    }
  }

  async leave(server: Server): Promise<void> {
    if (this.#holds === undefined) throw new Error(`${this.id} holds nothing`);
    await server.release(this, this.#holds);
    this.#holds = undefined;
  }

  /** Between two requests that may meet different brokers. */
  async pause(): Promise<void> {
    await sleep(PAUSE_MS.least + Math.random() * (PAUSE_MS.most - PAUSE_MS.least));
  }

  #take(sandboxId: string): void {
    const owner = this.#owners.get(sandboxId);
    if (owner !== undefined) throw new Error(`${sandboxId} was ${owner}'s and was given to ${this.id}`);
    this.#owners.set(sandboxId, this.id);
    this.#holds = sandboxId;
  }
}
