import type { Broker, Reply } from './broker.ts';
import type { FaultSource } from './fault-board.ts';
import type { NetworkFault } from './plan.ts';
import type { SimulatedProcess } from './process.ts';
import type { Randomness } from './randomness.ts';
import { NATURE, type Schedule } from './schedule.ts';
import type { Story } from './story.ts';

export interface NetworkParts {
  readonly schedule: Schedule;
  readonly random: Randomness;
  readonly faults: FaultSource<NetworkFault>;
  readonly story: Story;
}

export type Heard = Reply | { readonly status: 'unreachable' | 'no-answer' };

const WAY_MS = [0.2, 40] as const;
/** Requests of a class arrive in clusters, as a process reads all that is there in one turn. Milliseconds. */
const CLUSTER_MS = 10;

/** Between clients and brokers: requests and answers take their time, and some never arrive. */
export class Network {
  readonly #parts: NetworkParts;

  constructor(parts: NetworkParts) {
    this.#parts = parts;
  }

  /** @param patienceMs after which the client gives up, whatever becomes of its request */
  request(
    client: SimulatedProcess,
    broker: Broker,
    what: string,
    patienceMs: number,
    serve: (broker: Broker) => Promise<Reply>,
  ): Promise<Heard> {
    const { schedule, random, faults, story } = this.#parts;
    const fault = faults.draw();
    story.tell(client.name, `${what} at ${broker.process.name}${fault === undefined ? '' : `  [${fault}]`}`);
    return new Promise((resolve) => {
      let over = false;
      const hear = (heard: Heard) => {
        if (over) return;
        over = true;
        patience.cancelled = true;
        story.tell(client.name, `${what}: ${words(heard)}`);
        resolve(heard);
      };
      const patience = schedule.after(patienceMs, client, 'patience', () => hear({ status: 'no-answer' }));
      if (fault === 'request-dropped') return;
      let arrival = schedule.now + random.spread(...WAY_MS);
      if (random.chance(0.3)) arrival = Math.ceil(arrival / CLUSTER_MS) * CLUSTER_MS;
      const back = (heard: Heard) =>
        schedule.after(random.spread(...WAY_MS), client, 'response', () => hear(heard));
      schedule.after(
        arrival - schedule.now,
        broker.process,
        'request',
        () => {
          void serve(broker).then((reply) => {
            if (fault !== 'response-dropped') back(reply);
          });
        },
        () => schedule.after(1, NATURE, 'refused', () => void back({ status: 'unreachable' })),
      );
    });
  }
}

function words(heard: Heard): string {
  if (heard.status === 'ok') return `sandbox ${heard.sandboxId}${heard.replayed === false ? ' (new)' : ''}`;
  return heard.status === 'refused' ? heard.code : heard.status;
}
