import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Database } from '../../src/store/database.ts';
import { sandboxKey } from '../../src/store/keys.ts';
import { releaseAsPreviousBroker } from '../support/previous-broker.ts';
import type { Allocation, Server, Student } from './student.ts';

/** How many candidates it read, and tried one after the other. */
const CANDIDATES = 15;

/**
 * The broker that this one replaces, as far as the table can tell: it looks its callers up in an index, takes a
 * sandbox by one conditional update without a claim, and releases by an update without a condition.
 */
export class ServingPreviousBroker implements Server {
  /** What it left to be deleted. */
  readonly released = new Set<string>();
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async allocate(student: Student): Promise<Allocation> {
    const key = student.idempotencyKey ?? student.id;
    const [held] = await this.#query(this.#database.idempotencyIndex, 'idempotency_key', key, 1);
    if (held?.status === 'allocated') return { sandboxId: String(held.sandbox_id) };
    const candidates = await this.#query(this.#database.statusIndex, 'status', 'available', CANDIDATES);
    for (const candidate of candidates.sort(() => Math.random() - 0.5)) {
      if (await this.#take(String(candidate.sandbox_id), student, key))
        return { sandboxId: String(candidate.sandbox_id) };
    }
    // It called every lost race an empty pool; its callers came again.
    return this.allocate(student);
  }

  async release(student: Student, sandboxId: string): Promise<void> {
    const row = await this.#database.documents.send(
      new GetCommand({ TableName: this.#database.tableName, Key: sandboxKey(sandboxId) }),
    );
    if (row.Item?.allocated_to_track !== student.id)
      throw new Error(`${student.id} does not hold ${sandboxId}`);
    await releaseAsPreviousBroker(this.#database, sandboxId, unixSeconds());
    this.released.add(sandboxId);
  }

  async #take(sandboxId: string, student: Student, key: string): Promise<boolean> {
    try {
      await this.#database.documents.send(
        new UpdateCommand({
          TableName: this.#database.tableName,
          Key: sandboxKey(sandboxId),
          UpdateExpression:
            'SET #status = :allocated, allocated_to_track = :track, allocated_at = :now, idempotency_key = :key, updated_at = :now',
          ConditionExpression: '#status = :available',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: {
            ':allocated': 'allocated',
            ':available': 'available',
            ':track': student.id,
            ':key': key,
            ':now': unixSeconds(),
          },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  async #query(index: string, attribute: string, value: string, limit: number) {
    const answer = await this.#database.documents.send(
      new QueryCommand({
        TableName: this.#database.tableName,
        IndexName: index,
        KeyConditionExpression: '#attribute = :value',
        ExpressionAttributeNames: { '#attribute': attribute },
        ExpressionAttributeValues: { ':value': value },
        ScanIndexForward: false,
        Limit: limit,
      }),
    );
    return answer.Items ?? [];
  }
}

function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
