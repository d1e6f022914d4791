import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import type { CspError } from '../../../src/csp/csp-error.ts';
import type { FaultInput } from '../../../src/local/csp-simulator/faults.ts';
import { answerJson, startAnsweringServer } from '../../support/answering-server.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { failureOf, openClient, startSimulatedCsp } from '../../support/simulated-csp.ts';

const TOKEN = 'csp.t0ken/with+odd=chars';

/** Every way in which an error ends up in a log. */
function everythingOf(error: CspError): string {
  const all = Object.fromEntries(
    Object.getOwnPropertyNames(error).map((name) => [
      name,
      (error as unknown as Record<string, unknown>)[name],
    ]),
  );
  return [
    String(error),
    error.message,
    error.stack,
    JSON.stringify(error),
    JSON.stringify(all),
    inspect(error, { depth: 10, showHidden: true }),
  ].join('\n');
}

const FAULTS: FaultInput[] = [
  { kind: 'error', body: 'echo' },
  { kind: 'error', status: 400, body: 'echo' },
  { kind: 'error' },
  { kind: 'html' },
  { kind: 'html', status: 200 },
  { kind: 'unauthorized' },
  { kind: 'rate_limited' },
  { kind: 'reset' },
  { kind: 'truncated_json' },
  { kind: 'cut_connection' },
];

test.each(FAULTS)('the token is in no error that comes of %j', async (fault) => {
  const { simulator, client } = await startSimulatedCsp({ token: TOKEN });
  simulator.faults.set([fault]);
  expect(everythingOf(await failureOf(client.listSandboxes()))).not.toContain(TOKEN);
});

test('the token is in no error of a call that hangs, is not sent, or cannot be', async () => {
  const { simulator, client, clock } = await startSimulatedCsp({ token: TOKEN }, { breakerThreshold: 1 });
  simulator.faults.set([{ kind: 'hang' }]);
  const failure = failureOf(client.listSandboxes());
  await simulator.log.untilAsked(({ call }) => call === 'list');
  await clock.advance(15_000);
  expect(everythingOf(await failure)).not.toContain(TOKEN);
  expect(everythingOf(await failureOf(client.listSandboxes()))).not.toContain(TOKEN);

  const unsendable = openClient({ baseUrl: simulator.baseUrl, clock, token: () => `${TOKEN}\nsecond line` });
  expect(everythingOf(await failureOf(unsendable.listSandboxes()))).not.toContain(TOKEN);
});

test('the token is in no error whose provider puts it into a header of its own', async () => {
  const origin = await startAnsweringServer((_request, response) => {
    response.setHeader('x-request-id', TOKEN);
    response.setHeader('retry-after', TOKEN);
    answerJson(response, { message: TOKEN }, 500);
  });
  const client = openClient({ baseUrl: origin, clock: new ManualClock(), token: () => TOKEN });
  const failure = await failureOf(client.listSandboxes());
  expect(everythingOf(failure)).not.toContain(TOKEN);
  expect(failure.excerpt).toBe('[redacted]');
});

test('the token is in no error about the type or the link of an answer', async () => {
  const origin = await startAnsweringServer((request, response) => {
    if (request.url === '/a/current_user/accounts') {
      response.setHeader('content-type', `text/plain; x=${TOKEN}`);
      response.end(TOKEN);
    } else {
      answerJson(response, { results: [], next: `http://${encodeURIComponent(TOKEN)}/` });
    }
  });
  for (const base of ['a', 'b']) {
    const client = openClient({ baseUrl: `${origin}/${base}`, clock: new ManualClock(), token: () => TOKEN });
    expect(everythingOf(await failureOf(client.listSandboxes()))).not.toContain(TOKEN);
  }
});

test('the log of the simulator holds no credential', async () => {
  const { simulator, client } = await startSimulatedCsp({ token: TOKEN });
  await client.listSandboxes();
  expect(JSON.stringify(simulator.log.all())).not.toContain(TOKEN);
});
