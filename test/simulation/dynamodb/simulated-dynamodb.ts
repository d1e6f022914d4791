import type { AttributeValue, TransactWriteItem, WriteRequest } from '@aws-sdk/client-dynamodb';
import type { TableNames } from '../../../src/store/table.ts';
import type { Item } from './attribute-values.ts';
import { checkBindings } from './expression-operands.ts';
import { conditionFailed, transactionConflict, validation } from './faults.ts';
import { projectionExpression } from './projection-expression.ts';
import { query, type ReadInput, scan } from './queries.ts';
import { type Change, SimulatedTable } from './simulated-table.ts';
import { TableShape } from './table-shape.ts';
import { type Transaction, Transactions } from './transactions.ts';
import { readWrite, type WriteInput } from './writes.ts';

/** What of DynamoDB's behaviour is not determined by the calls. */
export interface Circumstances {
  /** Milliseconds, for lags and tokens. */
  now(): number;
  /** How long an index, or a replica, takes to show a change. Milliseconds; 0 for at once. */
  lagMs(): number;
  /** The moment up to which the next query sees what indexes have to show, where that is not now. Milliseconds. */
  indexTime?(): number;
  /** How many items the next page of a query or scan may evaluate. */
  pageRows(): number;
  /** How many of so many items of a batch are processed now; at least one. */
  processed(items: number): number;
  /** Told of each change that takes effect, with all others of its transaction. */
  onCommit(changes: readonly Change[]): void;
}

/** Nothing lags and nothing is cut: DynamoDB as a local engine shows it. */
export const CALM: Circumstances = {
  now: () => Date.now(),
  lagMs: () => 0,
  pageRows: () => 1_000_000,
  processed: (items) => items,
  onCommit: () => {},
};

type Plain = Record<string, unknown>;

interface BatchInput {
  readonly RequestItems?: Record<string, unknown>;
}

const MAX_BATCH_READS = 100;
const MAX_BATCH_WRITES = 25;

/**
 * DynamoDB with one table, as far as the broker uses it. Each call is executed in the moment in which it is made;
 * what lies between a call and its answer is somebody else's business.
 */
export class SimulatedDynamoDb {
  readonly table: SimulatedTable;
  readonly #circumstances: Circumstances;
  readonly #transactions: Transactions;

  constructor(names: TableNames, circumstances: Circumstances) {
    this.#circumstances = circumstances;
    this.table = new SimulatedTable(
      new TableShape(names),
      () => circumstances.now(),
      () => circumstances.lagMs(),
      (changes) => circumstances.onCommit(changes),
    );
    this.#transactions = new Transactions(this.table, () => circumstances.now());
  }

  /** Begins a transaction. @throws the SDK's errors */
  begin(input: { TransactItems?: TransactWriteItem[]; ClientRequestToken?: string }): Transaction {
    return this.#transactions.begin(input);
  }

  /** Executes any operation in one moment. @throws the SDK's errors */
  execute(operation: string, input: Plain): Plain {
    const { pageRows } = this.#circumstances;
    switch (operation) {
      case 'GetItem':
        return this.#get(input as ReadInput & { Key?: Record<string, AttributeValue> });
      case 'Query':
        return query(this.table, input as ReadInput, this.#indexTime(), pageRows()) as unknown as Plain;
      case 'Scan':
        return scan(this.table, input as ReadInput, pageRows()) as unknown as Plain;
      case 'PutItem':
        return this.#write('Put', input);
      case 'UpdateItem':
        return this.#write('Update', input);
      case 'DeleteItem':
        return this.#write('Delete', input);
      case 'BatchGetItem':
        return this.#batchGet(input as BatchInput);
      case 'BatchWriteItem':
        return this.#batchWrite(input as BatchInput);
      case 'TransactWriteItems':
        this.begin(input as { TransactItems?: TransactWriteItem[] }).commit();
        return {};
      default:
        throw new Error(`The simulated DynamoDB does not know the operation ${operation}`);
    }
  }

  #indexTime(): number {
    return this.#circumstances.indexTime?.() ?? this.#circumstances.now();
  }

