import { OPERATOR_MOVES } from '../../../src/allocation/operator-moves.ts';
import { JOB_NAMES } from '../../../src/workers/job.ts';
import type { Broker, Reply } from './broker.ts';
import type { Network } from './network.ts';
import type { SimulatedProcess } from './process.ts';
import type { Randomness } from './randomness.ts';

export interface OperatorParts {
  readonly process: SimulatedProcess;
  readonly random: Randomness;
  readonly network: Network;
  readonly anyBroker: (random: Randomness) => Broker;
  readonly anySandbox: (random: Randomness) => string;
  readonly onReleaseAsked: (sandboxId: string) => void;
  readonly isOver: () => boolean;
}

const PAUSE_MS = [500, 60_000] as const;
const PATIENCE_MS = 60_000;

/** Somebody with the admin token and no plan: moves rows, runs and pauses jobs, forces what a brake holds back. */
export class Operator {
  readonly #parts: OperatorParts;

  constructor(parts: OperatorParts) {
    this.#parts = parts;
  }

  async live(): Promise<void> {
    const { process, random, isOver } = this.#parts;
    while (!isOver()) {
      await process.sleep(random.spread(...PAUSE_MS));
      if (!isOver()) await this.#act();
    }
  }

  #act(): Promise<unknown> {
    const { random, anySandbox, onReleaseAsked } = this.#parts;
    const choice = random.next();
    if (choice < 0.5) {
      const move = random.pick(OPERATOR_MOVES);
      const sandboxId = anySandbox(random);
      if (move === 'release') onReleaseAsked(sandboxId);
      return this.#request(`${move} ${sandboxId}`, (broker) => broker.move(sandboxId, move));
    }
    if (choice < 0.6) {
      const status = random.pick(['stale', 'deletion_failed'] as const);
      return this.#request(`bulk-delete ${status}`, (broker) => broker.removeAll(status));
    }
    const job = random.pick(JOB_NAMES);
    if (choice < 0.8) {
      const force = job === 'sync' && random.chance(0.3);
      return this.#request(`run ${job}${force ? ' by force' : ''}`, async (broker) => {
        await broker.runJob(job, { force });
      });
    }
    const resume = random.chance(0.6);
    return this.#request(`${resume ? 'resume' : 'pause'} ${job}`, (broker) => broker.pauseJob(job, resume));
  }

  #request(what: string, serve: (broker: Broker) => Promise<void>): Promise<unknown> {
    const { process, random, network, anyBroker } = this.#parts;
    return network.request(process, anyBroker(random), what, PATIENCE_MS, async (broker): Promise<Reply> => {
      await serve(broker);
      return { status: 'ok', sandboxId: '' };
    });
  }
}
