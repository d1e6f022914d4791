import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { cancelled, throttled, timeout } from '../dynamodb/faults.ts';
import type { Carrier } from '../dynamodb/simulated-database.ts';
import type { SimulatedDynamoDb } from '../dynamodb/simulated-dynamodb.ts';
import type { SimulatedProcess } from '../world/process.ts';
import { NATURE, type Timeline } from '../world/schedule.ts';
import { summary } from '../world/store-link.ts';
import type { Story } from '../world/story.ts';
import type { Choices } from './choices.ts';

type Plain = Record<string, unknown>;

/** What may become of one call. The first is the ordinary course. */
const FATES = ['fine', 'answer-lost', 'request-lost', 'refused', 'crash-after', 'crash-before'] as const;
type Fate = (typeof FATES)[number];

export interface ExploringLinkParts {
  readonly timeline: Timeline;
  readonly store: SimulatedDynamoDb;
  readonly process: SimulatedProcess;
  readonly choices: Choices;
  readonly story: Story;
  readonly timeoutMs: number;
  readonly onExecution: (process: SimulatedProcess) => void;
  /** Whether calls fail and processes die, or all goes well and only the order is open. */
  readonly faults: boolean;
  /** Whether the next query finds the index behind its table. */
  readonly setIndexBehind: (behind: boolean) => void;
}

/** A usual wait, so that the ordinary course is one in which those who ask first are answered first. Milliseconds. */
const WAY_MS = 5;

/** A connection to the store on which every call may come to every end, as the choices say. */
export class ExploringLink implements Carrier {
  readonly #parts: ExploringLinkParts;

  constructor(parts: ExploringLinkParts) {
    this.#parts = parts;
  }

  sleep(milliseconds: number): Promise<void> {
    return this.#parts.process.sleep(milliseconds);
  }

  /** Waits of half their length: their order is the schedule's to choose. */
  random(): number {
    return 0.5;
  }

  carry(operation: string, input: Plain): Promise<Plain> {
    const { timeline, process, choices, story, timeoutMs, faults } = this.#parts;
    const fate: Fate = faults ? (FATES[choices.pick(FATES.length)] as Fate) : 'fine';
    if (story.told)
      story.tell(
        process.name,
        `${operation} ${summary(operation, input)}${fate === 'fine' ? '' : `  [${fate}]`}`,
      );
    return new Promise((resolve, reject) => {
      const fail = (after: number, error: Error) =>
        timeline.after(after, process, after === 0 ? 'answer' : 'timeout', () => reject(error));
      const execute = (then: (outcome: () => Plain) => void) =>
        timeline.after(WAY_MS, NATURE, 'execute', () => this.#execute(operation, input, then));
      const die = () => {
        story.tell(process.name, 'dies');
        process.alive = false;
      };
      switch (fate) {
        case 'request-lost':
          fail(timeoutMs, timeout());
          return;
        case 'refused':
          fail(0, refusal(operation, input));
          return;
        case 'crash-before':
          die();
          return;
        case 'answer-lost':
          execute(() => {});
          fail(timeoutMs, timeout());
          return;
        case 'crash-after':
          execute(() => {});
          die();
          return;
        case 'fine':
          execute((outcome) =>
            timeline.after(0, process, 'answer', () => {
              try {
                resolve(outcome());
              } catch (error) {
                reject(error);
              }
            }),
          );
      }
    });
  }

  #execute(operation: string, input: Plain, then: (outcome: () => Plain) => void): void {
    const { timeline, store, process, onExecution, choices, setIndexBehind } = this.#parts;
    if (operation === 'TransactWriteItems') {
      try {
        const transaction = store.begin(input as { TransactItems?: TransactWriteItem[] });
        timeline.after(WAY_MS, NATURE, 'commit', () => {
          onExecution(process);
          transaction.commit();
          then(() => ({}));
        });
      } catch (error) {
        then(() => {
          throw error;
        });
      }
      return;
    }
    onExecution(process);
    if (operation === 'Query') setIndexBehind(choices.pick(2) === 1);
    try {
      const output = store.execute(operation, input);
      then(() => output);
    } catch (error) {
      then(() => {
        throw error;
      });
    }
  }
}

/** A transaction is told that somebody else's is under way on its first item. */
function refusal(operation: string, input: Plain): Error {
  if (operation !== 'TransactWriteItems') return throttled();
  const items = input.TransactItems as unknown[];
  return cancelled(items.map((_, index) => ({ Code: index === 0 ? 'TransactionConflict' : 'None' })));
}
