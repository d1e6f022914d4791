import type { TokenDigest } from './token-digest.ts';

export type CredentialKind = 'track' | 'admin';

/** Whom a token stands for. The name is for logs, limits and the audit trail; the token itself is kept nowhere. */
export interface Credential {
  readonly name: string;
  readonly kind: CredentialKind;
}

export interface CredentialSource {
  /**
   * The credential of a token, or undefined for one that is unknown, at once where that can be told from memory.
   * Never rejects: a source that cannot be asked knows no token but those it has learnt.
   */
  identify(token: string): Credential | undefined | Promise<Credential | undefined>;
}

/** Fixed tokens, of which only digests are kept. */
export interface TokenSource {
  /** From memory alone. */
  recall(token: TokenDigest): Credential | undefined;
  /** Learns what is new, if there may be anything by now. Never rejects. Undefined where nothing ever is. */
  readonly refresh?: () => Promise<void>;
}
