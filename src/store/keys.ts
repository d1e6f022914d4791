import { type ClaimKey, claimKeyText } from '../domain/identifiers.ts';

/** The primary keys of everything that the table holds. */
export interface Key {
  readonly PK: string;
  readonly SK: string;
}

export const SANDBOX_PREFIX = 'SBX#';
export const CLAIM_PREFIX = 'CLAIM#';
export const EVENT_PREFIX = 'EVT#';

/** The sort key of whatever has one row. */
export const META = 'META';

export function sandboxKey(sandboxId: string): Key {
  return { PK: SANDBOX_PREFIX + sandboxId, SK: META };
}

export function claimKey(key: ClaimKey): Key {
  return { PK: CLAIM_PREFIX + claimKeyText(key), SK: META };
}

export function tombstoneKey(sandboxId: string): Key {
  return { PK: `TOMB#${sandboxId}`, SK: META };
}

/** The same by the provider's own id, which stays when a listing omits the number by which the sandbox goes. */
export function externalTombstoneKey(externalId: string): Key {
  return { PK: `TOMB_EXTERNAL#${externalId}`, SK: META };
}

/** Events of a sandbox sort by time; `sequence` tells apart those of one millisecond. */
export function eventKey(sandboxId: string, timeMs: number, sequence: string): Key {
  return {
    PK: SANDBOX_PREFIX + sandboxId,
    SK: `${EVENT_PREFIX}${String(timeMs).padStart(15, '0')}#${sequence}`,
  };
}

export const ADOPTION_KEY: Key = { PK: 'ADOPTION', SK: META };
export const STATISTICS_KEY: Key = { PK: 'STATS', SK: META };

/** The low-level client's form of a key. */
export function attributes(key: Key): { PK: { S: string }; SK: { S: string } } {
  return { PK: { S: key.PK }, SK: { S: key.SK } };
}
