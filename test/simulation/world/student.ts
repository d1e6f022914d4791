import { claimKeyOf, claimKeyText } from '../../../src/domain/identifiers.ts';
import type { AllocateRequest, Broker } from './broker.ts';
import type { Heard, Network } from './network.ts';
import type { WorldPlan } from './plan.ts';
import type { SimulatedProcess } from './process.ts';
import type { Randomness } from './randomness.ts';

export interface StudentParts {
  readonly plan: WorldPlan;
  readonly process: SimulatedProcess;
  readonly random: Randomness;
  readonly network: Network;
  /** Any broker, be it up or not: a load balancer does not know either. */
  readonly anyBroker: (random: Randomness) => Broker;
  /** The previous broker's way to end an allocation, while it runs. */
  readonly previousRelease:
    | (() => ((sandboxId: string, track: string) => Promise<void>) | undefined)
    | undefined;
  readonly onReleaseAsked: (sandboxId: string) => void;
  readonly isOver: () => boolean;
}

/** Names that half of the pool begins with. */
export const PREFIXES = ['lab-a-', 'lab-b-'] as const;

/** One claim key, and whoever uses it: comes, asks, repeats itself, gives back or forgets to, and comes again. */
export class Student {
  readonly #claimKey: string;
  readonly #request: AllocateRequest;
  readonly #parts: StudentParts;

  /** Students come in pairs of one caller id: one with an idempotency key and one without. */
  constructor(index: number, parts: StudentParts) {
    const track = `track-${index >> 1}`;
    const idempotencyKey = index % 2 === 1 ? 'second' : undefined;
    const namePrefix = parts.random.chance(0.2) ? parts.random.pick(PREFIXES) : undefined;
    this.#request = { track, idempotencyKey, namePrefix };
    this.#claimKey = claimKeyText(claimKeyOf(track, idempotencyKey));
    this.#parts = parts;
  }

  async live(): Promise<void> {
    const { plan, process, random, isOver } = this.#parts;
    while (!isOver()) {
      await process.sleep(this.#pause());
      const sandboxId = await this.#obtain();
      if (sandboxId === undefined) continue;
      await process.sleep(random.spread(plan.holdMs / 20, plan.holdMs));
      if (random.chance(0.2)) await this.#obtain();
      if (random.chance(0.75)) await this.#giveBack(sandboxId);
    }
  }

  #pause(): number {
    const { plan, process, random } = this.#parts;
    if (plan.burstMs === 0) return random.spread(plan.thinkMs / 10, plan.thinkMs);
    return plan.burstMs - (process.monotonic() % plan.burstMs) + random.between(0, 50);
  }

  /** Asks until there is a sandbox or it has had enough; at times several times at once. */
  async #obtain(): Promise<string | undefined> {
    const { process, random, isOver } = this.#parts;
    for (let tries = random.integer(1, 6); tries > 0 && !isOver(); tries -= 1) {
      const copies = random.chance(0.15) ? random.integer(2, 4) : 1;
      const answers = await Promise.all(Array.from({ length: copies }, () => this.#ask()));
      const answer = answers.find(({ status }) => status === 'ok');
      if (answer?.status === 'ok') return answer.sandboxId;
      await process.sleep(random.spread(5, 5_000));
    }
    return undefined;
  }

  #ask(): Promise<Heard> {
    const { random, network, anyBroker, process } = this.#parts;
    const patience = random.spread(100, 15_000);
    return network.request(process, anyBroker(random), `allocate ${this.#claimKey}`, patience, (broker) =>
      broker.allocate(this.#request),
    );
  }

  async #giveBack(sandboxId: string): Promise<void> {
    const { process, random, network, anyBroker, onReleaseAsked, isOver, previousRelease } = this.#parts;
    onReleaseAsked(sandboxId);
    const previous = random.chance(0.5) ? previousRelease?.() : undefined;
    if (previous !== undefined) {
      await previous(sandboxId, this.#request.track);
      return;
    }
    for (let tries = random.integer(1, 5); tries > 0 && !isOver(); tries -= 1) {
      const patience = random.spread(100, 15_000);
      const heard = await network.request(
        process,
        anyBroker(random),
        `release ${sandboxId}`,
        patience,
        (broker) => broker.release(sandboxId, this.#request.track),
      );
      if (heard.status === 'ok' || (heard.status === 'refused' && heard.code !== 'SERVICE_UNAVAILABLE'))
        return;
      await process.sleep(random.spread(5, 5_000));
    }
  }
}
