import { hash, timingSafeEqual } from 'node:crypto';

/** What is kept of a token: enough to recognise it, too little to use it. */
export class TokenDigest {
  readonly #digest: Buffer;

  constructor(token: string) {
    this.#digest = hash('sha256', token, 'buffer');
  }

  /** In a time that tells nothing of either. */
  equals(other: TokenDigest): boolean {
    return timingSafeEqual(this.#digest, other.#digest);
  }
}
