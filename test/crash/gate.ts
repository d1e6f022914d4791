import { setTimeout as realTime } from 'node:timers/promises';
import type { Database } from '../../src/store/database.ts';
import { type DatabaseCall, tapDatabase } from '../support/tapped-database.ts';

/** Where a process stops: before a call was sent, or after it took effect and before its answer is read. */
export type Side = 'before' | 'after';

/** One call through a gate, for people. */
export interface Passage {
  readonly name: string;
}

/**
 * Stands between a broker and everything that it has an effect on, and can hold it at any of its calls: nothing
 * that it has begun goes on, and nothing new gets out, as if its process had been stopped (SIGSTOP) or ended there.
 */
export class Gate {
  /** Every call so far. */
  readonly passages: Passage[] = [];
  #inFlight = 0;
  #held: { at: number; side: Side } | undefined;
  #closed: { opened: Promise<void>; open: () => void } | undefined;
  #onClosed: (() => void) | undefined;

  /** Calls of a table go through the gate. */
  guard(database: Database): Database {
    return tapDatabase(database, (call, next) => this.pass(nameOf(call, database.tableName), next));
  }

  /** The gate closes at the `count`-th call from now on. @returns a promise that resolves when it has */
  closeAt(count: number, side: Side): Promise<void> {
    this.#held = { at: this.passages.length + count, side };
    return new Promise((resolve) => {
      this.#onClosed = resolve;
    });
  }

  /** Those that were held go on. */
  open(): void {
    this.#held = undefined;
    this.#onClosed = undefined;
    this.#closed?.open();
    this.#closed = undefined;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** Calls that have been sent, and whose answer has not come. */
  get inFlight(): number {
    return this.#inFlight;
  }

  async pass<Result>(name: string, next: () => Promise<Result>): Promise<Result> {
    await this.#opened();
    const number = this.passages.push({ name });
    const held = this.#held?.at === number ? this.#held.side : undefined;
    if (held === 'before') await this.#close();
    this.#inFlight += 1;
    try {
      return await next();
    } finally {
      this.#inFlight -= 1;
      // Unless it was opened meanwhile: what had been asked for may have ended without this call.
      if (held === 'after' && this.#held?.at === number) await this.#close();
      // Others had been sent when it closed: their answers are not read either.
      else await this.#opened();
    }
  }

  /** Resolves when every call that had been sent has taken effect. */
  async quiet(): Promise<void> {
    for (let still = 0; still < 3; still = this.#inFlight === 0 ? still + 1 : 0) await realTime(1);
  }

  async #opened(): Promise<void> {
    while (this.#closed !== undefined) await this.#closed.opened;
  }

  #close(): Promise<void> {
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#closed = { opened, open };
    this.#onClosed?.();
    return opened;
  }
}

/** What a call is about: its operation, and the kinds of row that it names. */
function nameOf({ operation, input }: DatabaseCall, tableName: string): string {
  const writes: Record<string, { Key?: unknown; Item?: unknown }>[] = input.TransactItems ?? [];
  if (writes.length > 0) {
    const parts = writes.map((write) => {
      const [kind, detail] = Object.entries(write)[0] ?? ['', {}];
      return `${kind} ${rowKind(detail.Key ?? detail.Item)}`;
    });
    return `${operation} (${parts.join(', ')})`;
  }
  if (input.IndexName !== undefined) return `${operation} ${input.IndexName}`;
  const keys = input.RequestItems?.[tableName]?.Keys ?? [];
  const key = input.Key ?? input.Item ?? keys[0];
  return key === undefined ? operation : `${operation} ${rowKind(key)}`;
}

/** `SBX`, `CLAIM`, `TOMB`, `LEASE`; an event shares its partition with its sandbox. */
function rowKind(item: unknown): string {
  const { PK, SK } = (item ?? {}) as Record<string, string | { S?: string } | undefined>;
  const text = (value: string | { S?: string } | undefined) =>
    (typeof value === 'string' ? value : value?.S) ?? '';
  return text(SK).startsWith('EVT#') ? 'event' : text(PK).split('#')[0]!.toLowerCase();
}
