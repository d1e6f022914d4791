import { GetCommand, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { type Clock, unixSeconds } from '../domain/clock.ts';
import type { Database } from './database.ts';
import { ADOPTION_KEY } from './keys.ts';

/** How often, at most, a process asks whether adoption has been completed meanwhile. Milliseconds. */
const ASK_EVERY_MS = 1_000;

/**
 * Whether every allocation of the previous broker has its claim. Until then a missing claim proves nothing,
 * and an allocation must look for the caller's rows first; afterwards that costs no read, for ever.
 */
export class Adoption {
  readonly #database: Database;
  readonly #clock: Clock;
  #completed = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** What was last known, without asking. Once true it stays true. */
  get completed(): boolean {
    return this.#completed;
  }

  /** Asks the table, at most once a second and once at a time. */
  async refresh(): Promise<boolean> {
    if (this.#completed) return true;
    if (this.#asking === undefined && this.#clock.monotonic() - this.#askedAt >= ASK_EVERY_MS) {
      this.#askedAt = this.#clock.monotonic();
      this.#asking = this.#ask().finally(() => {
        this.#asking = undefined;
      });
    }
    await this.#asking;
    return this.#completed;
  }

  /** Settles it for a table with nothing in it. @returns whether adoption is complete */
  async completeIfEmpty(): Promise<boolean> {
    if (!this.#completed) this.#completed = await markAdoptedIfEmpty(this.#database, this.#clock);
    return this.#completed;
  }

  async #ask(): Promise<void> {
    const answer = await this.#database.documents.send(
      new GetCommand({ TableName: this.#database.tableName, Key: ADOPTION_KEY, ConsistentRead: true }),
    );
    if (answer.Item !== undefined) this.#completed = true;
  }
}

/** Every allocation has its claim, and no previous broker serves this table any more. */
export async function markAdopted(database: Database, clock: Clock): Promise<void> {
  await database.documents.send(
    new PutCommand({
      TableName: database.tableName,
      Item: { ...ADOPTION_KEY, completed_at: unixSeconds(clock) },
    }),
  );
}

/** A table with nothing in it has nothing to adopt. @returns whether it was empty, and is marked */
export async function markAdoptedIfEmpty(database: Database, clock: Clock): Promise<boolean> {
  const answer = await database.documents.send(
    new ScanCommand({ TableName: database.tableName, Limit: 1, ConsistentRead: true }),
  );
  if (answer.Items?.length !== 0) return false;
  await markAdopted(database, clock);
  return true;
}
