import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Item } from './attribute-values.ts';
import type { Tokens } from './expression-tokens.ts';
import { validation } from './faults.ts';

/** What a call binds the placeholders of its expressions to. */
export interface Bindings {
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, AttributeValue>>;
}

/** The placeholders that an expression has. */
export interface Placeholders {
  readonly aliases: Set<string>;
  readonly values: Set<string>;
}

export type Operand = (item: Item | undefined, bindings: Bindings) => AttributeValue | undefined;
export type AttributeName = (bindings: Bindings) => string;

/** `attribute` or `#alias`. */
export function parseName(tokens: Tokens, found: Placeholders): AttributeName {
  const { kind, text } = tokens.next;
  if (kind === 'name') {
    tokens.take();
    return () => text;
  }
  if (kind !== 'alias') throw tokens.unexpected();
  tokens.take();
  found.aliases.add(text);
  return ({ names }) => names[text] as string;
}

/** `:value`, `attribute` or `#alias`. */
export function parseOperand(tokens: Tokens, found: Placeholders): Operand {
  const { kind, text } = tokens.next;
  if (kind !== 'value') {
    const name = parseName(tokens, found);
    return (item, bindings) => item?.[name(bindings)];
  }
  tokens.take();
  found.values.add(text);
  return (_item, { values }) => values[text];
}

/**
 * Every placeholder must be defined, and every definition used.
 *
 * @throws ValidationException
 */
export function checkBindings(bindings: Bindings, expressions: readonly (Placeholders | undefined)[]): void {
  let aliases = 0;
  let values = 0;
  const seen = expressions.length > 1 ? new Set<string>() : undefined;
  for (const expression of expressions) {
    if (expression === undefined) continue;
    for (const alias of expression.aliases) {
      if (bindings.names[alias] === undefined)
        throw validation(`An expression attribute name used in the document path is not defined: ${alias}`);
      if (seen?.has(alias) !== true) aliases += 1;
      seen?.add(alias);
    }
    for (const value of expression.values) {
      if (bindings.values[value] === undefined)
        throw validation(`An expression attribute value used in expression is not defined: ${value}`);
      if (seen?.has(value) !== true) values += 1;
      seen?.add(value);
    }
  }
  if (count(bindings.names) > aliases)
    throw validation('Value provided in ExpressionAttributeNames unused in expressions');
  if (count(bindings.values) > values)
    throw validation('Value provided in ExpressionAttributeValues unused in expressions');
}

function count(definitions: Readonly<Record<string, unknown>>): number {
  let count = 0;
  for (const _name in definitions) count += 1;
  return count;
}
