import type { AttributeValue, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { Randomness } from '../world/randomness.ts';

type Plain = Record<string, unknown>;

/** A call to be made to two engines. */
export interface RandomCall {
  readonly operation: string;
  readonly input: Plain;
  /** All of its pages are read, and compared together: engines need not cut them at the same places. */
  readonly paged: boolean;
}

const PARTITIONS = ['SBX#1', 'SBX#2', 'SBX#3', 'CLAIM#a b', 'LEASE#x'];
const SORTS = ['META', 'EVT#1', 'EVT#2'];
const STATUSES = ['available', 'allocated', 'allocated#01', 'stale'];
const TRACKS = ['ann', 'bob'];

/** Makes calls of the kinds that the broker makes, over few keys and values, so that they meet. Some of them are wrong. */
export class RandomCalls {
  readonly #random: Randomness;
  readonly #table: string;
  readonly #sent: Plain[] = [];
  #tokens = 0;

  constructor(random: Randomness, table: string) {
    this.#random = random;
    this.#table = table;
  }

  next(): RandomCall {
    const operation = this.#random.pick([
      'PutItem',
      'PutItem',
      'UpdateItem',
      'UpdateItem',
      'DeleteItem',
      'GetItem',
      'Query',
      'Query',
      'Scan',
      'BatchGetItem',
      'BatchWriteItem',
      'TransactWriteItems',
      'TransactWriteItems',
      'TransactWriteItems',
    ]);
    const paged = operation === 'Query' || operation === 'Scan';
    return { operation, input: this.#input(operation), paged };
  }

  #input(operation: string): Plain {
    const random = this.#random;
    const TableName = this.#table;
    switch (operation) {
      case 'PutItem':
        return { TableName, Item: this.#item(), ...this.#guard(), ...this.#returns(['ALL_OLD']) };
      case 'UpdateItem':
        return { TableName, Key: this.#key(), ...this.#update(), ...this.#returns(['ALL_OLD', 'ALL_NEW']) };
      case 'DeleteItem':
        return { TableName, Key: this.#key(), ...this.#guard(), ...this.#returns(['ALL_OLD']) };
      case 'GetItem':
        return { TableName, Key: this.#key(), ConsistentRead: true, ...this.#projection() };
      case 'Query':
        return { TableName, ...this.#query() };
      case 'Scan':
        return { TableName, ConsistentRead: true, ...this.#filter(), ...this.#limit() };
      case 'BatchGetItem': {
        const Keys = Array.from({ length: random.integer(1, 4) }, () => this.#key());
        return { RequestItems: { [TableName]: { Keys, ConsistentRead: true } } };
      }
      case 'BatchWriteItem': {
        const requests = Array.from({ length: random.integer(1, 3) }, () =>
          random.chance(0.7)
            ? { PutRequest: { Item: this.#item() } }
            : { DeleteRequest: { Key: this.#key() } },
        );
        return { RequestItems: { [TableName]: requests } };
      }
      default:
        return this.#transaction();
    }
  }

  #transaction(): Plain {
    const random = this.#random;
    // The same call again, or the token of one for another.
    if (this.#sent.length > 0 && random.chance(0.15)) {
      const earlier = random.pick(this.#sent);
      if (random.chance(0.7)) return earlier;
      return { ...this.#items(), ClientRequestToken: earlier.ClientRequestToken };
    }
    this.#tokens += 1;
    const input = { ...this.#items(), ClientRequestToken: `${this.#table}-${this.#tokens}`.slice(-36) };
    this.#sent.push(input);
    return input;
  }

  #items(): Plain {
    const random = this.#random;
    const TableName = this.#table;
    const old = random.chance(0.5) ? { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const } : {};
    const items = Array.from({ length: random.integer(1, 4) }, (): TransactWriteItem => {
      const kind = random.pick(['Put', 'Update', 'Delete', 'ConditionCheck']);
      const guard = this.#guard();
      if (kind === 'Put') return { Put: { TableName, Item: this.#item(), ...guard, ...old } };
      if (kind === 'Update')
        return { Update: { TableName, Key: this.#key(), ...this.#update(), ...old } } as TransactWriteItem;
      if (kind === 'Delete') return { Delete: { TableName, Key: this.#key(), ...guard, ...old } };
      const check = 'ConditionExpression' in guard ? guard : { ConditionExpression: 'attribute_exists(PK)' };
      return { ConditionCheck: { TableName, Key: this.#key(), ...check, ...old } } as TransactWriteItem;
    });
    return { TransactItems: items };
  }

  #key(): Record<string, AttributeValue> {
    return { PK: { S: this.#random.pick(PARTITIONS) }, SK: { S: this.#random.pick(SORTS) } };
  }

  #item(): Record<string, AttributeValue> {
    const random = this.#random;
    const item: Record<string, AttributeValue> = this.#key();
    if (random.chance(0.8)) item.status = { S: random.pick(STATUSES) };
    if (random.chance(0.8)) item.allocated_at = { N: String(random.integer(0, 3)) };
    if (random.chance(0.5)) item.allocated_to_track = { S: random.pick(TRACKS) };
    if (random.chance(0.5)) item.idempotency_key = { S: random.pick(TRACKS) };
    if (random.chance(0.5)) item.count = { N: random.pick(['1', '2', '2.50', '-3']) };
    if (random.chance(0.3))
      item.note = random.pick([{ NULL: true }, { S: '' }, { S: 'words' }]) as AttributeValue;
    if (random.chance(0.3)) item.superseded = { BOOL: random.chance(0.5) };
    if (random.chance(0.2)) item.memory = { M: { a: { N: '1' }, b: { L: [{ S: 'x' }] } } };
    // The key of an index must not be null.
    if (random.chance(0.03)) item.idempotency_key = { NULL: true };
    return item;
  }

  /** A condition, at times none, at times one with a mistake. */
  #guard(): Plain {
    const random = this.#random;
    if (random.chance(0.3)) return {};
    const [ConditionExpression, values] = random.pick<[string, Record<string, AttributeValue>]>([
      ['attribute_not_exists(PK)', {}],
      ['attribute_exists(PK)', {}],
      ['#status = :s', { ':s': { S: random.pick(STATUSES) } }],
      ['#status <> :s', { ':s': { S: random.pick(STATUSES) } }],
      ['#status = :s AND allocated_at = :n', { ':s': { S: 'available' }, ':n': { N: '0' } }],
      ['attribute_not_exists(PK) OR allocated_at <= :n', { ':n': { N: '2' } }],
      ['NOT begins_with(#status, :s)', { ':s': { S: 'allocated' } }],
      [
        'begins_with(#status, :s) AND NOT attribute_type(note, :t)',
        { ':s': { S: 'a' }, ':t': { S: 'NULL' } },
      ],
      ['(note = :s OR NOT attribute_type(note, :t))', { ':s': { S: 'words' }, ':t': { S: 'S' } }],
      ['allocated_at BETWEEN :n AND :m', { ':n': { N: '1' }, ':m': { N: '2' } }],
      ['allocated_to_track IN (:a, :b)', { ':a': { S: 'ann' }, ':b': { S: 'zoe' } }],
      ['count > :n', { ':n': { N: '1.5' } }],
      ['note < :s', { ':s': { S: 'x' } }],
      ['superseded = :b', { ':b': { BOOL: true } }],
      ['memory = :m', { ':m': { M: { b: { L: [{ S: 'x' }] }, a: { N: '1.0' } } } }],
      ['attribute_exists(idempotency_key) AND idempotency_key <> :s', { ':s': { S: 'ann' } }],
    ]);
    // `count` is a reserved word.
    const expression = ConditionExpression.replace('count', '#count');
    const names: Record<string, string> = {};
    if (expression.includes('#status')) names['#status'] = 'status';
    if (expression.includes('#count')) names['#count'] = 'count';
    if (random.chance(0.03)) names['#unused'] = 'unused';
    if (random.chance(0.03)) values[':unused'] = { S: 'unused' };
    return bound({ ConditionExpression: expression }, names, values);
  }

  #update(): Plain {
    const random = this.#random;
    const guard = this.#guard() as {
      ExpressionAttributeNames?: Record<string, string>;
      ExpressionAttributeValues?: Record<string, AttributeValue>;
    };
    const [UpdateExpression, values] = random.pick<[string, Record<string, AttributeValue>]>([
      ['SET #u = :u', { ':u': { S: random.pick(STATUSES) } }],
      ['SET #u = :u, allocated_at = :v REMOVE note', { ':u': { S: 'stale' }, ':v': { N: '2' } }],
      ['SET #c = #c + :u', { ':u': { N: '1' } }],
      ['SET #c = if_not_exists(#c, :u) - :v', { ':u': { N: '10' }, ':v': { N: '1' } }],
      ['SET note = #u', {}],
      ['REMOVE allocated_to_track, superseded', {}],
      ['ADD #c :u', { ':u': { N: '2' } }],
      ['SET idempotency_key = :u', { ':u': random.chance(0.2) ? { NULL: true } : { S: 'ann' } }],
    ]);
    const names = { ...guard.ExpressionAttributeNames };
    if (UpdateExpression.includes('#u')) names['#u'] = 'status';
    if (UpdateExpression.includes('#c')) names['#c'] = 'count';
    return bound({ ...guard, UpdateExpression }, names, { ...guard.ExpressionAttributeValues, ...values });
  }

  #query(): Plain {
    const random = this.#random;
    const direction = random.chance(0.5) ? { ScanIndexForward: random.chance(0.5) } : {};
    if (random.chance(0.3)) {
      const [KeyConditionExpression, values] = random.pick<[string, Record<string, AttributeValue>]>([
        ['PK = :p', {}],
        ['PK = :p AND begins_with(SK, :s)', { ':s': { S: 'EVT#' } }],
        ['PK = :p AND SK > :s', { ':s': { S: 'EVT#1' } }],
      ]);
      const all = { ':p': { S: random.pick(PARTITIONS) }, ...values };
      return {
        ...bound({ KeyConditionExpression }, {}, all),
        ...direction,
        ...this.#limit(),
        ConsistentRead: true,
      };
    }
    const [IndexName, partition, value] = random.pick([
      ['StatusIndex', '#k', random.pick(STATUSES)],
      ['TrackIndex', '#k', random.pick(TRACKS)],
      ['IdempotencyIndex', '#k', random.pick(TRACKS)],
    ] as const);
    const name = {
      StatusIndex: 'status',
      TrackIndex: 'allocated_to_track',
      IdempotencyIndex: 'idempotency_key',
    }[IndexName];
    const [sort, values] = random.pick<[string, Record<string, AttributeValue>]>([
      ['', {}],
      [' AND allocated_at = :n', { ':n': { N: '0' } }],
      [' AND allocated_at < :n', { ':n': { N: '2' } }],
      [' AND allocated_at BETWEEN :n AND :m', { ':n': { N: '1' }, ':m': { N: '3' } }],
    ]);
    const filter = this.#filter() as {
      FilterExpression?: string;
      ExpressionAttributeValues?: Record<string, AttributeValue>;
    };
    return {
      IndexName,
      ...bound(
        { ...filter, KeyConditionExpression: `${partition} = :k${sort}` },
        { '#k': name },
        { ...filter.ExpressionAttributeValues, ...values, ':k': { S: value } },
      ),
      ...direction,
      ...this.#limit(),
      ...(random.chance(0.2) ? { Select: 'COUNT' } : {}),
      ...(random.chance(0.03) ? { ConsistentRead: true } : {}),
    };
  }

  #filter(): Plain {
    if (this.#random.chance(0.6)) return {};
    return {
      FilterExpression: 'begins_with(PK, :f)',
      ExpressionAttributeValues: { ':f': { S: this.#random.pick(['SBX#', 'CLAIM#', 'nobody']) } },
    };
  }

  #limit(): Plain {
    return this.#random.chance(0.5) ? { Limit: this.#random.integer(1, 3) } : {};
  }

  #projection(): Plain {
    if (this.#random.chance(0.7)) return {};
    return { ProjectionExpression: 'PK, #s, note', ExpressionAttributeNames: { '#s': 'status' } };
  }

  #returns(values: readonly string[]): Plain {
    return this.#random.chance(0.5) ? { ReturnValues: this.#random.pick(values) } : {};
  }
}

/** Only what there is: an engine may refuse empty definitions. */
function bound(
  expressions: Plain,
  names: Record<string, string>,
  values: Record<string, AttributeValue>,
): Plain {
  const { ExpressionAttributeNames, ExpressionAttributeValues, ...others } = expressions;
  return {
    ...others,
    ...(Object.keys(names).length === 0 ? {} : { ExpressionAttributeNames: names }),
    ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
  };
}
