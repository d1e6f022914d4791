import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Item } from './attribute-values.ts';
import { type ConditionExpression, conditionExpression } from './condition-expression.ts';
import { type Bindings, checkBindings } from './expression-operands.ts';
import { validation } from './faults.ts';
import type { TableShape } from './table-shape.ts';
import { updateExpression } from './update-expression.ts';

/** What the writes of one item have in common, alone or in a transaction. */
export interface WriteInput {
  readonly TableName?: string | undefined;
  readonly Item?: Record<string, AttributeValue> | undefined;
  readonly Key?: Record<string, AttributeValue> | undefined;
  readonly ConditionExpression?: string | undefined;
  readonly UpdateExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue> | undefined;
  readonly ReturnValuesOnConditionCheckFailure?: string | undefined;
}

export type WriteKind = 'Put' | 'Update' | 'Delete' | 'ConditionCheck';

/** A write that is found to be well-formed. */
export interface Write {
  readonly kind: WriteKind;
  readonly key: string;
  readonly returnsOld: boolean;
  /** @throws ValidationException where what it would write cannot be in the table */
  readonly check: () => void;
  /** Whether its condition holds. */
  readonly allowed: (before: Item | undefined) => boolean;
  /** @throws ValidationException where that depends on what is in the table */
  readonly after: (before: Item | undefined) => Item | undefined;
}

const NOTHING = {};

/** @throws ValidationException */
export function readWrite(shape: TableShape, kind: WriteKind, input: WriteInput): Write {
  shape.checkTable(input.TableName);
  const bindings: Bindings = {
    names: input.ExpressionAttributeNames ?? NOTHING,
    values: input.ExpressionAttributeValues ?? NOTHING,
  };
  const condition =
    input.ConditionExpression === undefined ? undefined : conditionExpression(input.ConditionExpression);
  const update =
    kind === 'Update' && input.UpdateExpression !== undefined
      ? updateExpression(input.UpdateExpression)
      : undefined;
  checkBindings(bindings, [condition, update]);
  const common = {
    kind,
    returnsOld: input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD',
    check: () => {},
    allowed: allowedBy(condition, bindings),
  };
  if (kind === 'Put') {
    const item: Item = { ...input.Item };
    return { ...common, key: shape.keyOf(item), check: () => shape.checkItem(item), after: () => item };
  }
  const keyItem: Item = { ...input.Key };
  const key = shape.keyGiven(keyItem);
  if (kind === 'ConditionCheck') {
    if (condition === undefined) throw validation('A condition check needs a condition');
    return { ...common, key, after: (before) => before };
  }
  if (kind === 'Delete') return { ...common, key, after: () => undefined };
  for (const name of update?.touched(bindings) ?? []) {
    if (name === shape.key.partition || name === shape.key.sort)
      throw validation(`Cannot update attribute ${name}. This attribute is part of the key`);
  }
  return {
    ...common,
    key,
    after: (before) => {
      const after = update === undefined ? (before ?? keyItem) : update.applied(before ?? keyItem, bindings);
      shape.checkItem(after);
      return after;
    },
  };
}

function allowedBy(condition: ConditionExpression | undefined, bindings: Bindings): Write['allowed'] {
  return condition === undefined ? () => true : (before) => condition.holds(before, bindings);
}
