import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { Clock, Random } from '../domain/clock.ts';
import { type ClaimKey, claimKeyOf, claimKeyText } from '../domain/identifiers.ts';
import type { ClaimReader } from '../store/claim-reader.ts';
import { type Claim, toClaim } from '../store/claim-row.ts';
import type { Database } from '../store/database.ts';
import type { PoolReader } from '../store/pool-reader.ts';
import { adoptionWrites, claimOfRow, danglingClaimWrites, supersededWrites } from '../store/previous-rows.ts';
import type { StoredSandbox } from '../store/sandbox-row.ts';
import { transactPatiently } from '../store/transact.ts';
import { Lanes } from './lanes.ts';

/**
 * Callers looked up at once. Each asks the index by itself, and a class of a thousand that did so at one moment
 * would run into the time-out for a connection.
 */
const LANES = 16;

/**
 * Allocations of the previous broker, which has no claims: it looked for a caller's rows in an index. Until
 * adoption is complete a caller's own row is looked for before anything new is allocated, and given the claim
 * that it lacks.
 *
 * While both brokers serve one table, the previous one also ends allocations without ending their claims;
 * such a claim is taken for what it is, and removed.
 */
export class PreviousAllocations {
  readonly #database: Database;
  readonly #reader: PoolReader;
  readonly #claims: ClaimReader;
  readonly #timing: { clock: Clock; random: Random };
  readonly #lanes = new Lanes(LANES);

  constructor(
    database: Database,
    reader: PoolReader,
    claims: ClaimReader,
    timing: { clock: Clock; random: Random },
  ) {
    this.#timing = timing;
    this.#database = database;
    this.#reader = reader;
    this.#claims = claims;
  }

  /** The active claim of a key, made from the previous broker's row where there is one. */
  async find(key: ClaimKey): Promise<Claim | undefined> {
    const claim = await this.#claims.get(key);
    if (claim !== undefined) {
      const row = await this.#reader.get(claim.sandboxId);
      if (row !== undefined && holds(row, key)) return claim;
      await this.removeDangling(key, claim);
    }
    return this.#lanes.run(() => this.#adoptLatest(key));
  }

  async #adoptLatest(key: ClaimKey): Promise<Claim | undefined> {
    for (const listed of await this.#reader.allocatedTo(key.track)) {
      if (!holds(listed, key)) continue;
      const row = await this.#reader.get(listed.sandboxId);
      if (row === undefined || !holds(row, key)) continue;
      const adopted = await this.adopt(row, key);
      if (adopted !== undefined) return adopted;
    }
    return undefined;
  }

  /**
   * Gives a row the claim that it lacks.
   *
   * @returns the claim of its key, be it this row's or another's that was there first; undefined when the row
   * is no longer allocated as it was read
   */
  async adopt(row: StoredSandbox, key: ClaimKey): Promise<Claim | undefined> {
    const result = await this.#transact(adoptionWrites(this.#database, row, key));
    if (result.committed) return claimOfRow(row);
    const existing = result.reasons[0]?.item;
    return existing === undefined ? undefined : toClaim(existing);
  }

  /** Marks a row whose key holds another sandbox, so that no reader takes it for that key's. @returns whether it did */
  async markSuperseded(row: StoredSandbox, key: ClaimKey): Promise<boolean> {
    return (await this.#transact(supersededWrites(this.#database, row, key))).committed;
  }

  /** Removes a claim whose row is not allocated under it. @returns whether it did */
  async removeDangling(key: ClaimKey, claim: Claim): Promise<boolean> {
    return (await this.#transact(danglingClaimWrites(this.#database, key, claim))).committed;
  }

  #transact(writes: TransactWriteItem[]) {
    return transactPatiently(this.#database, writes, this.#timing);
  }
}

/** Whether a row is allocated under a claim key. */
export function holds(row: StoredSandbox, key: ClaimKey): boolean {
  return (
    row.status === 'allocated' &&
    !row.superseded &&
    row.allocatedToTrack === key.track &&
    claimKeyText(claimKeyOf(row.allocatedToTrack, row.idempotencyKey ?? undefined)) === claimKeyText(key)
  );
}
