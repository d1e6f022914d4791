import { adopt } from '../../../src/allocation/adopt.ts';
import type { Config } from '../../../src/config.ts';
import { openTable } from '../../../src/container/table-access.ts';
import type { Database } from '../../../src/store/database.ts';
import { databaseFault } from '../../../src/store/database-faults.ts';
import type { SimulatedProcess } from './process.ts';
import type { Randomness } from './randomness.ts';
import type { Schedule } from './schedule.ts';
import { NATURE } from './schedule.ts';
import type { Story } from './story.ts';

export interface AdopterParts {
  readonly config: Config;
  readonly schedule: Schedule;
  readonly random: Randomness;
  readonly story: Story;
  /** A process of its own for each try, and its connection to the table. */
  readonly open: () => { readonly process: SimulatedProcess; readonly database: Database };
  /** Whether the previous broker has stopped for good. */
  readonly mayComplete: () => boolean;
  readonly onDefect: (text: string) => void;
}

/** Somebody who runs the adoption from the command line, again and again until it is complete. Some tries die half-way. */
export class Adopter {
  readonly #parts: AdopterParts;
  completed = false;

  constructor(parts: AdopterParts) {
    this.#parts = parts;
  }

  /** @param waitMs until the first try */
  begin(waitMs: number): void {
    this.#parts.schedule.after(waitMs, NATURE, 'adoption', () => this.#try());
  }

  #try(): void {
    const { schedule, random, story, config, open, mayComplete, onDefect } = this.#parts;
    const { process, database } = open();
    const complete = mayComplete();
    const dies = random.chance(0.2) ? random.spread(5, 5_000) : undefined;
    const again = random.spread(500, 30_000);
    const end = (how: string) => {
      if (!process.alive) return;
      process.alive = false;
      story.tell(process.name, `adoption ${how}`);
      if (!this.completed) this.begin(again);
    };
    if (dies !== undefined) schedule.after(dies, NATURE, 'kill', () => end('dies'));
    schedule.after(0, process, 'adopt', () => {
      story.tell(process.name, `adoption begins${complete ? ', to complete it' : ''}`);
      const table = openTable(config, { clock: process, random: random.next, database });
      adopt(table, complete).then(
        () => {
          this.completed = complete;
          end('ends');
        },
        (error: unknown) => {
          if (databaseFault(error) === 'wrong' && !isStubbornRow(error)) onDefect(String(error));
          end('fails');
        },
      );
    });
  }
}

/** A row that changes under each attempt makes a try fail, for the next one to go on. */
function isStubbornRow(error: unknown): boolean {
  return error instanceof Error && error.message.includes('can be given no claim');
}
