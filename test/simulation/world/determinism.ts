import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { Randomness } from './randomness.ts';

/** What a process may not ask its surroundings, as the answer is not the seed's. */
const FORBIDDEN: readonly (readonly [object, string])[] = [
  [Math, 'random'],
  [Date, 'now'],
  [globalThis, 'setTimeout'],
  [globalThis, 'setInterval'],
];

const SOURCES = new URL('../../../src/', import.meta.url).pathname;

/** The surroundings of the broker's code, taken over until they are released. */
export interface Surroundings {
  /** Begins the ids anew. */
  reseed(seed: number): void;
  release(): void;
}

/**
 * Makes the surroundings of the broker's code depend on the seed alone: ids come from it, the host has a fixed name,
 * and whoever reads the clock, the timers or the chance of this machine is reported, as no replay could repeat it;
 * so is a rejection that nobody hears of. For a whole process at once: one simulation at a time.
 */
export function takeOverSurroundings(seed: number, report: (what: string) => void): Surroundings {
  let random = new Randomness(`ids of ${seed}`);
  const undo: (() => void)[] = [];
  const replace = (owner: object, name: string, value: unknown) => {
    const former = Object.getOwnPropertyDescriptor(owner, name) as PropertyDescriptor;
    Object.defineProperty(owner, name, { ...former, value });
    undo.push(() => Object.defineProperty(owner, name, former));
  };
  const hex = (digits: number) =>
    Math.floor(random.next() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  replace(crypto, 'randomUUID', () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(8)}${hex(4)}`);
  replace(os, 'hostname', () => 'simulation');
  replace(process, 'pid', 1);
  syncBuiltinESMExports();
  for (const [owner, name] of FORBIDDEN) {
    const genuine = (owner as Record<string, (...args: unknown[]) => unknown>)[name] as (
      ...args: unknown[]
    ) => unknown;
    replace(owner, name, (...args: unknown[]) => {
      const stack = callers();
      // Whoever else lives in this process, such as the runner of the tests, may.
      if (stack.includes(SOURCES)) report(`${name} of this machine was used: ${stack}`);
      return genuine.apply(owner, args);
    });
  }
  const rejected = (reason: unknown) => {
    const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    report(`nobody heard of an error: ${text}`);
  };
  process.on('unhandledRejection', rejected);
  return {
    reseed: (next) => {
      random = new Randomness(`ids of ${next}`);
    },
    release: () => {
      process.off('unhandledRejection', rejected);
      for (const each of undo.reverse()) each();
      syncBuiltinESMExports();
    },
  };
}

/** Who called, also where a long run does without the traces of errors. */
function callers(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 20;
  const { stack } = new Error();
  Error.stackTraceLimit = limit;
  return stack ?? '';
}
