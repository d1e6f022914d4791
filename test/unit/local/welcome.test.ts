import { expect, test } from 'vitest';
import type { InstallationSummary } from '../../../src/local/installation-summary.ts';
import { welcome } from '../../../src/local/welcome.ts';

const summary: InstallationSummary = {
  brokers: ['http://127.0.0.1:8080', 'http://127.0.0.1:8081'],
  engine: 'http://127.0.0.1:8000',
  csp: 'http://127.0.0.1:9000',
  trackToken: 'the-track-token',
  adminToken: 'the-admin-token',
  pids: { local: 1, engine: 2, brokers: [3, 4] },
};
const lineOf = (text: string, word: string) => text.split('\n').find((line) => line.startsWith(word));

test('the welcome names every address and both tokens', () => {
  const text = welcome(summary, { basePath: '/v1' });
  const { brokers, engine, csp, trackToken, adminToken } = summary;
  for (const each of [...brokers, engine, csp, trackToken, adminToken]) expect(text).toContain(each);
});

test('the welcome says where the state is kept, and nothing of the state of somebody else’s engine', () => {
  expect(lineOf(welcome(summary, { basePath: '/v1' }), 'Engine')).toContain('in memory');
  expect(lineOf(welcome(summary, { dataFolder: '/data/broker', basePath: '/v1' }), 'Engine')).toContain(
    '/data/broker',
  );
  const elsewhere = { ...summary, pids: { ...summary.pids, engine: null } };
  expect(lineOf(welcome(elsewhere, { basePath: '/v1' }), 'Engine')).toMatch(/http:\/\/127\.0\.0\.1:8000$/);
});

test('each command fits on one line, to be pasted', () => {
  const commands = welcome(summary, { basePath: '/v1' })
    .split('\n')
    .filter((line) => line.startsWith('  curl '));
  expect(commands).toHaveLength(3);
  for (const command of commands) {
    expect(command).toContain(
      "-H 'Authorization: Bearer the-track-token' -H 'X-Instruqt-Sandbox-ID: student-1'",
    );
  }
});

test('everything is below the base path of the API', () => {
  const text = welcome(summary, { basePath: '/sandboxes/v2' });
  expect(lineOf(text, 'Documentation')).toContain('http://127.0.0.1:8080/sandboxes/v2/docs');
  expect(text.match(/8080\/sandboxes\/v2\/(allocate|sandboxes)/g)).toHaveLength(3);
  expect(text).not.toContain('/v1');
});
