import {
  type AttributeValue,
  BatchGetItemCommand,
  type BatchGetItemCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { type Clock, fullJitter, type Random } from '../domain/clock.ts';
import type { ClaimKey } from '../domain/identifiers.ts';
import { type Claim, toClaim } from './claim-row.ts';
import type { Database } from './database.ts';
import { databaseFault } from './database-faults.ts';
import { attributes, claimKey } from './keys.ts';

/** Most keys that one call takes (DynamoDB, "BatchGetItem"). */
const BATCH_MAX_KEYS = 100;
/** Calls under way at once. */
const MAX_IN_FLIGHT = 4;
/** How often keys that came back unprocessed are asked for again. */
const MAX_ATTEMPTS = 8;
/** Calls that may fail, by throttling or on the way: this client makes one attempt of each. */
const MAX_FAULTS = 3;

interface Lookup {
  readonly text: string;
  readonly waiting: { resolve: (claim: Claim | undefined) => void; reject: (error: unknown) => void }[];
}

/** Reads claims, consistently; those asked for at the same moment share one call. */
export class ClaimReader {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #random: Random;
  #lookups = new Map<string, Lookup>();
  #inFlight = 0;
  #scheduled = false;

  constructor(database: Database, clock: Clock, random: Random) {
    this.#database = database;
    this.#clock = clock;
    this.#random = random;
  }

  get(key: ClaimKey): Promise<Claim | undefined> {
    const text = claimKey(key).PK;
    return new Promise((resolve, reject) => {
      const lookup = this.#lookups.get(text);
      if (lookup === undefined) this.#lookups.set(text, { text, waiting: [{ resolve, reject }] });
      else lookup.waiting.push({ resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#fill();
      });
    });
  }

  #fill(): void {
    while (this.#lookups.size > 0 && this.#inFlight < MAX_IN_FLIGHT) {
      const batch = new Map<string, Lookup>();
      for (const [text, lookup] of this.#lookups) {
        batch.set(text, lookup);
        this.#lookups.delete(text);
        if (batch.size === BATCH_MAX_KEYS) break;
      }
      this.#inFlight += 1;
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

  /** Answers each lookup of the batch and takes it out, so that what is left when it throws is unanswered. */
  async #read(batch: Map<string, Lookup>): Promise<void> {
    let keys: Record<string, AttributeValue>[] = [...batch.keys()].map((PK) =>
      attributes({ PK, SK: 'META' }),
    );
    let faults = 0;
    for (let attempt = 0; keys.length > 0; attempt += 1) {
      if (attempt === MAX_ATTEMPTS) throw new ThrottledReadError();
      if (attempt > 0) await this.#clock.sleep(fullJitter(attempt, 10, 500, this.#random));
      const { tableName } = this.#database;
      let answer: BatchGetItemCommandOutput;
      try {
        answer = await this.#database.client.send(
          new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys: keys, ConsistentRead: true } } }),
        );
      } catch (error) {
        faults += 1;
        if (faults === MAX_FAULTS || databaseFault(error) === 'wrong') throw error;
        continue;
      }
      const unread = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
      const pending = new Set(unread.map((key) => key.PK?.S));
      const found = new Map((answer.Responses?.[tableName] ?? []).map((item) => [item.PK?.S, item]));
      for (const key of keys) {
        const text = key.PK?.S ?? '';
        const lookup = batch.get(text);
        if (lookup === undefined || pending.has(text)) continue;
        batch.delete(text);
        const item = found.get(text);
        for (const { resolve } of lookup.waiting) resolve(item === undefined ? undefined : toClaim(item));
      }
      keys = unread;
    }
  }
}

/** The database kept returning keys unread. Named as the throttling that it is. */
class ThrottledReadError extends Error {
  override readonly name = 'ThrottlingException';
  constructor() {
    super('The database returned claims unread too often');
  }
}
