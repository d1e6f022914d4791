import { QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { unixSeconds } from '../../../src/domain/clock.ts';
import type { Database } from '../../../src/store/database.ts';
import { sandboxKey } from '../../../src/store/keys.ts';
import type { SimulatedProcess } from './process.ts';
import type { Randomness } from './randomness.ts';

/**
 * The previous broker, which knows neither claims nor events nor shards: it looks for a free row in an index, takes it
 * on the condition that it is still free, and gives it back. It serves callers of its own, as one that both brokers
 * serve at once can get two sandboxes from them: its looking-up in an index is what this broker is there to replace.
 */
export class PreviousBroker {
  readonly process: SimulatedProcess;
  /** It does nothing any more, and has nothing under way. */
  hasStopped = false;
  readonly #database: Database;
  readonly #random: Randomness;
  readonly #held: { sandboxId: string; track: string }[] = [];
  #callers = 0;

  constructor(process: SimulatedProcess, database: Database, random: Randomness) {
    this.process = process;
    this.#database = database;
    this.#random = random;
  }

  async live(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.process.sleep(this.#random.spread(100, 10_000));
      await this.#act().catch(() => {});
    }
    this.hasStopped = true;
  }

  /** Ends an allocation that may well be the new broker's; its claim stays behind. */
  release = async (sandboxId: string, track: string): Promise<void> => {
    await this.#database.documents
      .send(
        new UpdateCommand({
          TableName: this.#database.tableName,
          Key: sandboxKey(sandboxId),
          UpdateExpression: 'SET #status = :pending, deletion_requested_at = :now, updated_at = :now',
          ConditionExpression: 'begins_with(#status, :allocated) AND allocated_to_track = :track',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: {
            ':pending': 'pending_deletion',
            ':allocated': 'allocated',
            ':track': track,
            ':now': unixSeconds(this.process),
          },
        }),
      )
      .catch(() => {});
  };

  async #act(): Promise<void> {
    if (this.#held.length > 0 && this.#random.chance(0.4)) {
      const { sandboxId, track } = this.#random.pick(this.#held);
      await this.release(sandboxId, track);
      return;
    }
    const free = await this.#database.documents.send(
      new QueryCommand({
        TableName: this.#database.tableName,
        IndexName: this.#database.statusIndex,
        KeyConditionExpression: '#status = :available',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':available': 'available' },
        Limit: 5,
      }),
    );
    const candidates = free.Items ?? [];
    if (candidates.length === 0) return;
    this.#callers += 1;
    const track = `previous-${this.#callers}`;
    const sandboxId = String(this.#random.pick(candidates).sandbox_id);
    await this.#database.documents.send(
      new UpdateCommand({
        TableName: this.#database.tableName,
        Key: sandboxKey(sandboxId),
        UpdateExpression:
          'SET #status = :allocated, allocated_to_track = :track, idempotency_key = :track, allocated_at = :now, lab_duration_hours = :hours',
        ConditionExpression: '#status = :available',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: {
          ':available': 'available',
          ':allocated': 'allocated',
          ':track': track,
          ':now': unixSeconds(this.process),
          ':hours': 0.05,
        },
      }),
    );
    this.#held.push({ sandboxId, track });
  }
}
