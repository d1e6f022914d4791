import { sandboxKey } from '../../../src/store/keys.ts';
import { availableAttributes } from '../../../src/store/new-sandboxes.ts';
import { StatusShards } from '../../../src/store/status-shards.ts';
import { marshallItem } from '../dynamodb/attribute-values.ts';
import type { SimulatedTable } from '../dynamodb/simulated-table.ts';
import type { WorldPlan } from './plan.ts';
import { EPOCH } from './process.ts';
import type { SimulatedProvider } from './provider.ts';
import type { Randomness } from './randomness.ts';
import { PREFIXES } from './student.ts';

const FIRST_ID = 2_009_001;
/** Accounts that cannot be deleted. */
const STUCK = 0.05;

/** What of a plan decides the beginning. */
export type PoolPlan = Pick<WorldPlan, 'sandboxes' | 'students' | 'shards' | 'previousRows' | 'previousRuns'>;

/** The provider's accounts, and the rows with which a table begins. */
export class Pool {
  readonly sandboxIds: string[] = [];
  readonly #provider: SimulatedProvider;
  readonly #random: Randomness;

  constructor(provider: SimulatedProvider, random: Randomness) {
    this.#provider = provider;
    this.#random = random;
  }

  /** Accounts that sync has to find. */
  addAccounts(count: number) {
    return Array.from({ length: count }, () => {
      const id = FIRST_ID + this.sandboxIds.length;
      const name = `${this.#random.pick(PREFIXES)}${id}`;
      this.sandboxIds.push(String(id));
      return this.#provider.addAccount(id, name, this.#random.chance(STUCK));
    });
  }

  /** Accounts with their rows, as the command that seeds a table writes them. @param now Unix seconds */
  seed(table: SimulatedTable, count: number, shardCount: number, now: number): void {
    const shards = new StatusShards(shardCount);
    for (const account of this.addAccounts(count)) {
      const sandbox = {
        sandboxId: String(account.cspId),
        name: account.name,
        externalId: account.id,
        sfdcAccountId: null,
      };
      const item = availableAttributes(shards, sandbox, now);
      table.commit([{ key: table.shape.keyOf(item), before: undefined, after: item }]);
    }
  }

  /** Writes the beginning of a world, past any broker. */
  fill(table: SimulatedTable, plan: PoolPlan): void {
    const now = EPOCH / 1_000;
    const put = (item: ReturnType<typeof marshallItem>) =>
      table.commit([{ key: table.shape.keyOf(item), before: undefined, after: item }]);
    this.seed(table, plan.sandboxes, plan.shards[0] ?? 1, now);
    if (plan.previousRows === 0 && !plan.previousRuns) {
      put(marshallItem({ PK: 'ADOPTION', SK: 'META', completed_at: now }));
    }
    for (const account of this.addAccounts(plan.previousRows)) {
      const sandboxId = String(account.cspId);
      const allocatedAt = now - this.#random.integer(0, 300);
      // At times two rows of one caller: the previous broker gave some callers several.
      const track = `track-${this.#random.integer(0, plan.students)}`;
      put(
        marshallItem({
          ...sandboxKey(sandboxId),
          sandbox_id: sandboxId,
          name: account.name,
          external_id: account.id,
          status: 'allocated',
          allocated_to_track: track,
          allocated_at: allocatedAt,
          idempotency_key: this.#random.chance(0.3) ? 'second' : track,
          lab_duration_hours: this.#random.chance(0.5) ? 0.05 : undefined,
          deletion_retry_count: 0,
          deletion_requested_at: this.#random.chance(0.5) ? null : 0,
          created_at: allocatedAt - 1_000,
          updated_at: allocatedAt,
        }),
      );
    }
  }
}
