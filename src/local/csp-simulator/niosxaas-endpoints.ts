import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Clock } from '../../domain/clock.ts';
import type { exchanges } from './exchange.ts';
import type { SimulatorSettings } from './settings.ts';
import type { SimulatedAccounts } from './simulated-accounts.ts';
import { errorAnswer, jsonAnswer } from './simulated-answer.ts';

export interface NiosxaasEndpointParts {
  readonly accounts: SimulatedAccounts;
  readonly settings: () => SimulatorSettings;
  readonly credentials: { readonly email: string; readonly password: string };
  readonly clock: Clock;
  readonly exchange: ReturnType<typeof exchanges>;
}

interface Session {
  /** The tenant's account; null for the service account's own session. */
  readonly tenant: string | null;
  /** Unix seconds. */
  readonly expiresAt: number;
}

const SERVICES = '/api/universalinfra/v1/universalservices';
const switchBody = z.object({ id: z.string().min(1) });

/** The four calls of the NIOSXaaS pre-delete step. */
export function addNiosxaasEndpoints(server: FastifyInstance, parts: NiosxaasEndpointParts): void {
  const { accounts, credentials, clock, exchange } = parts;
  const sessions = new Map<string, Session>();

  function issue(tenant: string | null): string {
    const issued = Math.floor(clock.now() / 1000);
    const expiresAt = issued + parts.settings().jwt_seconds;
    const jwt = unsignedToken({
      sub: credentials.email,
      account_id: tenant,
      exp: expiresAt,
      jti: sessions.size,
    });
    sessions.set(jwt, { tenant, expiresAt });
    return jwt;
  }

  function session(request: FastifyRequest): Session | undefined {
    const jwt = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const found = sessions.get(jwt);
    return found !== undefined && clock.now() / 1000 < found.expiresAt ? found : undefined;
  }

  const tenantAccount = (request: FastifyRequest) => session(request)?.tenant ?? undefined;
  const unauthorized = errorAnswer(401, 'Authentication failed');

  server.post(
    '/v2/session/users/sign_in',
    exchange({
      call: 'niosxaas_sign_in',
      perform: (request) => {
        const given = request.body as Partial<typeof credentials> | null;
        const known = given?.email === credentials.email && given.password === credentials.password;
        return known ? jsonAnswer(200, { jwt: issue(null) }) : errorAnswer(401, 'Invalid email or password');
      },
    }),
  );

  server.post(
    '/v2/session/account_switch',
    exchange({
      call: 'niosxaas_switch',
      account: (request) => accounts.find(switchBody.safeParse(request.body).data?.id ?? ''),
      perform: (request) => {
        if (session(request)?.tenant !== null) return unauthorized;
        const wanted = switchBody.safeParse(request.body);
        if (!wanted.success) return errorAnswer(400, 'id is required');
        const account = accounts.find(wanted.data.id);
        return account === undefined
          ? errorAnswer(404, 'Account not found')
          : jsonAnswer(200, { jwt: issue(account.id) });
      },
    }),
  );

  server.get(
    SERVICES,
    exchange({
      call: 'niosxaas_list',
      account: tenantAccount,
      perform: (request) => {
        const tenant = tenantAccount(request);
        return tenant === undefined ? unauthorized : jsonAnswer(200, { results: accounts.services(tenant) });
      },
    }),
  );

  server.delete(
    `${SERVICES}/:service`,
    exchange({
      call: 'niosxaas_delete',
      account: tenantAccount,
      perform: (request) => {
        const tenant = tenantAccount(request);
        if (tenant === undefined) return unauthorized;
        const { service } = request.params as { service: string };
        if (!accounts.deleteService(tenant, service)) return errorAnswer(404, 'Service not found');
        return { status: 204, headers: {}, body: '' };
      },
    }),
  );
}

/** In the form of a JSON Web Token. Nobody checks the signature, so a hash stands in for one. */
function unsignedToken(claims: Record<string, unknown>): string {
  const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHash('sha256').update(signed).digest('base64url')}`;
}
