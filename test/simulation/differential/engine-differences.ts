import type { RandomCall } from './random-call.ts';

interface Observed {
  readonly error?: string;
  readonly Attributes?: object;
}

export interface EngineDifference {
  readonly what: string;
  /** Whether the two answers differ in this and nothing else. */
  readonly explains: (call: RandomCall, real: Observed, simulated: Observed) => boolean;
}

/**
 * Where engines answer otherwise than the simulated table, each with the reason why the simulation keeps its own way.
 * None of them concerns a call that the broker makes.
 */
export const ENGINE_DIFFERENCES: readonly EngineDifference[] = [
  {
    what: 'A malformed call is refused by both, by the simulation before it looks at any item, as DynamoDB does; the embedded engine looks at conditions first and names whatever it finds first',
    explains: (_call, real, simulated) =>
      simulated.error === 'ValidationException' && real.error !== undefined && real.error !== simulated.error,
  },
  {
    what: 'An update that makes a new item has no old values; the embedded engine gives the key for them',
    explains: ({ operation, input }, real, simulated) =>
      operation === 'UpdateItem' &&
      input.ReturnValues === 'ALL_OLD' &&
      simulated.Attributes === undefined &&
      Object.keys(real.Attributes ?? {}).length === 2,
  },
];