  #get(input: ReadInput & { Key?: Record<string, AttributeValue> }): Plain {
    const { shape } = this.table;
    shape.checkTable(input.TableName);
    const projection =
      input.ProjectionExpression === undefined ? undefined : projectionExpression(input.ProjectionExpression);
    const bindings = { names: input.ExpressionAttributeNames ?? {}, values: {} };
    checkBindings(bindings, [projection]);
    const key = shape.keyGiven(input.Key ?? {});
    const item = input.ConsistentRead === true ? this.table.get(key) : this.table.getEventually(key);
    if (item === undefined) return {};
    return { Item: projection === undefined ? { ...item } : projection.applied(item, bindings) };
  }

  #write(kind: 'Put' | 'Update' | 'Delete', input: Plain): Plain {
    const write = readWrite(this.table.shape, kind, input as WriteInput);
    write.check();
    if (this.#transactions.isLocked(write.key)) throw transactionConflict();
    const before = this.table.get(write.key);
    if (!write.allowed(before)) throw conditionFailed(write.returnsOld ? before : undefined);
    const after = write.after(before);
    this.table.commit([{ key: write.key, before, after }]);
    return returned(input.ReturnValues, before, after);
  }

  #batchGet(input: BatchInput): Plain {
    const [tableName, request] = this.#onlyTable<{ Keys?: Item[]; ConsistentRead?: boolean }>(input);
    const keys = request.Keys ?? [];
    if (keys.length === 0 || keys.length > MAX_BATCH_READS) throw validation('Too few or too many keys');
    const names = keys.map((key) => this.table.shape.keyGiven(key));
    if (new Set(names).size !== names.length)
      throw validation('Provided list of item keys contains duplicates');
    const processed = this.#circumstances.processed(names.length);
    const found = names
      .slice(0, processed)
      .map((name) =>
        request.ConsistentRead === true ? this.table.get(name) : this.table.getEventually(name),
      )
      .filter((item) => item !== undefined);
    return {
      Responses: { [tableName]: found.map((item) => ({ ...item })) },
      UnprocessedKeys:
        processed < keys.length ? { [tableName]: { ...request, Keys: keys.slice(processed) } } : {},
    };
  }

  #batchWrite(input: BatchInput): Plain {
    const [tableName, requests] = this.#onlyTable<WriteRequest[]>(input);
    if (requests.length === 0 || requests.length > MAX_BATCH_WRITES)
      throw validation('Too few or too many requests');
    const writes = requests.map(({ PutRequest, DeleteRequest }) =>
      PutRequest === undefined
        ? readWrite(this.table.shape, 'Delete', { TableName: tableName, Key: DeleteRequest?.Key })
        : readWrite(this.table.shape, 'Put', { TableName: tableName, Item: PutRequest.Item }),
    );
    if (new Set(writes.map(({ key }) => key)).size !== writes.length)
      throw validation('Provided list of item keys contains duplicates');
    for (const write of writes) write.check();
    const processed = this.#circumstances.processed(writes.length);
    // A batch is no transaction: each write takes effect by itself.
    for (const write of writes.slice(0, processed)) {
      const before = this.table.get(write.key);
      this.table.commit([{ key: write.key, before, after: write.after(before) }]);
    }
    const left = requests.slice(processed);
    return { UnprocessedItems: left.length === 0 ? {} : { [tableName]: left } };
  }

  #onlyTable<Request>(input: BatchInput): [string, Request] {
    const [entry, ...others] = Object.entries(input.RequestItems ?? {});
    if (entry === undefined || others.length > 0) throw validation('A batch is for one table here');
    this.table.shape.checkTable(entry[0]);
    return [entry[0], entry[1] as Request];
  }
}

function returned(values: unknown, before: Item | undefined, after: Item | undefined): Plain {
  switch (values ?? 'NONE') {
    case 'NONE':
      return {};
    case 'ALL_OLD':
      return before === undefined ? {} : { Attributes: { ...before } };
    case 'ALL_NEW':
      return { Attributes: { ...after } };
    default:
      throw new Error(`The simulated DynamoDB does not know the return values ${String(values)}`);
  }
}
