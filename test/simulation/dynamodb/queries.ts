import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type Item, orderStrings } from './attribute-values.ts';
import { conditionExpression } from './condition-expression.ts';
import { type Bindings, checkBindings, type Placeholders } from './expression-operands.ts';
import { validation } from './faults.ts';
import { keyCondition } from './key-condition.ts';
import { projectionExpression } from './projection-expression.ts';
import type { SimulatedTable } from './simulated-table.ts';

export interface ReadInput {
  readonly TableName?: string | undefined;
  readonly IndexName?: string | undefined;
  readonly KeyConditionExpression?: string | undefined;
  readonly FilterExpression?: string | undefined;
  readonly ProjectionExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue> | undefined;
  readonly ExclusiveStartKey?: Record<string, AttributeValue> | undefined;
  readonly Select?: string | undefined;
  readonly Limit?: number | undefined;
  readonly ScanIndexForward?: boolean | undefined;
  readonly ConsistentRead?: boolean | undefined;
}

export interface ReadPage {
  readonly Items?: Item[];
  readonly Count: number;
  readonly ScannedCount: number;
  readonly LastEvaluatedKey?: Item;
}

interface Entry {
  readonly key: string;
  readonly item: Item;
}

const NOTHING = {};

/**
 * A page of a query: of the table's own items of one partition, or of an index's.
 *
 * @param maxRows items that one page evaluates at most, in place of DynamoDB's megabyte
 */
export function query(table: SimulatedTable, input: ReadInput, now: number, maxRows: number): ReadPage {
  if (input.KeyConditionExpression === undefined) throw validation('A query needs a key condition');
  const condition = keyCondition(input.KeyConditionExpression);
  const { bindings, filter, projection } = readExpressions(table, input, [condition]);
  const index = input.IndexName === undefined ? undefined : table.indexes.get(input.IndexName);
  if (input.IndexName !== undefined && index === undefined)
    throw validation(`The table does not have the specified index: ${input.IndexName}`);
  if (index !== undefined && input.ConsistentRead === true)
    throw validation('Consistent reads are not supported on global secondary indexes');
  const keys = index?.keys ?? table.shape.key;
  if (condition.partitionName(bindings) !== keys.partition)
    throw validation(`Query condition missed key schema element: ${keys.partition}`);
  const partition = condition.partitionValue(undefined, bindings)?.S;
  if (partition === undefined)
    throw validation('One or more parameter values were invalid: the key is no string');
  const entries =
    index === undefined
      ? ownItems(table, (key) => key.startsWith(`${partition}\n`), input.ConsistentRead === true)
      : index.read(partition, now);
  const matching = entries.filter(({ item }) => condition.rest(item, bindings));
  if (input.ScanIndexForward === false) matching.reverse();
  return page(table, matching, input, { bindings, filter, projection }, maxRows);
}

/** A page of the whole table, in the order of its keys. */
export function scan(table: SimulatedTable, input: ReadInput, maxRows: number): ReadPage {
  if (input.IndexName !== undefined) throw validation('The simulated table does not scan indexes');
  const expressions = readExpressions(table, input, []);
  const entries = ownItems(table, () => true, input.ConsistentRead === true);
  return page(table, entries, input, expressions, maxRows);
}

function ownItems(table: SimulatedTable, wanted: (key: string) => boolean, consistent: boolean): Entry[] {
  const entries: Entry[] = [];
  for (const [key, stored] of table.entries()) {
    if (!wanted(key)) continue;
    const item = consistent ? stored : table.getEventually(key);
    if (item !== undefined) entries.push({ key, item });
  }
  return entries.sort((a, b) => orderStrings(a.key, b.key));
}

function readExpressions(table: SimulatedTable, input: ReadInput, others: readonly Placeholders[]) {
  table.shape.checkTable(input.TableName);
  const bindings: Bindings = {
    names: input.ExpressionAttributeNames ?? NOTHING,
    values: input.ExpressionAttributeValues ?? NOTHING,
  };
  const filter =
    input.FilterExpression === undefined ? undefined : conditionExpression(input.FilterExpression);
  const projection =
    input.ProjectionExpression === undefined ? undefined : projectionExpression(input.ProjectionExpression);
  checkBindings(bindings, [...others, filter, projection]);
  return { bindings, filter, projection };
}

function page(
  table: SimulatedTable,
  entries: readonly Entry[],
  input: ReadInput,
  { bindings, filter, projection }: ReturnType<typeof readExpressions>,
  maxRows: number,
): ReadPage {
  const from = input.ExclusiveStartKey === undefined ? 0 : startAfter(table, entries, input);
  const limit = input.Limit ?? Number.POSITIVE_INFINITY;
  if (limit < 1) throw validation('Limit must be 1 or more');
  const evaluated = entries.slice(from, from + Math.min(limit, maxRows));
  // DynamoDB stops at the limit without looking whether anything is left behind it.
  const stopped = evaluated.length === limit || from + evaluated.length < entries.length;
  const last = evaluated.at(-1);
  const matching =
    filter === undefined ? evaluated : evaluated.filter(({ item }) => filter.holds(item, bindings));
  const items = matching.map(({ item }) =>
    projection === undefined ? { ...item } : projection.applied(item, bindings),
  );
  return {
    ...(input.Select === 'COUNT' ? {} : { Items: items }),
    Count: matching.length,
    ScannedCount: evaluated.length,
    ...(stopped && last !== undefined ? { LastEvaluatedKey: positionOf(table, last.item, input) } : {}),
  };
}

/** Where the entries after the given position begin. The item of the position need not be there any more. */
function startAfter(table: SimulatedTable, entries: readonly Entry[], input: ReadInput): number {
  const start = input.ExclusiveStartKey as Item;
  const key = table.shape.keyOf(start);
  const sortName = input.IndexName === undefined ? undefined : table.indexes.get(input.IndexName)?.keys.sort;
  const backward = input.ScanIndexForward === false;
  const index = entries.findIndex((entry) => {
    let difference = 0;
    if (sortName !== undefined) difference = Number(entry.item[sortName]?.N) - Number(start[sortName]?.N);
    if (difference === 0) difference = orderStrings(entry.key, key);
    return backward ? difference < 0 : difference > 0;
  });
  return index === -1 ? entries.length : index;
}

function positionOf(table: SimulatedTable, item: Item, input: ReadInput): Item {
  const names = [table.shape.key.partition, table.shape.key.sort];
  const index = input.IndexName === undefined ? undefined : table.indexes.get(input.IndexName);
  if (index !== undefined) names.push(index.keys.partition, index.keys.sort);
  return Object.fromEntries(names.map((name) => [name, item[name] as AttributeValue]));
}
