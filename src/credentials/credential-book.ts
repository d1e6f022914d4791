import type { Credential, CredentialSource, TokenSource } from './credential.ts';
import { TokenDigest } from './token-digest.ts';

export interface CredentialBookParts {
  readonly tokens: readonly TokenSource[];
  /** Signed tokens of an issuer, if any are taken. */
  readonly accessTokens?: CredentialSource | undefined;
  /** One token opens both kinds of routes, in two sources that cannot see each other: told once for each pair. */
  readonly onSharedToken: (track: Credential, admin: Credential) => void;
}

/**
 * All that opens the API. What any source knows from memory is answered at once; what none knows may be an access
 * token; and only then sources are asked to learn, and the first that knows the token by then decides: one that does
 * not answer holds up nobody whom another knows.
 */
export class CredentialBook implements CredentialSource {
  readonly #parts: CredentialBookParts;
  readonly #sharedTokens = new Set<string>();

  constructor(parts: CredentialBookParts) {
    this.#parts = parts;
  }

  identify(token: string): Credential | undefined | Promise<Credential | undefined> {
    const digest = new TokenDigest(token);
    const known = this.#recall(digest);
    if (known !== undefined) return known;
    const signed = this.#parts.accessTokens?.identify(token);
    return signed instanceof Promise
      ? signed.then((credential) => credential ?? this.#learn(digest))
      : (signed ?? this.#learn(digest));
  }

  /** A token of both kinds is one of the lesser kind: whoever has it from a lab must not be an operator. */
  #recall(token: TokenDigest): Credential | undefined {
    let found: Credential | undefined;
    for (const source of this.#parts.tokens) {
      const credential = source.recall(token);
      if (credential === undefined) continue;
      if (found === undefined || found.kind === credential.kind) {
        found ??= credential;
        continue;
      }
      const [track, admin] = found.kind === 'track' ? [found, credential] : [credential, found];
      this.#reportSharedToken(track, admin);
      found = track;
    }
    return found;
  }

  #learn(token: TokenDigest): undefined | Promise<Credential | undefined> {
    const answers = this.#parts.tokens.flatMap(({ refresh }) =>
      refresh === undefined ? [] : [refresh().then(() => this.#recall(token) ?? Promise.reject(UNKNOWN))],
    );
    return answers.length === 0 ? undefined : Promise.any(answers).catch(() => undefined);
  }

  #reportSharedToken(track: Credential, admin: Credential): void {
    const pair = `${track.name} ${admin.name}`;
    if (this.#sharedTokens.has(pair)) return;
    this.#sharedTokens.add(pair);
    this.#parts.onSharedToken(track, admin);
  }
}

/** Why one of several answers does not count. */
const UNKNOWN = new Error('The token is unknown');
