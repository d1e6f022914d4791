import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import config from '../../../rolldown.config.ts';
import { startCspSimulator } from '../../../src/local/csp-simulator.ts';
import { freePort } from '../../../src/local/engine.ts';
import { asAdmin, call } from '../../support/client.ts';
import { startProgram } from '../../support/command-line.ts';
import { eventually } from '../../support/eventually.ts';
import { accessClaims, issuerOfTest, sign } from '../../support/issuer.ts';
import { secretsManagerOfTest } from '../../support/secrets-manager.ts';
import { ADMIN_TOKEN, type Environment, TRACK_TOKEN, tableOfTest } from '../../support/table.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** Below the checkout, where what is left out of the bundle is found. */
const CACHE = join(ROOT, 'node_modules/.cache');
mkdirSync(CACHE, { recursive: true });
const BUNDLE = mkdtempSync(join(CACHE, 'bundle-of-a-test-'));

beforeAll(async () => {
  const build = await rolldown({ ...config, cwd: ROOT });
  await build.write({ ...config.output, dir: BUNDLE });
  await build.close();
});

afterAll(() => rmSync(BUNDLE, { recursive: true }));

/** Starts a module of the bundle, as the image does. */
const start = (module: string, environment: Environment, ...words: string[]) =>
  startProgram(join(BUNDLE, module), environment, ...words);

const run = (module: string, environment: Environment, ...words: string[]) =>
  start(module, environment, ...words).ended;

test('a broker of the bundle does all for which it loads more while it runs', async () => {
  const table = await tableOfTest();
  const issuer = await issuerOfTest();
  const accessToken = sign(issuer.addKey('first'), accessClaims(issuer));
  const secrets = await secretsManagerOfTest();
  secrets.rotate('track', TRACK_TOKEN);
  secrets.rotate('admin', ADMIN_TOKEN);
  const simulator = await startCspSimulator({ accounts: 3 });
  onTestFinished(() => simulator.close());
  const port = String(await freePort());
  const environment = {
    ...table.environment,
    BROKER_API_TOKEN: '',
    BROKER_ADMIN_TOKEN: '',
    BROKER_API_TOKEN_SECRET_ID: 'track',
    BROKER_ADMIN_TOKEN_SECRET_ID: 'admin',
    SECRETS_ENDPOINT_URL: secrets.url,
    COGNITO_ISSUER_URL: issuer.url,
    COGNITO_CLIENT_IDS: 'client-of-a-lab',
    CSP_BASE_URL: simulator.baseUrl,
    CSP_API_TOKEN: simulator.token,
    LOG_FORMAT: 'text',
    ROLE: 'api',
    PORT: port,
  };
  const healthcheck = async () => (await run('cli/healthcheck.js', { PORT: port })).exitCode;
  expect(await healthcheck()).toBe(1);
  const broker = start('main.js', environment);
  const gone = broker.ended.then(({ stdout, stderr }) => `it ended: ${stdout}${stderr}`);
  const healthy = eventually('the broker is healthy', async () => (await healthcheck()) === 0);
  expect(await Promise.race([healthy, gone])).toBe(true);
  const url = `http://127.0.0.1:${port}`;

  // The client of the provider, the check of access tokens, the site of the documentation.
  expect((await call('POST', `${url}/v1/admin/jobs/sync/run`, asAdmin())).status).toBe(200);
  const track = { authorization: `Bearer ${accessToken}`, 'x-track-id': 'student' };
  expect((await call('POST', `${url}/v1/allocate`, track)).status).toBe(201);
  expect((await call('GET', `${url}/v1/openapi.json`)).body.openapi).toMatch(/^3\./);
  const page = await call('GET', `${url}/v1/docs/`);
  expect(page.body).toContain('<title>Sandbox Broker');
  const scripts = [...String(page.body).matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map(
    ([, path]) => path,
  );
  expect(scripts.length).toBeGreaterThan(2);
  for (const path of scripts)
    expect((await call('GET', new URL(String(path), `${url}/v1/docs/`).href)).status).toBe(200);

  broker.child.kill('SIGTERM');
  expect(await broker.ended).toEqual({
    exitCode: 0,
    stdout: expect.stringMatching(/INFO.*listening(.|\n)*stopped/),
    stderr: '',
  });
});

test('the command line of the bundle says its version, makes a table and verifies it', async () => {
  const table = await tableOfTest();
  const environment = { ...table.environment, DDB_TABLE_NAME: `${table.environment.DDB_TABLE_NAME}-other` };
  expect((await run('cli/main.js', {}, '--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(await run('cli/main.js', environment, 'table', 'create')).toMatchObject({ exitCode: 0 });
  expect(await run('cli/main.js', environment, 'seed', '5')).toMatchObject({ exitCode: 0 });
  expect(await run('cli/main.js', environment, 'verify')).toMatchObject({ exitCode: 0 });
});
