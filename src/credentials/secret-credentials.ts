import type { Credential, CredentialKind, TokenSource } from './credential.ts';
import type { RotatingSecret } from './rotating-secret.ts';
import type { SecretVersions } from './secret-store.ts';
import { isNamed, parseTokens } from './secret-text.ts';
import { type NamedTokens, TokenBook } from './token-book.ts';
import type { TokenDigest } from './token-digest.ts';

/** The tokens of a secret, the current ones and those before: both are good while a rotation goes on. */
export function booksOf(kind: CredentialKind): (versions: SecretVersions) => readonly TokenBook[] {
  return ({ current, previous }) => {
    const tokens = parseTokens(current, kind);
    const books = [new TokenBook(kind, tokens)];
    if (previous !== undefined) books.push(new TokenBook(kind, stillGood(previous, kind, tokens)));
    return books;
  };
}

/**
 * Of the previous version, what a rotation left behind, and not what somebody took out: a name that is gone is
 * revoked, from both versions. One token without a name has none that could go.
 */
function stillGood(previous: string, kind: CredentialKind, current: NamedTokens): NamedTokens {
  const tokens = parsePrevious(previous, kind);
  return isNamed(previous) ? new Map([...tokens].filter(([name]) => current.has(name))) : tokens;
}

/** A previous version that is not usable is no reason to refuse the current one. */
function parsePrevious(text: string, kind: CredentialKind): NamedTokens {
  try {
    return parseTokens(text, kind);
  } catch {
    return new Map();
  }
}

/** Tokens from a secret that is read again when an unknown one arrives. */
export class SecretCredentials implements TokenSource {
  readonly #secret: RotatingSecret<readonly TokenBook[]>;
  readonly refresh: () => Promise<void>;

  constructor(secret: RotatingSecret<readonly TokenBook[]>) {
    this.#secret = secret;
    this.refresh = () => secret.reloadOnDemand();
  }

  recall(token: TokenDigest): Credential | undefined {
    for (const book of this.#secret.value) {
      const found = book.recall(token);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
