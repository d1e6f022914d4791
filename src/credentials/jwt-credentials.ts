import { JwtVerifier } from 'aws-jwt-verify';
import { validateCognitoJwtFields } from 'aws-jwt-verify/cognito-verifier';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import { request } from 'undici';
import type { Credential, CredentialSource } from './credential.ts';

export interface JwtCredentialsOptions {
  /** `https://cognito-idp.<region>.amazonaws.com/<user pool id>` */
  readonly issuer: string;
  /** Where the issuer's keys are; below the issuer by default. */
  readonly keysUrl?: string | undefined;
  /** Clients that may come; their ids are the names of their credentials. */
  readonly clientIds: readonly string[];
  /** `<prefix>/allocate` opens track routes, `<prefix>/admin` admin routes. */
  readonly scopePrefix: string;
  readonly timeoutMs: number;
}

/** Three parts of base64url: anything else is not even tried. */
const JWT_PATTERN = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** Cognito's access tokens have some 1,000 characters. */
const JWT_MAX_LENGTH = 4_096;
/** A document of keys has a few of them. */
const KEYS_MAX_BYTES = 64 * 1024;

/**
 * Access tokens of Cognito's client credentials grant: signed by the issuer's key, of this issuer, for one of these
 * clients, in their time, with a scope that says what for. Keys are fetched once, and again when a token names one
 * that is not known (at most every ten seconds).
 */
export class JwtCredentials implements CredentialSource {
  readonly #options: JwtCredentialsOptions;
  readonly #verify: (token: string) => Promise<{ scopes: readonly string[]; clientId: string }>;

  constructor(options: JwtCredentialsOptions) {
    this.#options = options;
    const verifier = JwtVerifier.create(
      {
        issuer: options.issuer,
        // Access tokens of Cognito have no audience; they name their client.
        audience: null,
        jwksUri: options.keysUrl ?? `${options.issuer}/.well-known/jwks.json`,
        customJwtCheck: ({ payload }) => {
          validateCognitoJwtFields(payload, { tokenUse: 'access', clientId: [...options.clientIds] });
          // The library checks the end of a token that has one.
          if (typeof payload.exp !== 'number') throw new Error('The token does not end');
        },
      },
      { jwksCache: new SimpleJwksCache({ fetcher: { fetch: (url) => this.#fetchKeys(url) } }) },
    );
    this.#verify = async (token) => {
      const payload = await verifier.verify(token);
      return { scopes: String(payload.scope ?? '').split(' '), clientId: String(payload.client_id) };
    };
  }

  identify(token: string): undefined | Promise<Credential | undefined> {
    if (token.length > JWT_MAX_LENGTH || !JWT_PATTERN.test(token)) return undefined;
    return this.#verify(token).then(
      ({ scopes, clientId }) => this.#credential(scopes, clientId),
      () => undefined,
    );
  }

  #credential(scopes: readonly string[], clientId: string): Credential | undefined {
    const { scopePrefix } = this.#options;
    // Neither kind opens the other's routes; a client that needs both asks for one token of each.
    if (scopes.includes(`${scopePrefix}/admin`)) return { name: clientId, kind: 'admin' };
    if (scopes.includes(`${scopePrefix}/allocate`)) return { name: clientId, kind: 'track' };
    return undefined;
  }

  async #fetchKeys(url: string): Promise<ArrayBuffer> {
    const { timeoutMs } = this.#options;
    const answer = await request(url, {
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body = await answer.body.arrayBuffer();
    if (answer.statusCode !== 200) throw new Error(`The keys were answered with ${answer.statusCode}`);
    if (body.byteLength > KEYS_MAX_BYTES) throw new Error('The document of keys is too large');
    return body;
  }
}
