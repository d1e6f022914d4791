import { JwtVerifier } from 'aws-jwt-verify';
import { validateCognitoJwtFields } from 'aws-jwt-verify/cognito-verifier';
import type { Credential, CredentialSource } from './credential.ts';
import { IssuerKeys, type IssuerKeysParts } from './issuer-keys.ts';

export interface JwtCredentialsOptions {
  /** `https://cognito-idp.<region>.amazonaws.com/<user pool id>` */
  readonly issuer: string;
  /** Where the issuer's keys are; below the issuer by default. */
  readonly keysUrl?: string | undefined;
  /** Clients that may come; their ids are the names of their credentials. */
  readonly clientIds: readonly string[];
  /** `<prefix>/allocate` opens track routes, `<prefix>/admin` admin routes. */
  readonly scopePrefix: string;
}

/** Three parts of base64url: anything else is not even tried. */
const JWT_PATTERN = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** Cognito's access tokens have some 1,000 characters. */
const JWT_MAX_LENGTH = 4_096;

/**
 * Access tokens of Cognito's client credentials grant: signed by the issuer's key, of this issuer, for one of these
 * clients, in their time, with a scope that says what for.
 */
export class JwtCredentials implements CredentialSource {
  readonly #options: JwtCredentialsOptions;
  readonly #keys: IssuerKeys;
  readonly #verify: (token: string) => Promise<{ scopes: readonly string[]; clientId: string }>;

  constructor(options: JwtCredentialsOptions, parts: IssuerKeysParts) {
    this.#options = options;
    const jwksUri = options.keysUrl ?? `${options.issuer}/.well-known/jwks.json`;
    this.#keys = new IssuerKeys(jwksUri, parts);
    const verifier = JwtVerifier.create(
      {
        issuer: options.issuer,
        // Access tokens of Cognito have no audience; they name their client.
        audience: null,
        jwksUri,
        customJwtCheck: ({ payload }) => {
          validateCognitoJwtFields(payload, { tokenUse: 'access', clientId: [...options.clientIds] });
          // The library checks the end of a token that has one.
          if (typeof payload.exp !== 'number') throw new Error('The token does not end');
        },
      },
      { jwksCache: this.#keys },
    );
    this.#verify = async (token) => {
      const payload = await verifier.verify(token);
      return { scopes: String(payload.scope ?? '').split(' '), clientId: String(payload.client_id) };
    };
  }

  /** Begins to fetch the keys from time to time. */
  start(): void {
    this.#keys.start();
  }

  close(): void {
    this.#keys.close();
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
}
