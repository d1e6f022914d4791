import type { CancellationReason, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import {
  cancelled,
  connectionReset,
  internalServerError,
  throttled,
  throughputExceeded,
  timeout,
} from '../dynamodb/faults.ts';
import type { Carrier } from '../dynamodb/simulated-database.ts';
import type { SimulatedDynamoDb } from '../dynamodb/simulated-dynamodb.ts';
import type { Transaction } from '../dynamodb/transactions.ts';
import type { FaultSource } from './fault-board.ts';
import type { SimulatedProcess } from './process.ts';
import type { Randomness } from './randomness.ts';
import { NATURE, type Schedule } from './schedule.ts';
import type { Story } from './story.ts';

export const STORE_FAULTS = [
  /** Never executed; the caller waits in vain. */
  'request-lost',
  /** Never executed; the caller hears of it. */
  'connection-refused',
  /** Executed; the caller waits in vain. */
  'answer-lost',
  /** Executed; the caller's connection breaks. */
  'connection-broken',
  /** Executed long after the caller has given up. */
  'executed-late',
  /** Executed, and answered with a 500. */
  'error-after',
  /** Not executed, and answered with a 500. */
  'error-before',
  /** Not executed: too many calls. */
  'throttled',
  /** Not executed: an item of the transaction is busy elsewhere, or throttled. */
  'item-refused',
  /** Executed and answered, at leisure. */
  'slow',
] as const;

export type StoreFault = (typeof STORE_FAULTS)[number];

type Plain = Record<string, unknown>;

export interface StoreLinkParts {
  readonly schedule: Schedule;
  readonly store: SimulatedDynamoDb;
  readonly process: SimulatedProcess;
  readonly random: Randomness;
  readonly faults: FaultSource<StoreFault>;
  readonly story: Story;
  /** After this time without an answer the SDK gives up. Milliseconds. */
  readonly timeoutMs: number;
  /** Told whose call is about to take effect. */
  readonly onExecution: (process: SimulatedProcess) => void;
}

/** What an execution comes to. */
type Outcome = { readonly output: Plain } | { readonly error: unknown };

/** A way of the usual length to the store, or back. Milliseconds. */
const USUAL_MS = [0.5, 6] as const;
/** A slow one: mostly within the SDK's patience, at times not. */
const SLOW_MS = [20, 4_000] as const;
/** How long after the caller gave up a request may still be executed. */
const LATE_MS = [100, 60_000] as const;

/** One process's connection to the store: every call takes its time, and what may befall a call befalls it here. */
export class StoreLink implements Carrier {
  readonly #parts: StoreLinkParts;
  #calls = 0;

  constructor(parts: StoreLinkParts) {
    this.#parts = parts;
  }

  sleep(milliseconds: number): Promise<void> {
    return this.#parts.process.sleep(milliseconds);
  }

  random(): number {
    return this.#parts.random.next();
  }

  carry(operation: string, input: Plain): Promise<Plain> {
    const { schedule, random, faults, process, story, timeoutMs } = this.#parts;
    this.#calls += 1;
    const call = this.#calls;
    const sentAt = schedule.now;
    const fault = faults.draw();
    if (story.told) {
      const words = `call ${call}: ${operation} ${summary(operation, input)}`;
      story.tell(process.name, fault === undefined ? words : `${words}  [${fault}]`);
    }
    return new Promise((resolve, reject) => {
      let answered = false;
      const answer = (after: number, outcome: Outcome) => {
        if (answered) return;
        answered = true;
        const tooLate = schedule.now + after - sentAt >= timeoutMs;
        const wait = tooLate ? Math.max(0, sentAt + timeoutMs - schedule.now) : after;
        const heard: Outcome = tooLate ? { error: timeout() } : outcome;
        schedule.after(wait, process, 'answer', () => {
          if (story.told) story.tell(process.name, `answer ${call}: ${outcomeWords(heard)}`);
          if ('error' in heard) reject(heard.error);
          else resolve(heard.output);
        });
      };
      const way = () => (fault === 'slow' ? random.spread(...SLOW_MS) : random.spread(...USUAL_MS));
      const execute = (delay: number, then: (outcome: Outcome) => void) =>
        schedule.after(delay, NATURE, 'execute', () => this.#execute(operation, input, call, way, then));

      switch (fault) {
        case 'request-lost':
          return answer(timeoutMs, { error: timeout() });
        case 'connection-refused':
          return answer(way(), { error: connectionReset() });
        case 'error-before':
          return answer(way(), { error: internalServerError() });
        case 'throttled':
          return answer(way(), { error: random.chance(0.5) ? throttled() : throughputExceeded() });
        case 'item-refused':
          return answer(way(), this.#refusal(operation, input));
        case 'answer-lost':
          answer(timeoutMs, { error: timeout() });
          return execute(way(), () => {});
        case 'executed-late':
          answer(timeoutMs, { error: timeout() });
          return execute(timeoutMs + random.spread(...LATE_MS), () => {});
        case 'connection-broken':
          return execute(way(), () => answer(way(), { error: connectionReset() }));
        case 'error-after':
          return execute(way(), () => answer(way(), { error: internalServerError() }));
        default:
          return execute(way(), (outcome) => answer(way(), outcome));
      }
    });
  }

  /** A transaction takes effect some time after its beginning; anything else at once. */
  #execute(
    operation: string,
    input: Plain,
    call: number,
    way: () => number,
    then: (outcome: Outcome) => void,
  ): void {
    const { schedule, store, process, story, onExecution } = this.#parts;
    const told = (outcome: Outcome) => {
      if (story.told && 'error' in outcome)
        story.tell('store', `${process.name}'s call ${call}: ${outcomeWords(outcome)}`);
      then(outcome);
    };
    if (operation !== 'TransactWriteItems') {
      onExecution(process);
      let outcome: Outcome;
      try {
        outcome = { output: store.execute(operation, input) };
      } catch (error) {
        outcome = { error };
      }
      told(outcome);
      return;
    }
    let transaction: Transaction;
    try {
      transaction = store.begin(input as { TransactItems?: TransactWriteItem[] });
    } catch (error) {
      told({ error });
      return;
    }
    schedule.after(way(), NATURE, 'commit', () => {
      onExecution(process);
      if (story.told) story.tell('store', `${process.name}'s call ${call} takes effect`);
      transaction.commit();
      told({ output: {} });
    });
  }

  #refusal(operation: string, input: Plain): Outcome {
    if (operation !== 'TransactWriteItems') return { error: throttled() };
    const { random } = this.#parts;
    const items = (input.TransactItems as unknown[]).length;
    const code = random.pick(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);
    const refused = random.integer(0, items - 1);
    const reasons = Array.from(
      { length: items },
      (_, index): CancellationReason => ({ Code: index === refused ? code : 'None' }),
    );
    return { error: cancelled(reasons) };
  }
}

function outcomeWords(outcome: Outcome): string {
  if ('output' in outcome) {
    const { Items, Item } = outcome.output as { Items?: unknown[]; Item?: unknown };
    if (Items !== undefined) return `${Items.length} items`;
    return Item === undefined ? 'done' : 'an item';
  }
  const { error } = outcome;
  const reasons = (error as { CancellationReasons?: CancellationReason[] }).CancellationReasons;
  const name = error instanceof Error ? error.name : String(error);
  return reasons === undefined ? name : `cancelled [${reasons.map(({ Code }) => Code).join(', ')}]`;
}

/** What a call is about, in a few words. */
export function summary(operation: string, input: Plain): string {
  if (operation === 'TransactWriteItems') {
    return (input.TransactItems as TransactWriteItem[]).map(itemWords).join(' + ');
  }
  if (operation === 'Query') {
    const values = Object.values((input.ExpressionAttributeValues ?? {}) as Plain);
    return `${String(input.IndexName ?? 'table')} ${values.map(valueWords).join(' ')}`;
  }
  if (operation === 'BatchGetItem') {
    const [request] = Object.values(input.RequestItems as Record<string, { Keys: Plain[] }>);
    return (request?.Keys ?? []).map(({ PK }) => valueWords(PK)).join(' ');
  }
  const key = (input.Key ?? input.Item ?? {}) as Plain;
  return valueWords(key.PK);
}

function itemWords(item: TransactWriteItem): string {
  for (const [kind, write] of Object.entries(item)) {
    if (write === undefined) continue;
    const {
      Key,
      Item,
      ExpressionAttributeValues: values,
    } = write as {
      Key?: Plain;
      Item?: Plain;
      ExpressionAttributeValues?: Plain;
    };
    const to = values?.[':to'] ?? values?.[':allocated'];
    const move = kind === 'Update' && to !== undefined ? ` -> ${valueWords(to)}` : '';
    return `${kind} ${valueWords((Key ?? Item)?.PK)}${move}`;
  }
  return '?';
}

function valueWords(value: unknown): string {
  const { S, N } = (value ?? {}) as { S?: string; N?: string };
  return S ?? N ?? String(value);
}
