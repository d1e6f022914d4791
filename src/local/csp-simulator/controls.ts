import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { FaultBoard } from './fault-board.ts';
import { faultListSchema, faultSchema } from './faults.ts';
import { helpPage } from './help-page.ts';
import type { RequestLog } from './request-log.ts';
import { type SimulatorSettings, settingsSchema } from './settings.ts';
import type { SimulatedAccounts } from './simulated-accounts.ts';

export interface ControlParts {
  readonly accounts: SimulatedAccounts;
  readonly faults: FaultBoard;
  readonly log: RequestLog;
  readonly settings: () => SimulatorSettings;
  readonly configure: (changes: Partial<SimulatorSettings>) => void;
  readonly token: string;
}

const accountsSchema = z.strictObject({
  count: z.number().int().min(1).max(100_000).default(1),
  name_prefix: z.string().min(1).optional(),
  account_type: z.string().min(1).optional(),
  state: z.string().min(1).optional(),
  services: z.array(z.string().min(1)).max(100).optional(),
});
const logQuery = z.object({
  call: z.string().optional(),
  limit: z.coerce.number().int().min(1).default(100),
});

/** What a person drives with curl while it runs. Without a credential: it listens on this machine alone. */
export function addControls(server: FastifyInstance, parts: ControlParts): void {
  const { accounts, faults, log } = parts;
  const shownFaults = () => ({ faults: faults.list().map(({ fault, struck }) => ({ ...fault, struck })) });

  server.register(
    async (controls) => {
      controls.setErrorHandler((error, _request, reply) => {
        if (error instanceof z.ZodError) {
          const details = error.issues.flatMap(wrongFields);
          const words = details.map(({ field, message }) => `${field}: ${message}`).join('; ');
          return reply.code(400).send({ error: { message: words, details } });
        }
        const { statusCode = 500, message } = error as { statusCode?: number; message: string };
        return reply.code(statusCode).send({ error: { message } });
      });

      controls.get('/', (request, reply) =>
        reply.type('text/plain; charset=utf-8').send(helpPage(`http://${request.host}`, parts.token)),
      );

      controls.get('/faults', () => shownFaults());
      controls.put('/faults', (request) => {
        faults.set(faultListSchema.parse(request.body).faults);
        return shownFaults();
      });
      controls.post('/faults', (request) => {
        faults.add(faultSchema.parse(request.body));
        return shownFaults();
      });
      controls.delete('/faults', () => {
        faults.clear();
        return shownFaults();
      });

      controls.get('/settings', () => parts.settings());
      controls.put('/settings', (request) => {
        const given = z.record(z.string(), z.unknown()).parse(request.body);
        parts.configure(settingsSchema.parse({ ...parts.settings(), ...given }));
        return parts.settings();
      });

      controls.get('/log', (request) => {
        const { call, limit } = logQuery.parse(request.query);
        const entries = log.all().filter((entry) => call === undefined || entry.call === call);
        return { count: entries.length, entries: entries.slice(-limit) };
      });
      controls.delete('/log', () => {
        log.clear();
        return { count: 0, entries: [] };
      });

      controls.get('/accounts', () => ({ count: accounts.size, accounts: accounts.all() }));
      controls.post('/accounts', (request, reply) => {
        const { count, name_prefix, account_type, state, services } = accountsSchema.parse(
          request.body ?? {},
        );
        const made = accounts.create({
          count,
          namePrefix: name_prefix,
          accountType: account_type,
          state,
          services,
        });
        return reply.code(201).send({ count: made.length, accounts: made });
      });
      controls.delete('/accounts', () => {
        accounts.clear();
        return { count: 0 };
      });
      controls.delete('/accounts/:account', (request, reply) => {
        const { account } = request.params as { account: string };
        if (accounts.remove(account)) return { count: accounts.size };
        return reply.code(404).send({ error: { message: `There is no account ${account}` } });
      });
    },
    { prefix: '/_simulator' },
  );
}

/** A field that is not known is named itself, not by what it is in. */
function wrongFields(issue: z.core.$ZodIssue): { field: string; message: string }[] {
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [];
  if (unknown.length > 0) {
    return unknown.map((key) => ({ field: [...issue.path, key].join('.'), message: 'is not known' }));
  }
  return [{ field: issue.path.join('.') || '(body)', message: issue.message }];
}
