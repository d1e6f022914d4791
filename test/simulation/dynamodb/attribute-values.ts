import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export type Item = Readonly<Record<string, AttributeValue>>;

/** The type that DynamoDB gives a value: `S`, `N`, `BOOL`, ... */
export function typeOf(value: AttributeValue): string {
  for (const type in value) return type;
  throw new Error('An attribute value has no type');
}

/** Two values are equal when their types and contents are; numbers by what they are, not how they are written. */
export function areEqual(left: AttributeValue, right: AttributeValue): boolean {
  if (left.S !== undefined) return left.S === right.S;
  if (left.N !== undefined) return right.N !== undefined && Number(left.N) === Number(right.N);
  if (left.BOOL !== undefined) return left.BOOL === right.BOOL;
  if (left.NULL !== undefined) return right.NULL !== undefined;
  if (left.L !== undefined) {
    const others = right.L;
    return (
      others !== undefined &&
      left.L.length === others.length &&
      left.L.every((value, index) => areEqual(value, others[index] as AttributeValue))
    );
  }
  if (left.M !== undefined) {
    const others = right.M;
    if (others === undefined || Object.keys(left.M).length !== Object.keys(others).length) return false;
    return Object.entries(left.M).every(([name, value]) => {
      const other = others[name];
      return other !== undefined && areEqual(value, other);
    });
  }
  throw new Error(`The simulated table does not compare values of type ${typeOf(left)}`);
}

/** Below, at or above zero as `left` sorts against `right`; undefined where they cannot be ordered. */
export function order(left: AttributeValue, right: AttributeValue): number | undefined {
  if (left.N !== undefined && right.N !== undefined) return Number(left.N) - Number(right.N);
  if (left.S !== undefined && right.S !== undefined) return orderStrings(left.S, right.S);
  return undefined;
}

/** The order of UTF-8 bytes, which is that of code points: not that of JavaScript beyond the basic plane. */
export function orderStrings(left: string, right: string): number {
  if (left === right) return 0;
  if (/[\ud800-\udfff]/.test(left + right)) return Buffer.compare(Buffer.from(left), Buffer.from(right));
  return left < right ? -1 : 1;
}

/** A plain value as the document client writes it, with `removeUndefinedValues`. */
export function marshall(value: unknown): AttributeValue {
  if (value === null) return { NULL: true };
  switch (typeof value) {
    case 'string':
      return { S: value };
    case 'number':
      return { N: String(value) };
    case 'boolean':
      return { BOOL: value };
    case 'object':
      if (Array.isArray(value))
        return { L: value.filter((each) => each !== undefined).map((each) => marshall(each)) };
      if (Object.getPrototypeOf(value) === Object.prototype)
        return { M: marshallItem(value as Record<string, unknown>) };
  }
  throw new Error(`The simulated table does not store ${String(value)}`);
}

export function marshallItem(plain: Record<string, unknown>): Record<string, AttributeValue> {
  const item: Record<string, AttributeValue> = {};
  for (const name in plain) {
    const value = plain[name];
    if (value !== undefined) item[name] = marshall(value);
  }
  return item;
}

/** What the document client makes of a value. */
export function unmarshall(value: AttributeValue): unknown {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.NULL !== undefined) return null;
  if (value.L !== undefined) return value.L.map(unmarshall);
  if (value.M !== undefined) return unmarshallItem(value.M);
  throw new Error(`The simulated table does not read values of type ${typeOf(value)}`);
}

export function unmarshallItem(item: Item): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const name in item) plain[name] = unmarshall(item[name] as AttributeValue);
  return plain;
}
