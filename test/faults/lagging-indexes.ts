import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { itemsOf, type WireCall } from './wire-faults.ts';

type Item = Record<string, AttributeValue>;

/** What an item became, and when; no item where it was deleted. */
interface Change {
  readonly table: string;
  readonly key: Item;
  readonly item: Item | undefined;
  readonly at: number;
}

const WRITES = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'TransactWriteItems'];
const BATCH_MAX_KEYS = 100;
const BATCH_MAX_WRITES = 25;

/**
 * Indexes that are behind their table, as DynamoDB's may be and those of the local engines never are.
 *
 * Beside each table a replica is kept that every change reaches late; queries of an index are sent there. So what
 * they answer is what the table held a while ago, evaluated by the engine itself.
 */
export class LaggingIndexes {
  readonly #client: DynamoDBClient;
  /** Replicas by the name of their table. */
  readonly #replicas = new Map<string, string>();
  /** Changes that the replicas have not seen, in the order in which the table took them. */
  #behind: Change[] = [];
  #work: Promise<void> = Promise.resolve();
  #lagMs = 0;

  constructor(engineUrl: string) {
    this.#client = new DynamoDBClient({
      endpoint: engineUrl,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
  }

  /** How far behind they are from now on: milliseconds, or Infinity to keep them as they are. */
  lagBy(milliseconds: number): void {
    this.#lagMs = milliseconds;
  }

  /** Told of a call that the engine has answered. */
  async happened(call: WireCall): Promise<void> {
    if (call.operation === 'CreateTable') await this.#replicate(call.input);
    if (!WRITES.includes(call.operation)) return;
    // One after the other, each after its write: so the last to be read of an item is what it ended as.
    this.#work = this.#work.then(() => this.#read(call));
    await this.#work;
  }

  /** The table that a query is to be sent to. */
  async tableFor(call: WireCall): Promise<string | undefined> {
    const replica = this.#replicas.get(call.input.TableName);
    if (call.input.IndexName === undefined || replica === undefined) return undefined;
    this.#work = this.#work.then(() => this.#catchUp(performance.now() - this.#lagMs));
    await this.#work;
    return replica;
  }

  close(): void {
    this.#client.destroy();
  }

  async #replicate(input: CreateTableCommandInput): Promise<void> {
    const replica = `${input.TableName}-behind`;
    await this.#client.send(new CreateTableCommand({ ...input, TableName: replica }));
    this.#replicas.set(input.TableName ?? '', replica);
  }

  async #read(call: WireCall): Promise<void> {
    const table = tableOf(call);
    if (!this.#replicas.has(table)) return;
    const keys = itemsOf(call.input).map(({ PK, SK }) => ({ PK, SK }) as Item);
    for (let index = 0; index < keys.length; index += BATCH_MAX_KEYS) {
      const batch = keys.slice(index, index + BATCH_MAX_KEYS);
      const answer = await this.#client.send(
        new BatchGetItemCommand({ RequestItems: { [table]: { Keys: batch, ConsistentRead: true } } }),
      );
      const found = new Map((answer.Responses?.[table] ?? []).map((item) => [nameOf(item), item]));
      const at = performance.now();
      for (const key of batch) this.#behind.push({ table, key, item: found.get(nameOf(key)), at });
    }
  }

  async #catchUp(until: number): Promise<void> {
    const due = this.#behind.findIndex(({ at }) => at > until);
    const changes = this.#behind.splice(0, due === -1 ? this.#behind.length : due);
    for (const [table, ofTable] of Map.groupBy(changes, (change) => change.table)) {
      // Of several changes of one item only the last is still to be seen.
      const last = new Map(ofTable.map((change) => [nameOf(change.key), change]));
      const requests = [...last.values()].map(({ key, item }) =>
        item === undefined ? { DeleteRequest: { Key: key } } : { PutRequest: { Item: item } },
      );
      const replica = this.#replicas.get(table) as string;
      for (let index = 0; index < requests.length; index += BATCH_MAX_WRITES) {
        const batch = requests.slice(index, index + BATCH_MAX_WRITES);
        await this.#client.send(new BatchWriteItemCommand({ RequestItems: { [replica]: batch } }));
      }
    }
  }
}

function nameOf(item: Item): string {
  return `${item.PK?.S} ${item.SK?.S}`;
}

function tableOf({ input }: WireCall): string {
  if (input.TransactItems !== undefined) {
    const [first] = input.TransactItems as Record<string, { TableName: string }>[];
    return Object.values(first ?? {})[0]?.TableName ?? '';
  }
  return input.RequestItems === undefined ? input.TableName : (Object.keys(input.RequestItems)[0] ?? '');
}
