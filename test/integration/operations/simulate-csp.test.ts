import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { call } from '../../support/client.ts';
import { startCommand } from '../../support/command-line.ts';

test('simulate-csp deletes as slowly as the real provider, which can be set while it runs', async () => {
  const { child, ended } = startCommand({}, 'simulate-csp', '--port', '0', '--accounts', '1');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const [line] = (await once(child.stdout, 'data')) as [string];
  const { origin } = new URL(/CSP_BASE_URL=(\S+)/.exec(line)?.[1] ?? '');
  const settings = `${origin}/_simulator/settings`;
  expect((await call('GET', settings)).body).toMatchObject({ delete_min_ms: 5_000, delete_max_ms: 10_000 });
  const changed = await call('PUT', settings, {}, { delete_min_ms: 0, delete_max_ms: 0 });
  expect(changed.body).toMatchObject({ delete_min_ms: 0, delete_max_ms: 0 });
});
