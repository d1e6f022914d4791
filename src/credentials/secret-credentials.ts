import type { Credential, CredentialKind, CredentialSource } from './credential.ts';
import type { RotatingSecret } from './rotating-secret.ts';
import type { SecretVersions } from './secret-store.ts';
import { parseTokens } from './secret-text.ts';
import { TokenBook } from './token-book.ts';

/** The tokens of a secret, the current ones and those before: both are good while a rotation goes on. */
export function booksOf(kind: CredentialKind): (versions: SecretVersions) => readonly TokenBook[] {
  return ({ current, previous }) => {
    const books = [new TokenBook(kind, parseTokens(current, kind))];
    if (previous !== undefined) books.push(new TokenBook(kind, parsePrevious(previous, kind)));
    return books;
  };
}

/** A previous version that is not usable is no reason to refuse the current one. */
function parsePrevious(text: string, kind: CredentialKind) {
  try {
    return parseTokens(text, kind);
  } catch {
    return new Map<string, string>();
  }
}

/** Tokens from a secret that is read again when an unknown one arrives. */
export class SecretCredentials implements CredentialSource {
  readonly #secret: RotatingSecret<readonly TokenBook[]>;

  constructor(secret: RotatingSecret<readonly TokenBook[]>) {
    this.#secret = secret;
  }

  identify(token: string): Credential | undefined | Promise<Credential | undefined> {
    return this.#known(token) ?? this.#secret.reloadOnDemand().then(() => this.#known(token));
  }

  #known(token: string): Credential | undefined {
    for (const book of this.#secret.value) {
      const found = book.identify(token);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
