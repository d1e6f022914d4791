import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Clock, Random } from '../../domain/clock.ts';
import type { exchanges } from './exchange.ts';
import type { SimulatorSettings } from './settings.ts';
import type { SimulatedAccount, SimulatedAccounts } from './simulated-accounts.ts';
import { errorAnswer, jsonAnswer, type SimulatedAnswer } from './simulated-answer.ts';

export interface CspEndpointParts {
  readonly accounts: SimulatedAccounts;
  readonly settings: () => SimulatorSettings;
  readonly token: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly closing: AbortSignal;
  readonly exchange: ReturnType<typeof exchanges>;
}

const queryOfListing = z.object({
  _limit: z.coerce.number().int().min(1).optional(),
  _offset: z.coerce.number().int().min(0).default(0),
  _page_token: z
    .string()
    .regex(/^after-\d+$/)
    .optional(),
});

const newAccount = z.object({ name: z.string().min(1) });

/** The three calls of the tenant API, under `/v2`. */
export function addCspEndpoints(server: FastifyInstance, parts: CspEndpointParts): void {
  const { accounts, settings, clock, exchange } = parts;

  const authorized = (perform: (request: FastifyRequest) => SimulatedAnswer | Promise<SimulatedAnswer>) => {
    return (request: FastifyRequest) =>
      request.headers.authorization === `Token ${parts.token}`
        ? perform(request)
        : errorAnswer(401, 'Authentication failed');
  };

  server.get(
    '/v2/current_user/accounts',
    exchange({
      call: 'list',
      perform: authorized((request) => {
        const query = queryOfListing.safeParse(request.query);
        if (!query.success) return errorAnswer(400, 'Invalid query');
        const { _limit: limit, _page_token: token } = query.data;
        const offset = token === undefined ? query.data._offset : Number(token.slice('after-'.length));
        return jsonAnswer(200, pageOf(accounts.listed(offset === 0), offset, limit, request));
      }),
    }),
  );

  server.delete(
    '/v2/sandbox/accounts/:account',
    exchange({
      call: 'delete',
      account: (request) => accounts.find(accountParameter(request)) ?? accountParameter(request),
      perform: authorized(async (request) => {
        const { delete_min_ms: min, delete_max_ms: max } = settings();
        const delay = min + parts.random() * Math.max(0, max - min);
        if (delay > 0) await clock.sleep(delay, parts.closing);
        if (!accounts.delete(accountParameter(request))) return errorAnswer(404, 'Account not found');
        return { status: 204, headers: {}, body: '' };
      }),
    }),
  );

  server.post(
    '/v2/sandbox/accounts',
    exchange({
      call: 'create',
      perform: authorized((request) => {
        const wanted = newAccount.safeParse(request.body);
        if (!wanted.success) return errorAnswer(400, 'name is required');
        const [result] = accounts.create({ count: 1, name: wanted.data.name });
        return jsonAnswer(201, { result });
      }),
    }),
  );

  function pageOf(
    rows: readonly SimulatedAccount[],
    offset: number,
    limit: number | undefined,
    request: FastifyRequest,
  ) {
    const { page_size, paging } = settings();
    // An API without pages does not look at the parameters.
    if (page_size === null) return { results: rows };
    const size = Math.min(limit ?? page_size, page_size);
    const results = rows.slice(offset, offset + size);
    const next = offset + size < rows.length ? offset + size : null;
    switch (paging) {
      case 'offset':
        return { results };
      case 'link':
        return {
          results,
          next:
            next === null
              ? null
              : `http://${request.host}/v2/current_user/accounts?_limit=${size}&_offset=${next}`,
        };
      case 'page':
        return { results, page: { offset: next, size: rows.length } };
      case 'token':
        return { results, page: { page_token: next === null ? null : `after-${next}` } };
      case 'total':
        return { results, total_count: rows.length };
    }
  }
}

function accountParameter(request: FastifyRequest): string {
  return (request.params as { account: string }).account;
}
