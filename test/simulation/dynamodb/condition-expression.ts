import { areEqual, type Item, order, typeOf } from './attribute-values.ts';
import {
  type Bindings,
  type Operand,
  type Placeholders,
  parseName,
  parseOperand,
} from './expression-operands.ts';
import { Tokens } from './expression-tokens.ts';
import { validation } from './faults.ts';

export type ConditionTest = (item: Item | undefined, bindings: Bindings) => boolean;

/** A condition, a filter or a key condition. */
export interface ConditionExpression extends Placeholders {
  readonly holds: ConditionTest;
}

const parsed = new Map<string, ConditionExpression>();

/**
 * Understands comparisons, BETWEEN, IN, AND, OR, NOT, parentheses and the functions below, over attributes of the
 * top level (DynamoDB, "Condition and filter expressions, operators, and functions").
 *
 * @throws ValidationException for anything else
 */
export function conditionExpression(text: string): ConditionExpression {
  let condition = parsed.get(text);
  if (condition === undefined) {
    const tokens = new Tokens(text);
    const found: Placeholders = { aliases: new Set(), values: new Set() };
    const holds = parseCondition(tokens, found);
    if (tokens.next.kind !== 'end') throw tokens.unexpected();
    condition = { ...found, holds };
    parsed.set(text, condition);
  }
  return condition;
}

/** Reads a condition as far as it goes. */
export function parseCondition(tokens: Tokens, found: Placeholders): ConditionTest {
  const alternatives = [parseAnd(tokens, found)];
  while (tokens.takes('OR')) alternatives.push(parseAnd(tokens, found));
  if (alternatives.length === 1) return alternatives[0] as ConditionTest;
  return (item, bindings) => alternatives.some((test) => test(item, bindings));
}

function parseAnd(tokens: Tokens, found: Placeholders): ConditionTest {
  const parts = [parseNot(tokens, found)];
  while (tokens.takes('AND')) parts.push(parseNot(tokens, found));
  if (parts.length === 1) return parts[0] as ConditionTest;
  return (item, bindings) => parts.every((test) => test(item, bindings));
}

function parseNot(tokens: Tokens, found: Placeholders): ConditionTest {
  if (tokens.takes('NOT')) {
    const test = parseNot(tokens, found);
    return (item, bindings) => !test(item, bindings);
  }
  if (tokens.takes('(')) {
    const test = parseCondition(tokens, found);
    tokens.expect(')');
    return test;
  }
  return tokens.callsFunction ? parseFunction(tokens, found) : parseComparison(tokens, found);
}

function parseFunction(tokens: Tokens, found: Placeholders): ConditionTest {
  const { text } = tokens.take();
  tokens.expect('(');
  const name = parseName(tokens, found);
  let argument: Operand = () => undefined;
  if (tokens.takes(',')) argument = parseOperand(tokens, found);
  tokens.expect(')');
  switch (text) {
    case 'attribute_exists':
      return (item, bindings) => item?.[name(bindings)] !== undefined;
    case 'attribute_not_exists':
      return (item, bindings) => item?.[name(bindings)] === undefined;
    case 'attribute_type':
      return (item, bindings) => {
        const value = item?.[name(bindings)];
        return value !== undefined && typeOf(value) === argument(item, bindings)?.S;
      };
    case 'begins_with':
      return (item, bindings) => {
        const prefix = argument(item, bindings)?.S;
        return prefix !== undefined && item?.[name(bindings)]?.S?.startsWith(prefix) === true;
      };
    default:
      throw validation(`The simulated table does not know the function ${text}`);
  }
}

function parseComparison(tokens: Tokens, found: Placeholders): ConditionTest {
  const left = parseOperand(tokens, found);
  if (tokens.takes('BETWEEN')) {
    const low = parseOperand(tokens, found);
    tokens.expect('AND');
    const high = parseOperand(tokens, found);
    const notBelow = compared('>=', left, low);
    const notAbove = compared('<=', left, high);
    return (item, bindings) => notBelow(item, bindings) && notAbove(item, bindings);
  }
  if (tokens.takes('IN')) {
    tokens.expect('(');
    const choices: ConditionTest[] = [];
    do choices.push(compared('=', left, parseOperand(tokens, found)));
    while (tokens.takes(','));
    tokens.expect(')');
    return (item, bindings) => choices.some((test) => test(item, bindings));
  }
  const { kind, text: operator } = tokens.next;
  if (kind !== 'sign' || !['=', '<>', '<', '<=', '>', '>='].includes(operator)) throw tokens.unexpected();
  tokens.take();
  return compared(operator, left, parseOperand(tokens, found));
}

/** An attribute that is not there equals nothing, so it differs from everything, and is neither below nor above. */
function compared(operator: string, left: Operand, right: Operand): ConditionTest {
  const equal: ConditionTest = (item, bindings) => {
    const a = left(item, bindings);
    const b = right(item, bindings);
    return a !== undefined && b !== undefined && areEqual(a, b);
  };
  const ordered =
    (holds: (difference: number) => boolean): ConditionTest =>
    (item, bindings) => {
      const a = left(item, bindings);
      const b = right(item, bindings);
      const difference = a === undefined || b === undefined ? undefined : order(a, b);
      return difference !== undefined && holds(difference);
    };
  switch (operator) {
    case '=':
      return equal;
    case '<>':
      return (item, bindings) => !equal(item, bindings);
    case '<':
      return ordered((difference) => difference < 0);
    case '<=':
      return ordered((difference) => difference <= 0);
    case '>':
      return ordered((difference) => difference > 0);
    default:
      return ordered((difference) => difference >= 0);
  }
}
