import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { CredentialKind, CredentialSource, TokenSource } from '../credentials/credential.ts';
import { CredentialBook } from '../credentials/credential-book.ts';
import { RotatingSecret } from '../credentials/rotating-secret.ts';
import { booksOf, SecretCredentials } from '../credentials/secret-credentials.ts';
import { openSecretsManager, type SecretVersions } from '../credentials/secret-store.ts';
import { parseTokens, tokenSchema } from '../credentials/secret-text.ts';
import { type NamedTokens, TokenBook } from '../credentials/token-book.ts';
import type { Clock, Random } from '../domain/clock.ts';
import { credentialsFor } from './own-endpoint.ts';

export type Secrets = ReturnType<typeof openSecrets>;

/** For one call to Secrets Manager, or for the keys of an issuer. */
const TIMEOUT_MS = 5_000;

/** The secrets that the configuration names. Nothing is read before `start`. */
export function openSecrets(config: Config, parts: { clock: Clock; random: Random; logger: Logger }) {
  const store = openSecretsManager({
    region: config.AWS_REGION,
    endpoint: config.SECRETS_ENDPOINT_URL,
    credentials: credentialsFor(config, config.SECRETS_ENDPOINT_URL),
    timeoutMs: TIMEOUT_MS,
  });
  const all: RotatingSecret<unknown>[] = [];
  const secret = <Value>(id: string | undefined, interpret: (versions: SecretVersions) => Value) => {
    if (id === undefined) return undefined;
    const rotating = new RotatingSecret(id, interpret, {
      ...parts,
      store,
      refreshMs: config.SECRETS_REFRESH_SEC * 1000,
    });
    all.push(rotating);
    return rotating;
  };
  const csp = secret(config.CSP_API_TOKEN_SECRET_ID, ({ current }) => tokenSchema.parse(current.trim()));
  const niosxaas = secret(config.NIOSXAAS_PASSWORD_SECRET_ID, ({ current }) => current.trim());
  const accessTokens = accessTokensOf(config, parts);
  const ownToken = config.CSP_API_TOKEN;
  return {
    track: secret(config.BROKER_API_TOKEN_SECRET_ID, booksOf('track')),
    admin: secret(config.BROKER_ADMIN_TOKEN_SECRET_ID, booksOf('admin')),
    /** Undefined when no token is configured. */
    cspToken: csp !== undefined ? () => csp.value : ownToken !== undefined ? () => ownToken : undefined,
    /** Undefined when no issuer is configured. */
    accessTokens,
    niosxaasPassword: () => niosxaas?.value ?? config.NIOSXAAS_PASSWORD ?? '',
    /** @throws Error naming a secret that cannot be read */
    start: async () => {
      await Promise.all([accessTokens?.start(), ...all.map((each) => each.start())]);
    },
    close: () => {
      for (const each of all) each.close();
      void accessTokens?.close();
      store.close();
    },
  };
}

/** Everything that opens the API: fixed tokens, tokens from secrets, access tokens of an issuer. */
export function createCredentials(config: Config, secrets: Secrets, logger: Logger): CredentialSource {
  const sources: TokenSource[] = [];
  const fixed: [CredentialKind, string | undefined][] = [
    ['track', config.BROKER_API_TOKEN],
    ['admin', config.BROKER_ADMIN_TOKEN],
  ];
  for (const [kind, text] of fixed) {
    if (text === undefined) continue;
    const tokens = parseTokens(text, kind);
    warnOfShortTokens(kind, tokens, logger);
    sources.push(new TokenBook(kind, tokens));
  }
  if (secrets.track !== undefined) sources.push(new SecretCredentials(secrets.track));
  if (secrets.admin !== undefined) sources.push(new SecretCredentials(secrets.admin));
  return new CredentialBook({
    tokens: sources,
    accessTokens: secrets.accessTokens,
    onSharedToken: (track, admin) =>
      logger.error(
        {
          action: 'identify',
          outcome: 'shared_token',
          track_credential: track.name,
          admin_credential: admin.name,
        },
        'a track token is an admin token too; it opens track routes alone until one of them is another',
      ),
  });
}

/** Loaded where an issuer is configured, and nowhere else. */
function accessTokensOf(config: Config, parts: { clock: Clock; random: Random; logger: Logger }) {
  if (config.COGNITO_ISSUER_URL === undefined) return undefined;
  const options = {
    issuer: config.COGNITO_ISSUER_URL,
    keysUrl: config.COGNITO_KEYS_URL,
    clientIds: config.COGNITO_CLIENT_IDS,
    scopePrefix: config.COGNITO_SCOPE_PREFIX,
  };
  const loaded = import('../credentials/jwt-credentials.ts').then(
    ({ JwtCredentials }) => new JwtCredentials(options, { ...parts, timeoutMs: TIMEOUT_MS }),
  );
  return {
    identify: async (token: string) => (await loaded).identify(token),
    start: async () => (await loaded).start(),
    close: async () => (await loaded).close(),
  };
}

/** Shorter tokens may be words, which are guessed before anything else. */
const SHORT_TOKEN_LENGTH = 16;

/** They are taken all the same: labs may hold them already. */
function warnOfShortTokens(kind: CredentialKind, tokens: NamedTokens, logger: Logger): void {
  for (const [name, token] of tokens) {
    if (token.length >= SHORT_TOKEN_LENGTH) continue;
    logger.warn(
      { action: 'start', outcome: 'short_token', kind, credential: name },
      `a token has fewer than ${SHORT_TOKEN_LENGTH} characters and may be guessed; make one with "openssl rand -hex 32"`,
    );
  }
}
