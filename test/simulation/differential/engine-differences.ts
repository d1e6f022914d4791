import type { RandomCall } from './random-call.ts';

interface Observed {
  readonly error?: string;
  readonly Attributes?: object;
}

export const ENGINES = ['the embedded engine', 'DynamoDB Local'] as const;
export type Engine = (typeof ENGINES)[number];

export interface EngineDifference {
  readonly engine: Engine;
  readonly what: string;
  /** Whether the two answers differ in this and nothing else. */
  readonly explains: (call: RandomCall, real: Observed, simulated: Observed) => boolean;
  /** A call on an empty table that shows it. */
  readonly example: (TableName: string) => RandomCall;
}

/** The engine that the tests run on: what answers at an address from outside is taken for DynamoDB Local. */
export const engineOfTests = (): Engine =>
  (process.env.DDB_ENDPOINT_URL ?? '') === '' ? 'the embedded engine' : 'DynamoDB Local';

const refusedOtherwise = (_call: RandomCall, real: Observed, simulated: Observed) =>
  simulated.error === 'ValidationException' && real.error !== undefined && real.error !== simulated.error;

const Key = { PK: { S: 'SBX#1' }, SK: { S: 'META' } };
const ConditionExpression = 'attribute_exists(PK)';
const transaction = (...TransactItems: Record<string, unknown>[]): RandomCall => ({
  operation: 'TransactWriteItems',
  input: { TransactItems },
  paged: false,
});

/**
 * Where engines answer otherwise than the simulated table, which does as DynamoDB's documentation says. None of them
 * concerns a call that the broker makes. `docs/proof.md` lists them.
 */
export const ENGINE_DIFFERENCES: readonly EngineDifference[] = [
  {
    engine: 'the embedded engine',
    what: 'A malformed call is refused by both, by DynamoDB before it looks at any item; the embedded engine looks at conditions first and names whatever it finds first',
    explains: refusedOtherwise,
    example: (TableName) =>
      transaction({
        ConditionCheck: {
          TableName,
          Key,
          ConditionExpression,
          ExpressionAttributeValues: { ':unused': { S: 'unused' } },
        },
      }),
  },
  {
    engine: 'the embedded engine',
    what: 'An update that makes a new item has no old values; the embedded engine gives the key for them',
    explains: ({ operation, input }, real, simulated) =>
      operation === 'UpdateItem' &&
      input.ReturnValues === 'ALL_OLD' &&
      simulated.Attributes === undefined &&
      Object.keys(real.Attributes ?? {}).length === 2,
    example: (TableName) => ({
      operation: 'UpdateItem',
      input: { TableName, Key, UpdateExpression: 'REMOVE note', ReturnValues: 'ALL_OLD' },
      paged: false,
    }),
  },
  {
    engine: 'DynamoDB Local',
    what: 'A transaction that names an item twice is refused by both, by DynamoDB before it looks at any item; DynamoDB Local looks at conditions first, and cancels it where one fails',
    explains: (call, real, simulated) =>
      call.operation === 'TransactWriteItems' && refusedOtherwise(call, real, simulated),
    example: (TableName) =>
      transaction(
        { Delete: { TableName, Key } },
        { ConditionCheck: { TableName, Key, ConditionExpression } },
      ),
  },
  {
    engine: 'DynamoDB Local',
    what: 'A transaction with a write that fits no index (a null for its key), or that computes with what is not there, is cancelled with the reason ValidationError; DynamoDB Local refuses it as a whole, without reasons',
    explains: ({ operation }, real, simulated) =>
      operation === 'TransactWriteItems' &&
      real.error === 'ValidationException' &&
      simulated.error === 'TransactionCanceledException',
    example: (TableName) =>
      transaction({ Put: { TableName, Item: { ...Key, idempotency_key: { NULL: true } } } }),
  },
];
