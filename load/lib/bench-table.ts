import { randomUUID } from 'node:crypto';
import { DeleteTableCommand, ResourceNotFoundException } from '@aws-sdk/client-dynamodb';
import { readCommandConfig } from '../../src/config.ts';
import { openTable, type TableAccess } from '../../src/container/table-access.ts';
import { unixSeconds } from '../../src/domain/clock.ts';
import { markAdopted } from '../../src/store/adoption.ts';
import { fillPool } from '../../src/store/new-sandboxes.ts';
import { createTable } from '../../src/store/table.ts';
import { benchSandboxes } from './bench-sandboxes.ts';

type Environment = Readonly<Record<string, string>>;

/** A table on the engine of the run, and how much of its pool has been used. */
export class BenchTable {
  readonly environment: Environment;
  readonly access: TableAccess;
  #seeded = 0;
  #available = 0;

  private constructor(environment: Environment, access: TableAccess) {
    this.environment = environment;
    this.access = access;
  }

  static async create(environment: Environment): Promise<BenchTable> {
    const own = { ...environment, DDB_TABLE_NAME: `Bench-${randomUUID().slice(0, 8)}` };
    const table = new BenchTable(own, openTable(readCommandConfig(own)));
    await table.#create();
    return table;
  }

  /**
   * Adds sandboxes until there are so many available.
   *
   * @returns the number of the first available one, where they are used in their order
   */
  async fill(available: number): Promise<number> {
    const missing = available - this.#available;
    if (missing > 0) {
      const { database, shards, clock } = this.access;
      await fillPool(database, shards, benchSandboxes(this.#seeded, missing), unixSeconds(clock));
      this.#seeded += missing;
      this.#available = available;
    }
    return this.#seeded - this.#available;
  }

  /** How many are still free, as far as the bench knows. */
  get available(): number {
    return this.#available;
  }

  /** So many have been allocated meanwhile. */
  used(count: number): void {
    this.#available -= count;
  }

  /**
   * Begins anew under the same name, so that no round finds a larger table than the one before. The sandboxes are
   * numbered on: brokers remember those that they have used.
   */
  async recreate(): Promise<void> {
    await this.#delete();
    this.#available = 0;
    await this.#create();
  }

  async drop(): Promise<void> {
    await this.#delete();
    this.access.database.close();
  }

  async #create(): Promise<void> {
    await createTable(this.access.database);
    await markAdopted(this.access.database, this.access.clock);
  }

  async #delete(): Promise<void> {
    const { database } = this.access;
    try {
      await database.client.send(new DeleteTableCommand({ TableName: database.tableName }));
    } catch (error) {
      // Gone already, with an engine that was renewed.
      if (!(error instanceof ResourceNotFoundException)) throw error;
    }
  }
}
