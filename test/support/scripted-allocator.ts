import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type Allocation, type AllocationRequest, Allocator } from '../../src/allocation/allocator.ts';
import { CandidateBuffer } from '../../src/allocation/candidate-buffer.ts';
import { Deadline } from '../../src/allocation/deadline.ts';
import { ALONE } from '../../src/allocation/neighbours.ts';
import { RecentClaims } from '../../src/allocation/recent-claims.ts';
import { type ClaimKey, claimKeyOf, claimKeyText } from '../../src/domain/identifiers.ts';
import type { Candidate } from '../../src/store/allocation-writes.ts';
import { type Claim, claimAttributes } from '../../src/store/claim-row.ts';
import type { Database } from '../../src/store/database.ts';
import { StatusShards } from '../../src/store/status-shards.ts';
import { CONDITION_FAILED } from '../../src/store/transact.ts';
import type { ManualClock } from './manual-clock.ts';
import { ScriptedCommits, type SentTransaction } from './scripted-commits.ts';
import { ScriptedWalk } from './scripted-walk.ts';

export const MAX_LOST_RACES = 3;
export const DEADLINE_MS = 10_000;

/** A request and what it has heard so far. */
export interface Asked {
  readonly deadline: Deadline;
  allocation: Allocation | undefined;
  error: unknown;
}

/** An allocator over a table that does what the test says: its index, its transactions, its claims, its clock. */
export class ScriptedAllocator {
  readonly commits = new ScriptedCommits();
  readonly clock: ManualClock = this.commits.clock;
  /** By name prefix, '' for none. */
  readonly walks = new Map<string, ScriptedWalk>();
  /** What a read of a claim finds, by its text. */
  readonly claims = new Map<string, Claim>();
  /** What a read of a claim throws. */
  claimError: Error | undefined;
  /** The texts of the claims that were read. */
  readonly claimsRead: string[] = [];
  /** Undefined once adoption is complete; before, the claims of the previous broker's rows. */
  previous: Map<string, Claim> | undefined;
  conflicts = 0;
  readonly #allocator: Allocator;

  constructor(rows: Candidate[] = []) {
    this.walks.set('', new ScriptedWalk(rows));
    const timing = { clock: this.clock, random: () => 1 };
    const backoff = { backoffBaseMs: 100, backoffMaxMs: 5_000 };
    this.#allocator = new Allocator(
      { labDurationHours: 4, maxLostRaces: MAX_LOST_RACES, ...backoff },
      {
        database: { tableName: 'table' } as Database,
        shards: new StatusShards(1),
        buffer: new CandidateBuffer(
          { minimumRefill: 3, ...backoff },
          { neighbours: ALONE, openWalk: (prefix = '') => this.walks.get(prefix)!, ...timing },
        ),
        commits: this.commits.commits,
        claims: { get: (key) => this.#readClaim(key) },
        adoption: this.#adoption(),
        previous: { find: async (key) => this.previous?.get(claimKeyText(key)) },
        recent: new RecentClaims(this.clock),
        ...timing,
        onConflict: () => {
          this.conflicts += 1;
        },
      },
    );
  }

  get index(): ScriptedWalk {
    return this.walks.get('')!;
  }

  get last(): SentTransaction {
    return this.commits.last;
  }

  ask(request: AllocationRequest, milliseconds = DEADLINE_MS): Asked {
    const deadline = new Deadline(this.clock, milliseconds);
    const asked: Asked = { deadline, allocation: undefined, error: undefined };
    this.#allocator.allocate(request, deadline).then(
      (allocation) => {
        asked.allocation = allocation;
      },
      (error: unknown) => {
        asked.error = error;
      },
    );
    return asked;
  }

  /** As the real one: asking changes what is known. */
  #adoption() {
    const adoption = {
      completed: false,
      refresh: async () => {
        adoption.completed = this.previous === undefined;
        return adoption.completed;
      },
    };
    return adoption;
  }

  async #readClaim(key: ClaimKey): Promise<Claim | undefined> {
    this.claimsRead.push(claimKeyText(key));
    if (this.claimError !== undefined) throw this.claimError;
    return this.claims.get(claimKeyText(key));
  }
}

export function claimOn(sandboxId: string): Claim {
  return {
    sandboxId,
    name: `lab-${sandboxId}`,
    externalId: `identity/accounts/${sandboxId}`,
    allocatedAt: 1_774_000_000,
    labDurationHours: 4,
    sfdcAccountId: null,
  };
}

/** The name under which a transaction writes the claim of a caller, or of a caller and its idempotency key. */
export const claimName = (track: string, idempotencyKey?: string) =>
  `CLAIM#${claimKeyText(claimKeyOf(track, idempotencyKey))}`;

/** The claim was there: this is it. */
export const claimed = (sandboxId: string) => ({
  code: CONDITION_FAILED,
  item: { PK: { S: 'CLAIM#' }, ...claimAttributes(claimOn(sandboxId)) },
});

/** The sandbox was not to be had: this is its row, or there is none. */
export const sandboxIs = (row?: Record<string, string>) => ({
  code: CONDITION_FAILED,
  item:
    row &&
    (Object.fromEntries(Object.entries(row).map(([name, value]) => [name, { S: value }])) as Record<
      string,
      AttributeValue
    >),
});

export const CONFLICT = { code: 'TransactionConflict' };
export const THROTTLED = { code: 'ThrottlingError' };
