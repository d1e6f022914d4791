import type { Credential, CredentialKind, TokenSource } from './credential.ts';
import { TokenDigest } from './token-digest.ts';

/** Tokens by the name of whom they were given to. */
export type NamedTokens = ReadonlyMap<string, string>;

/** Fixed tokens of one kind. */
export class TokenBook implements TokenSource {
  readonly #known: readonly { readonly digest: TokenDigest; readonly credential: Credential }[];

  constructor(kind: CredentialKind, tokens: NamedTokens) {
    this.#known = [...tokens].map(([name, token]) => ({
      digest: new TokenDigest(token),
      credential: { name, kind },
    }));
  }

  /** Every token is looked at, whichever fits. */
  recall(given: TokenDigest): Credential | undefined {
    let found: Credential | undefined;
    for (const { digest, credential } of this.#known) {
      if (digest.equals(given)) found = credential;
    }
    return found;
  }
}
