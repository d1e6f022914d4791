import { z } from 'zod';
import type { Clock } from '../domain/clock.ts';
import { CspError } from './csp-error.ts';
import { jwtExpiry } from './jwt-expiry.ts';
import type { ProviderAnswer } from './provider-answer.ts';
import type { CallOptions, ProviderTransport } from './provider-transport.ts';

/** A token is given up this long before its end, so that it does not end on the way. Seconds. */
const RENEW_BEFORE_EXPIRY_SECONDS = 60;

/**
 * Refused credentials are not sent again for this long: a run over hundreds of sandboxes would lock the account.
 * Milliseconds.
 */
const REFUSED_CREDENTIALS_REST_MS = 5 * 60_000;

export interface NiosxaasCredentials {
  readonly email: string;
  readonly password: string;
}

/**
 * The service account's own session. Its token serves every sandbox until it ends; the token of a tenant is made
 * from it for each sandbox anew, because a sandbox is deleted once.
 */
export class NiosxaasSession {
  readonly #transport: ProviderTransport;
  readonly #credentials: () => NiosxaasCredentials;
  readonly #clock: Clock;
  #jwt: string | null = null;
  #signedInAs = '';
  #refusal: { identity: string; until: number } | null = null;

  constructor(transport: ProviderTransport, credentials: () => NiosxaasCredentials, clock: Clock) {
    this.#transport = transport;
    this.#credentials = credentials;
    this.#clock = clock;
  }

  /** @returns the token of the tenant whose account `externalId` names */
  async enterTenant(externalId: string, options: CallOptions): Promise<string> {
    const kept = this.#usableToken();
    if (kept === null) return this.#switchAccount(await this.#signIn(options), externalId, options);
    try {
      return await this.#switchAccount(kept, externalId, options);
    } catch (error) {
      if (!isRejectedToken(error)) throw error;
      this.forget(kept);
      return this.#switchAccount(await this.#signIn(options), externalId, options);
    }
  }

  /** Drops the kept token; only that one, for another clean-up may have renewed it already. */
  forget(jwt: string | null = this.#jwt): void {
    if (this.#jwt === jwt) this.#jwt = null;
  }

  /** What must not appear in an error. */
  secrets(...tokens: string[]): string[] {
    const { email, password } = this.#credentials();
    return [email, password, ...(this.#jwt === null ? [] : [this.#jwt]), ...tokens];
  }

  #usableToken(): string | null {
    if (this.#jwt === null || this.#signedInAs !== identityOf(this.#credentials())) return null;
    const expiry = jwtExpiry(this.#jwt);
    if (expiry !== null && this.#clock.now() / 1000 >= expiry - RENEW_BEFORE_EXPIRY_SECONDS) return null;
    return this.#jwt;
  }

  async #signIn(options: CallOptions): Promise<string> {
    const credentials = this.#credentials();
    const identity = identityOf(credentials);
    if (this.#refusal?.identity === identity && this.#clock.monotonic() < this.#refusal.until) {
      const reason = 'was not sent: the same credentials have just been refused';
      const requestId = this.#transport.requestId(options.requestId);
      throw new CspError({ kind: 'unauthorized', call: 'niosxaas_sign_in', reason, requestId });
    }
    try {
      this.#jwt = await this.#transport.send(
        {
          ...options,
          call: 'niosxaas_sign_in',
          method: 'POST',
          path: '/v2/session/users/sign_in',
          json: { email: credentials.email, password: credentials.password },
          secrets: this.secrets(),
        },
        readToken,
      );
    } catch (error) {
      if (error instanceof CspError && error.kind === 'unauthorized') {
        this.#refusal = { identity, until: this.#clock.monotonic() + REFUSED_CREDENTIALS_REST_MS };
      }
      throw error;
    }
    this.#signedInAs = identity;
    this.#refusal = null;
    return this.#jwt;
  }

  async #switchAccount(jwt: string, externalId: string, options: CallOptions): Promise<string> {
    return this.#transport.send(
      {
        ...options,
        call: 'niosxaas_switch',
        method: 'POST',
        path: '/v2/session/account_switch',
        authorization: `Bearer ${jwt}`,
        json: { id: externalId },
        secrets: this.secrets(jwt),
      },
      readToken,
    );
  }
}

/** 401 says that the token is not good; 403 that a good one does not allow it, which a new one would not either. */
export function isRejectedToken(error: unknown): boolean {
  return error instanceof CspError && error.status === 401;
}

const tokenSchema = z.object({ jwt: z.string().min(1) });

function readToken(answer: ProviderAnswer): string {
  if (answer.status !== 200 && answer.status !== 201) throw answer.statusError();
  const parsed = tokenSchema.safeParse(answer.json());
  if (!parsed.success) throw answer.contentError(`answered ${answer.status} without a token`);
  return parsed.data.jwt;
}

function identityOf(credentials: NiosxaasCredentials): string {
  return JSON.stringify([credentials.email, credentials.password]);
}
