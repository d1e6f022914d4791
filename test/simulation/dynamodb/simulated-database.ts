import type { Database } from '../../../src/store/database.ts';
import type { TableNames } from '../../../src/store/table.ts';
import { type Item, marshallItem, unmarshallItem } from './attribute-values.ts';

type Plain = Record<string, unknown>;

/** Brings a call to the store and its answer back. */
export interface Carrier {
  /** One attempt. @throws the SDK's errors */
  carry(operation: string, input: Plain): Promise<Plain>;
  /** Waits between two attempts of the document client. Milliseconds. */
  sleep(milliseconds: number): Promise<void>;
  /** A number in [0, 1). */
  random(): number;
}

interface Command {
  readonly input: object;
}

const OPERATIONS: Record<string, string> = {
  GetItemCommand: 'GetItem',
  GetCommand: 'GetItem',
  PutItemCommand: 'PutItem',
  PutCommand: 'PutItem',
  UpdateItemCommand: 'UpdateItem',
  UpdateCommand: 'UpdateItem',
  DeleteItemCommand: 'DeleteItem',
  DeleteCommand: 'DeleteItem',
  QueryCommand: 'Query',
  ScanCommand: 'Scan',
  BatchGetItemCommand: 'BatchGetItem',
  BatchWriteItemCommand: 'BatchWriteItem',
  TransactWriteItemsCommand: 'TransactWriteItems',
};

/** The SDK's own attempts through the document client, and the first of its waits. Milliseconds. */
const ATTEMPTS = 3;
const FIRST_WAIT_MS = 100;

/** What the SDK's standard retry mode tries again. */
const RETRYABLE = new Set([
  'TimeoutError',
  'InternalServerError',
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'TransactionInProgressException',
]);

/** A `Database` as the broker knows it, whose commands go to a simulated store. */
export function simulatedDatabase(names: TableNames, carrier: Carrier): Database {
  const client = {
    send: (command: Command) => carrier.carry(operationOf(command), command.input as Plain),
    destroy: () => {},
  };
  const documents = {
    send: async (command: Command) =>
      toPlain(await patiently(carrier, operationOf(command), toAttributes(command.input as Plain))),
  };
  return {
    client: client as unknown as Database['client'],
    documents: documents as unknown as Database['documents'],
    tableName: names.tableName,
    statusIndex: names.statusIndex,
    trackIndex: names.trackIndex,
    idempotencyIndex: names.idempotencyIndex,
    close: () => {},
  };
}

function operationOf(command: Command): string {
  const operation = OPERATIONS[command.constructor.name];
  if (operation === undefined)
    throw new Error(`The simulated database does not know ${command.constructor.name}`);
  return operation;
}

async function patiently(carrier: Carrier, operation: string, input: Plain): Promise<Plain> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await carrier.carry(operation, input);
    } catch (error) {
      if (attempt === ATTEMPTS || !isRetryable(error)) throw error;
    }
    await carrier.sleep(carrier.random() * FIRST_WAIT_MS * 2 ** attempt);
  }
}

function isRetryable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return RETRYABLE.has(error.name) || (error as { code?: string }).code === 'ECONNRESET';
}

/** Fields of a command that hold items or values. */
const ITEMS_IN = ['Key', 'Item', 'ExpressionAttributeValues', 'ExclusiveStartKey'] as const;

function toAttributes(input: Plain): Plain {
  const converted: Plain = {};
  for (const name in input) if (input[name] !== undefined) converted[name] = input[name];
  for (const name of ITEMS_IN) {
    if (converted[name] !== undefined) converted[name] = marshallItem(converted[name] as Plain);
  }
  return converted;
}

const ITEM_OUT = ['Item', 'Attributes', 'LastEvaluatedKey'] as const;

function toPlain(output: Plain): Plain {
  const converted: Plain = { ...output };
  for (const name of ITEM_OUT) {
    if (converted[name] !== undefined) converted[name] = unmarshallItem(converted[name] as Item);
  }
  if (converted.Items !== undefined) converted.Items = (converted.Items as Item[]).map(unmarshallItem);
  return converted;
}
