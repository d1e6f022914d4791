import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Item } from './attribute-values.ts';
import { type AttributeName, type Bindings, type Placeholders, parseName } from './expression-operands.ts';
import { Tokens } from './expression-tokens.ts';

export interface ProjectionExpression extends Placeholders {
  readonly applied: (item: Item, bindings: Bindings) => Item;
}

const parsed = new Map<string, ProjectionExpression>();

/** A list of attributes of the top level. @throws ValidationException for anything else */
export function projectionExpression(text: string): ProjectionExpression {
  let projection = parsed.get(text);
  if (projection === undefined) {
    const tokens = new Tokens(text);
    const found: Placeholders = { aliases: new Set(), values: new Set() };
    const names: AttributeName[] = [];
    do names.push(parseName(tokens, found));
    while (tokens.takes(','));
    if (tokens.next.kind !== 'end') throw tokens.unexpected();
    projection = {
      ...found,
      applied: (item, bindings) => {
        const projected: Record<string, AttributeValue> = {};
        for (const name of names) {
          const attribute = name(bindings);
          const value = item[attribute];
          if (value !== undefined) projected[attribute] = value;
        }
        return projected;
      },
    };
    parsed.set(text, projection);
  }
  return projection;
}
