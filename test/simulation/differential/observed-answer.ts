import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  type CancellationReason,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Database } from '../../../src/store/database.ts';
import type { RandomCall } from './random-call.ts';

type Plain = Record<string, unknown>;

const COMMANDS = {
  BatchGetItem: BatchGetItemCommand,
  BatchWriteItem: BatchWriteItemCommand,
  DeleteItem: DeleteItemCommand,
  GetItem: GetItemCommand,
  PutItem: PutItemCommand,
  Query: QueryCommand,
  Scan: ScanCommand,
  TransactWriteItems: TransactWriteItemsCommand,
  UpdateItem: UpdateItemCommand,
} as const;

/** Pages of one query or scan: there are few items, so more of them go round in a circle. */
const MAX_PAGES = 200;

/** What a call came to, in a form in which two engines can be compared. */
export async function observe(database: Database, call: RandomCall): Promise<unknown> {
  try {
    return call.paged ? await everyPage(database, call) : normalized(await send(database, call, call.input));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { CancellationReasons, Item } = error as {
      CancellationReasons?: CancellationReason[];
      Item?: unknown;
    };
    return {
      error: error.name,
      ...(CancellationReasons === undefined
        ? {}
        : {
            reasons: CancellationReasons.map(({ Code, Item: item }) => ({ code: Code, item: plain(item) })),
          }),
      ...(Item === undefined ? {} : { item: plain(Item) }),
    };
  }
}

async function send(database: Database, { operation }: RandomCall, input: Plain): Promise<Plain> {
  const Command = COMMANDS[operation as keyof typeof COMMANDS] as unknown as new (
    input: Plain,
  ) => Parameters<Database['client']['send']>[0];
  return (await database.client.send(new Command(input))) as unknown as Plain;
}

/** Where pages are cut, and the order of items whose sort keys are the same, is an engine's own. */
async function everyPage(database: Database, call: RandomCall): Promise<unknown> {
  const { IndexName, Limit, ScanIndexForward } = call.input;
  const items: Plain[] = [];
  let count = 0;
  let after: unknown;
  let pages = 0;
  let cutTooLate = false;
  do {
    const page = await send(database, call, { ...call.input, ExclusiveStartKey: after });
    items.push(...((page.Items ?? []) as Plain[]));
    count += Number(page.Count);
    if (Limit !== undefined && Number(page.ScannedCount) > Number(Limit)) cutTooLate = true;
    after = page.LastEvaluatedKey;
    pages += 1;
  } while (after !== undefined && pages < MAX_PAGES);
  const sort = IndexName === undefined ? 'SK' : 'allocated_at';
  const order = items.map((item) => JSON.stringify((item[sort] as Plain | undefined) ?? null));
  return {
    count,
    endless: after !== undefined,
    cutTooLate,
    order: call.operation === 'Query' ? order : 'any',
    backward: ScanIndexForward === false,
    items: items.map((item) => JSON.stringify(plain(item))).sort(),
  };
}

function normalized(output: Plain): unknown {
  // Nobody asks for the capacity, and DynamoDB Local tells it of some calls all the same.
  const { $metadata: _, ConsumedCapacity: __, ...rest } = output;
  for (const name of ['UnprocessedKeys', 'UnprocessedItems'])
    if (rest[name] !== undefined && Object.keys(rest[name] as object).length === 0) delete rest[name];
  if (rest.Responses !== undefined) {
    const tables = Object.values(rest.Responses as Record<string, unknown[]>);
    rest.Responses = tables.map((items) => items.map((item) => JSON.stringify(plain(item))).sort());
  }
  return plain(rest);
}

/** Names in one order, numbers in one spelling. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  if (entries.length === 1 && entries[0]?.[0] === 'N') return { N: String(Number(entries[0][1])) };
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, each]) => [name, plain(each)]),
  );
}
