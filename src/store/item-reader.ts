import {
  type AttributeValue,
  BatchGetItemCommand,
  type BatchGetItemCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { type Clock, fullJitter, type Random } from '../domain/clock.ts';
import type { Database } from './database.ts';
import { databaseFault } from './database-faults.ts';
import { attributes, type Key } from './keys.ts';

export type Item = Record<string, AttributeValue>;

/** Most keys that one call takes (DynamoDB, "BatchGetItem"). */
const BATCH_MAX_KEYS = 100;
/** Calls under way at once. */
const MAX_IN_FLIGHT = 4;
/**
 * What is asked for while a call is under way waits for its answer and shares the next one, unless it fills a call
 * sooner: a burst comes in over many turns of the event loop, and is not a call for each. Nobody joins those that wait
 * for a call that has taken longer than this. Milliseconds.
 */
const USUAL_MS = 50;
/** How often keys that came back unprocessed are asked for again. */
const MAX_ATTEMPTS = 8;

/** Tries of a call that fails, with a time-out or throttling for instance. */
const MAX_FAILURES = 3;

interface Lookup {
  readonly key: Key;
  readonly waiting: { resolve: (item: Item | undefined) => void; reject: (error: unknown) => void }[];
}

/**
 * Reads single items, consistently. Those asked for at the same moment share one call: a thousand callers at once
 * are ten calls, and do not queue for connections.
 */
export class ItemReader {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #lookups = new Map<string, Lookup>();
  #inFlight = 0;
  #scheduled = false;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(database: Database, clock: Clock, random: Random) {
    this.#database = database;
    this.#clock = clock;
    this.#random = random;
  }

  /** The item as it stands now, or undefined when there is none. @throws what the database throws */
  get(key: Key): Promise<Item | undefined> {
    const name = nameOf(key.PK, key.SK);
    return new Promise((resolve, reject) => {
      const lookup = this.#lookups.get(name);
      if (lookup === undefined) this.#lookups.set(name, { key, waiting: [{ resolve, reject }] });
      else lookup.waiting.push({ resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    const isBusy = this.#inFlight > 0 && this.#clock.monotonic() - this.#sentAt < USUAL_MS;
    if (isBusy && this.#lookups.size < BATCH_MAX_KEYS) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#fill();
    });
  }

  #fill(): void {
    while (this.#lookups.size > 0 && this.#inFlight < MAX_IN_FLIGHT) {
      const batch = new Map<string, Lookup>();
      for (const [name, lookup] of this.#lookups) {
        batch.set(name, lookup);
        this.#lookups.delete(name);
        if (batch.size === BATCH_MAX_KEYS) break;
      }
      this.#inFlight += 1;
      this.#sentAt = this.#clock.monotonic();
      void this.#read(batch)
        .catch((error: unknown) => {
          for (const lookup of batch.values()) for (const { reject } of lookup.waiting) reject(error);
        })
        .finally(() => {
          this.#inFlight -= 1;
          this.#fill();
        });
    }
  }

  #send(Keys: Item[]) {
    const RequestItems = { [this.#database.tableName]: { Keys, ConsistentRead: true } };
    return this.#database.client.send(new BatchGetItemCommand({ RequestItems }));
  }

  /** Answers each lookup of the batch and takes it out, so that what is left when it throws is unanswered. */
  async #read(batch: Map<string, Lookup>): Promise<void> {
    const { tableName } = this.#database;
    // Counted apart from the attempts: a batch that came back in part was no failure.
    let failures = 0;
    for (let attempt = 0; batch.size > 0; attempt += 1) {
      if (attempt === MAX_ATTEMPTS) throw new ThrottledReadError();
      if (attempt > 0) await this.#clock.sleep(fullJitter(attempt, 10, 500, this.#random));
      const keys = [...batch.values()].map(({ key }) => attributes(key));
      let answer: BatchGetItemCommandOutput;
      try {
        answer = await this.#send(keys);
      } catch (error) {
        failures += 1;
        if (databaseFault(error) === 'wrong' || failures === MAX_FAILURES) throw error;
        continue;
      }
      const found = new Map((answer.Responses?.[tableName] ?? []).map((item) => [nameOfItem(item), item]));
      const unread = new Set((answer.UnprocessedKeys?.[tableName]?.Keys ?? []).map(nameOfItem));
      for (const [name, lookup] of batch) {
        if (unread.has(name)) continue;
        batch.delete(name);
        for (const { resolve } of lookup.waiting) resolve(found.get(name));
      }
    }
  }
}

/** Neither key of ours holds a line break. */
function nameOf(partitionKey: string, sortKey: string): string {
  return `${partitionKey}\n${sortKey}`;
}

function nameOfItem(item: Item): string {
  return nameOf(item.PK?.S ?? '', item.SK?.S ?? '');
}

/** The database kept returning keys unread. Named as the throttling that it is. */
class ThrottledReadError extends Error {
  override readonly name = 'ThrottlingException';
  constructor() {
    super('The database returned items unread too often');
  }
}
