import { type ConditionTest, parseCondition } from './condition-expression.ts';
import {
  type AttributeName,
  type Operand,
  type Placeholders,
  parseName,
  parseOperand,
} from './expression-operands.ts';
import { Tokens } from './expression-tokens.ts';

/** The condition of a query: which partition, and what of its sort keys. */
export interface KeyCondition extends Placeholders {
  readonly partitionName: AttributeName;
  readonly partitionValue: Operand;
  readonly rest: ConditionTest;
}

const parsed = new Map<string, KeyCondition>();
const ANY: ConditionTest = () => true;

/** Understands `partition = :value`, then, after AND, a condition on the sort key. @throws ValidationException */
export function keyCondition(text: string): KeyCondition {
  let condition = parsed.get(text);
  if (condition === undefined) {
    const tokens = new Tokens(text);
    const found: Placeholders = { aliases: new Set(), values: new Set() };
    const partitionName = parseName(tokens, found);
    tokens.expect('=');
    const partitionValue = parseOperand(tokens, found);
    const rest = tokens.takes('AND') ? parseCondition(tokens, found) : ANY;
    if (tokens.next.kind !== 'end') throw tokens.unexpected();
    condition = { ...found, partitionName, partitionValue, rest };
    parsed.set(text, condition);
  }
  return condition;
}
