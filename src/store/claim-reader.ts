import type { ClaimKey } from '../domain/identifiers.ts';
import { type Claim, toClaim } from './claim-row.ts';
import type { ItemReader } from './item-reader.ts';
import { claimKey } from './keys.ts';

/** Reads claims as they stand now. */
export class ClaimReader {
  readonly #items: Pick<ItemReader, 'get'>;

  constructor(items: Pick<ItemReader, 'get'>) {
    this.#items = items;
  }

  async get(key: ClaimKey): Promise<Claim | undefined> {
    const item = await this.#items.get(claimKey(key));
    return item === undefined ? undefined : toClaim(item);
  }
}
