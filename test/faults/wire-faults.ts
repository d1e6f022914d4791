/** One call to the engine, as it came over the wire. */
export interface WireCall {
  /** `Query`, `TransactWriteItems`, ... */
  readonly operation: string;
  // biome-ignore lint/suspicious/noExplicitAny: rules look into the input of every operation
  readonly input: any;
  /** Partition keys that it names, in their order: `SBX#...`, `CLAIM#...`. */
  readonly keys: readonly string[];
}

export type Fault =
  /** Refused; it never reaches the engine. */
  | { readonly is: 'answered'; readonly status: number; readonly body: Record<string, unknown> }
  /** The connection is closed: before the engine has heard of it, or after it took effect. */
  | { readonly is: 'reset'; readonly when: 'before' | 'after' }
  /** No answer ever: before the engine has heard of it, or after it took effect. */
  | { readonly is: 'silence'; readonly when: 'before' | 'after' }
  /** Takes effect only when `until` resolves, which may be long after its client has given up. */
  | { readonly is: 'late'; readonly until: Promise<void> }
  /** Refused because of others' transactions on those of its items for which `on` holds. */
  | { readonly is: 'conflict'; readonly on: (key: string) => boolean };

export interface FaultRule {
  readonly on: (call: WireCall) => boolean;
  readonly fault: Fault | ((call: WireCall) => Fault);
  /** How many calls it strikes; all by default. */
  readonly times?: number;
  /** Calls that it lets pass first. */
  readonly after?: number;
  /** Strikes with this probability; always by default. */
  readonly probability?: number;
}

const TYPE = 'com.amazonaws.dynamodb.v20120810#';

function refusal(name: string, message: string, status = 400): Fault {
  return { is: 'answered', status, body: { __type: `${TYPE}${name}`, message } };
}

export const throttled = refusal('ThrottlingException', 'Rate of requests exceeds the allowed throughput.');
export const throughputExceeded = refusal(
  'ProvisionedThroughputExceededException',
  'The level of configured provisioned throughput for the table was exceeded.',
);
export const transactionInProgress = refusal(
  'TransactionInProgressException',
  'The transaction with the given request token is already in progress.',
);
export const serverError = refusal('InternalServerError', 'Internal server error', 500);

/** A page of HTML, as something between the two may send one. */
export const gatewayError: Fault = { is: 'answered', status: 503, body: { Message: 'Service Unavailable' } };

export const conflictOn = (on: (key: string) => boolean = () => true): Fault => ({ is: 'conflict', on });
export const resetBefore: Fault = { is: 'reset', when: 'before' };
export const resetAfter: Fault = { is: 'reset', when: 'after' };
export const silenceBefore: Fault = { is: 'silence', when: 'before' };
export const silenceAfter: Fault = { is: 'silence', when: 'after' };

/** The cancellation that a conflict is answered with: a reason for each item, in their order. */
export function conflictAnswer(call: WireCall, on: (key: string) => boolean): Record<string, unknown> {
  const codes = call.keys.map((key) => (on(key) ? 'TransactionConflict' : 'None'));
  return {
    __type: `${TYPE}TransactionCanceledException`,
    Message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes.join(', ')}]`,
    CancellationReasons: codes.map((Code) =>
      Code === 'None' ? { Code } : { Code, Message: 'Transaction is ongoing for the item' },
    ),
  };
}

/** A batch of which the engine has read nothing. */
export function unprocessed(call: WireCall): Fault {
  return { is: 'answered', status: 200, body: { Responses: {}, UnprocessedKeys: call.input.RequestItems } };
}

export const isTransaction = ({ operation }: WireCall) => operation === 'TransactWriteItems';
/** The transaction by which an owner ends an allocation. */
export const isRelease = (call: WireCall) =>
  isTransaction(call) && itemsOf(call.input).some((item) => item.move?.S === 'release');
export const isOn = (prefix: string) => (call: WireCall) => call.keys.some((key) => key.startsWith(prefix));
export const isIndexQuery = ({ operation, input }: WireCall) =>
  operation === 'Query' && input.IndexName !== undefined;

/** The partition keys of the items that a call names. */
// biome-ignore lint/suspicious/noExplicitAny: the input of every operation
export function keysOf(input: any): string[] {
  return itemsOf(input).map((item) => item.PK?.S ?? '');
}

// biome-ignore lint/suspicious/noExplicitAny: items as the wire has them
type Item = Record<string, any>;

/** The keys (or whole items) that a call names, in its order. */
// biome-ignore lint/suspicious/noExplicitAny: the input of every operation
export function itemsOf(input: any): Item[] {
  if (input.TransactItems !== undefined) {
    return input.TransactItems.map((write: Record<string, Item>) => {
      const detail = Object.values(write)[0] ?? {};
      return detail.Key ?? detail.Item ?? {};
    });
  }
  if (input.RequestItems !== undefined) {
    return Object.values(input.RequestItems as Record<string, Item>).flatMap((requests) =>
      Array.isArray(requests)
        ? requests.map((request: Item) => request.PutRequest?.Item ?? request.DeleteRequest?.Key ?? {})
        : requests.Keys,
    );
  }
  const one = input.Key ?? input.Item;
  return one === undefined ? [] : [one];
}
