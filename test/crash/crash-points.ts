import { describe, expect, inject, test } from 'vitest';
import type { Environment } from '../support/table.ts';
import type { Side } from './gate.ts';
import type { GatedBroker } from './gated-broker.ts';
import { CrashInstallation } from './installation.ts';

/** Something that a broker does in several effects, and that must come to the same wherever its process ends. */
export interface Operation<Context> {
  readonly name: string;
  /** Whether nothing is left of a previous broker; true by default. */
  readonly adopted?: boolean;
  /** Settings of the brokers beside the usual ones. */
  readonly environment?: Environment;
  /** Brings the installation to where the operation begins. */
  prepare(installation: CrashInstallation): Promise<Context>;
  perform(installation: CrashInstallation, broker: GatedBroker, context: Context): Promise<unknown>;
  /** What must hold at once, wherever it ended. By default that no invariant is broken. */
  inspect?(installation: CrashInstallation, context: Context): Promise<void>;
  /** What its caller, or the schedule, does next, at another process. */
  repeat(installation: CrashInstallation, broker: GatedBroker, context: Context): Promise<void>;
  /** To what it must have come then. */
  expectDone(installation: CrashInstallation, context: Context): Promise<void>;
}

/**
 * One test for each point at which the process can end: before and after each call that the operation makes, as a
 * first run without an end shows them.
 */
export async function testCrashPoints<Context>(operation: Operation<Context>): Promise<void> {
  const calls = await callsOf(operation);
  describe(`${operation.name} makes ${calls.length} calls`, () => {
    for (const [index, call] of calls.entries()) {
      for (const side of ['before', 'after'] as const) {
        test(`ended ${side} call ${index + 1}, ${call}, it comes to the same when it is repeated`, () =>
          endAt(operation, index + 1, side));
      }
    }
  });
}

async function callsOf<Context>(operation: Operation<Context>): Promise<string[]> {
  const installation = await CrashInstallation.open(inject('engineUrl'), operation);
  try {
    const context = await operation.prepare(installation);
    const broker = await installation.broker();
    const from = broker.gate.passages.length;
    await installation.waitFor(operation.perform(installation, broker, context));
    return broker.gate.passages.slice(from).map(({ name }) => name);
  } finally {
    await installation.close();
  }
}

async function endAt<Context>(operation: Operation<Context>, call: number, side: Side): Promise<void> {
  const installation = await CrashInstallation.open(inject('engineUrl'), operation);
  try {
    const context = await operation.prepare(installation);
    const broker = await installation.broker();
    const from = broker.gate.passages.length;
    const ended = broker.gate.closeAt(call, side).then(() => 'ended');
    const work = operation.perform(installation, broker, context);
    const outcome = await installation.waitFor(Promise.race([work, ended]));
    // Reads of one moment share a call, so this run may have needed fewer than the first, and come to its end.
    if (outcome !== 'ended') expect(broker.gate.passages.length - from).toBeLessThan(call);
    broker.clock.end();
    await broker.gate.quiet();

    if (operation.inspect === undefined) expect(await installation.violations()).toEqual([]);
    else await operation.inspect(installation, context);
    await operation.repeat(installation, await installation.broker(), context);
    expect(await installation.violations()).toEqual([]);
    await operation.expectDone(installation, context);
  } finally {
    await installation.close();
  }
}
