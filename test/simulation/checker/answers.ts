import { BrokerError } from '../../../src/domain/errors.ts';
import { claimKeyOf, claimKeyText } from '../../../src/domain/identifiers.ts';
import type { Item } from '../dynamodb/attribute-values.ts';
import type { Violations } from '../world/violations.ts';
import type { Allocations } from './allocations.ts';
import { numberOf } from './rows.ts';

export interface Asked {
  readonly claimKey: string;
  readonly track: string;
  readonly namePrefix: string | undefined;
  /** The step at which the request reached the broker. */
  readonly step: number;
  readonly time: number;
}

/** What allocate answers a client. */
export interface GivenAllocation {
  readonly sandboxId: string;
  readonly name: string;
  readonly externalId: string;
  readonly allocatedAt: number;
  readonly labDurationHours: number;
  readonly replayed: boolean;
}

/**
 * Holds what the broker answers against what the table says: an answer must have been true at some moment between
 * its request and itself (I2, I3), and there is one 201 for an allocation and no more.
 */
export class Answers {
  readonly #allocations: Allocations;
  readonly #violations: Violations;
  readonly #now: () => { readonly step: number; readonly time: number };
  readonly #freeSince: (asked: Asked) => string | undefined;

  /** @param freeSince a sandbox that has been free, and shown as free, since long before a request came */
  constructor(
    allocations: Allocations,
    violations: Violations,
    now: () => { readonly step: number; readonly time: number },
    freeSince: (asked: Asked) => string | undefined,
  ) {
    this.#allocations = allocations;
    this.#violations = violations;
    this.#now = now;
    this.#freeSince = freeSince;
  }

  asked(track: string, idempotencyKey: string | undefined, namePrefix?: string): Asked {
    return { claimKey: claimKeyText(claimKeyOf(track, idempotencyKey)), track, namePrefix, ...this.#now() };
  }

  allocated(asked: Asked, given: GivenAllocation): void {
    const { sandboxId } = given;
    const said = `"${asked.claimKey}" was told ${given.replayed ? '200' : '201'} for sandbox ${sandboxId}`;
    const record = this.#allocations.of(sandboxId);
    if (record === undefined) {
      this.#violations.add('I3', `${said}, which was never allocated`);
      return;
    }
    if (record.claimKey !== asked.claimKey)
      this.#violations.add('I1', `${said}, which is "${record.claimKey}"'s`);
    if (record.until < asked.step)
      this.#violations.add('I3', `${said}, whose allocation had ended before it asked`);
    const wrong = differs(record.row, given);
    if (wrong !== undefined) this.#violations.add('I3', `${said}, with another ${wrong} than the row has`);
    if (given.replayed) return;
    if (record.announced) this.#violations.add('I2', `${said} a second time`);
    if (record.from < asked.step) this.#violations.add('I2', `${said}, which it had before it asked`);
    record.announced = true;
  }

  released(asked: Asked, sandboxId: string): void {
    const record = this.#allocations.of(sandboxId);
    if (record === undefined || record.until === Number.POSITIVE_INFINITY)
      this.#violations.add(
        'I3',
        `"${asked.track}" was told that sandbox ${sandboxId} is released, and it is not`,
      );
  }

  /** A refusal by the broker's own words; anything else that it throws is a defect. */
  refused(what: string, error: unknown): string {
    if (error instanceof BrokerError) return error.code;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#violations.add('defect', `${what} ended in what no client should see: ${text}`);
    return 'INTERNAL_ERROR';
  }

  /** Nothing was free, it was said. */
  turnedAway(asked: Asked): void {
    const found = this.#freeSince(asked);
    if (found !== undefined)
      this.#violations.add(
        'availability',
        `"${asked.claimKey}" was told that nothing is free, while sandbox ${found} has been for long`,
      );
  }

  /** An owner that gave its sandbox back was told that it is not its own, or not there: also after it was deleted. */
  disowned(asked: Asked, sandboxId: string, code: string): void {
    const record = this.#allocations.of(sandboxId);
    if (record === undefined || !record.claimKey.startsWith(`${asked.track} `)) return;
    if (record.from > asked.step || record.endsUntold) return;
    const holds = record.until === Number.POSITIVE_INFINITY ? 'holds' : 'held';
    this.#violations.add(
      'I7',
      `"${asked.track}" was told ${code} for sandbox ${sandboxId}, which it ${holds}`,
    );
  }
}

function differs(row: Item, given: GivenAllocation): string | undefined {
  const id = row.sandbox_id?.S;
  if ((row.name?.S ?? id) !== given.name) return 'name';
  if ((row.external_id?.S ?? id) !== given.externalId) return 'external id';
  if (numberOf(row, 'allocated_at') !== given.allocatedAt) return 'time';
  // Rows of the previous broker need not say how long they last.
  if (row.lab_duration_hours === undefined) return undefined;
  return numberOf(row, 'lab_duration_hours') === given.labDurationHours ? undefined : 'duration';
}
