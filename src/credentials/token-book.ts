import type { Credential, CredentialKind, CredentialSource } from './credential.ts';
import { TokenDigest } from './token-digest.ts';

/** Tokens by the name of whom they were given to. */
export type NamedTokens = ReadonlyMap<string, string>;

/** Fixed tokens of one kind. */
export class TokenBook implements CredentialSource {
  readonly #known: readonly { readonly digest: TokenDigest; readonly credential: Credential }[];

  constructor(kind: CredentialKind, tokens: NamedTokens) {
    this.#known = [...tokens].map(([name, token]) => ({
      digest: new TokenDigest(token),
      credential: { name, kind },
    }));
  }

  /** Every token is looked at, whichever fits. */
  identify(token: string): Credential | undefined {
    const given = new TokenDigest(token);
    let found: Credential | undefined;
    for (const { digest, credential } of this.#known) {
      if (digest.equals(given)) found = credential;
    }
    return found;
  }
}
