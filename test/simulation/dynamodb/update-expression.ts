import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Item } from './attribute-values.ts';
import {
  type AttributeName,
  type Bindings,
  type Operand,
  type Placeholders,
  parseName,
  parseOperand,
} from './expression-operands.ts';
import { Tokens } from './expression-tokens.ts';
import { validation } from './faults.ts';

export interface UpdateExpression extends Placeholders {
  /** The item as it is afterwards; `item` has the key alone where there was none. */
  readonly applied: (item: Item, bindings: Bindings) => Item;
  /** Names of the attributes that it sets or removes. */
  readonly touched: (bindings: Bindings) => string[];
}

interface Action {
  readonly name: AttributeName;
  /** Undefined removes the attribute. Reads the item as it was before the whole update. */
  readonly value: Operand | undefined;
}

const parsed = new Map<string, UpdateExpression>();

/**
 * Understands SET with values, attributes, `if_not_exists`, `+` and `-`, REMOVE, and ADD of numbers, over attributes
 * of the top level (DynamoDB, "Update expressions").
 *
 * @throws ValidationException for anything else
 */
export function updateExpression(text: string): UpdateExpression {
  let update = parsed.get(text);
  if (update === undefined) {
    const tokens = new Tokens(text);
    const found: Placeholders = { aliases: new Set(), values: new Set() };
    const actions = parseClauses(tokens, found);
    update = {
      ...found,
      applied: (item, bindings) => apply(actions, item, bindings),
      touched: (bindings) => actions.map(({ name }) => name(bindings)),
    };
    parsed.set(text, update);
  }
  return update;
}

function apply(actions: readonly Action[], before: Item, bindings: Bindings): Item {
  const after: Record<string, AttributeValue> = { ...before };
  for (const { name, value } of actions) {
    const attribute = name(bindings);
    if (value === undefined) {
      delete after[attribute];
      continue;
    }
    const set = value(before, bindings);
    if (set === undefined)
      throw validation('The provided expression refers to an attribute that does not exist in the item');
    after[attribute] = set;
  }
  return after;
}

function parseClauses(tokens: Tokens, found: Placeholders): Action[] {
  const actions: Action[] = [];
  const seen = new Set<string>();
  while (tokens.next.kind !== 'end') {
    const clause = tokens.take().text.toUpperCase();
    const parseAction = CLAUSES[clause];
    if (parseAction === undefined || seen.has(clause)) throw validation(`Syntax error at "${clause}"`);
    seen.add(clause);
    do actions.push(parseAction(tokens, found));
    while (tokens.takes(','));
  }
  if (actions.length === 0) throw validation('An update expression must not be empty');
  return actions;
}

const CLAUSES: Record<string, (tokens: Tokens, found: Placeholders) => Action> = {
  SET: (tokens, found) => {
    const name = parseName(tokens, found);
    tokens.expect('=');
    return { name, value: parseSum(tokens, found) };
  },
  REMOVE: (tokens, found) => ({ name: parseName(tokens, found), value: undefined }),
  ADD: (tokens, found) => {
    const name = parseName(tokens, found);
    const increment = parseOperand(tokens, found);
    const zero: AttributeValue = { N: '0' };
    return { name, value: sum((item, bindings) => item?.[name(bindings)] ?? zero, increment, 1) };
  },
};

function parseSum(tokens: Tokens, found: Placeholders): Operand {
  const left = parseTerm(tokens, found);
  if (tokens.takes('+')) return sum(left, parseTerm(tokens, found), 1);
  if (tokens.takes('-')) return sum(left, parseTerm(tokens, found), -1);
  return left;
}

function parseTerm(tokens: Tokens, found: Placeholders): Operand {
  if (!tokens.callsFunction) return parseOperand(tokens, found);
  const { text } = tokens.take();
  if (text !== 'if_not_exists') throw validation(`The simulated table does not know the function ${text}`);
  tokens.expect('(');
  const name = parseName(tokens, found);
  tokens.expect(',');
  const otherwise = parseOperand(tokens, found);
  tokens.expect(')');
  return (item, bindings) => item?.[name(bindings)] ?? otherwise(item, bindings);
}

function sum(left: Operand, right: Operand, sign: 1 | -1): Operand {
  return (item, bindings) => {
    const a = left(item, bindings);
    const b = right(item, bindings);
    if (a === undefined || b === undefined) return undefined;
    if (a.N === undefined || b.N === undefined)
      throw validation('Incorrect operand type for operator or function; operator: + or -');
    return { N: String(Number(a.N) + sign * Number(b.N)) };
  };
}
