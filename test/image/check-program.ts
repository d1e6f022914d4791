import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { readConfig } from '../../src/config.ts';
import { openTable } from '../../src/container/table-access.ts';
import { freePort, startEngine } from '../../src/local/engine.ts';
import { violations } from '../support/invariants.ts';
import { Callers } from './callers.ts';
import { ContainedProcess } from './contained-process.ts';
import type { Image } from './image.ts';
import { slowLinkTo } from './slow-link.ts';

const POOL = 1_000;
/** Students who ask at once. */
const AT_ONCE = 60;
/** Of each call to the database: so that a stop meets requests that are far from done. */
const DATABASE_DELAY_MS = 1_200;
/**
 * How long the broker goes on after SIGTERM before it closes: longer than the load balancer takes to notice, whose look
 * that is under way waits for the slow database.
 */
const SHUTDOWN_DELAY_MS = 5_000;
/** In which a stop must end. */
const GRACE_MS = 25_000;

/** Runs the commands of the image as its user on its read-only root, and stops the broker under load. */
export async function checkProgram(image: Image, tree: string): Promise<void> {
  const engine = await startEngine();
  const slow = await slowLinkTo(engine.url, DATABASE_DELAY_MS);
  const [port, cspPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const environment = {
    BROKER_API_TOKEN: 'track-token-of-a-test',
    BROKER_ADMIN_TOKEN: 'admin-token-of-a-test',
    DDB_ENDPOINT_URL: engine.url,
    CSP_BASE_URL: `http://127.0.0.1:${cspPort}/v2`,
    CSP_API_TOKEN: 'csp-token-of-a-test',
    HOST: '127.0.0.1',
    PORT: String(port),
  };
  const started: ContainedProcess[] = [];
  const start = (command: readonly string[] | undefined, changes: Record<string, string> = {}) => {
    const contained = new ContainedProcess(image, tree, { ...environment, ...changes }, command);
    started.push(contained);
    return contained;
  };
  const run = (...command: string[]) => start(command).ended();
  const node = (code: string) => run('node', '--eval', code);

  try {
    const unconfigured = await start(undefined, { BROKER_API_TOKEN: '' }).ended();
    assert.equal(unconfigured.exitCode, 1);
    assert.match(unconfigured.output, /BROKER_API_TOKEN is not set/);
    print('ok  without its configuration it says what is missing and exits 1');

    const forbidden = ['/app/dist/main.js', '/app/new', '/new', '/etc/passwd', '/tmp/new'];
    for (const path of forbidden) {
      const { output } = await node(`require('fs').appendFileSync('${path}', '')`);
      assert.match(output, /EROFS|EACCES/, `${path} cannot be written`);
    }
    print('ok  nothing can be written, not in /tmp either');

    const created = await run('sandbox-broker', 'table', 'create');
    assert.equal(created.exitCode, 0, created.output);
    const csp = start([
      ...['sandbox-broker', 'simulate-csp', '--host', '127.0.0.1', '--port', String(cspPort)],
      ...['--accounts', String(POOL), '--token', environment.CSP_API_TOKEN],
    ]);
    await csp.untilOutput(/listens/);
    const synced = await run('sandbox-broker', 'jobs', 'run', 'sync');
    assert.equal(synced.exitCode, 0, synced.output);
    print('ok  the command line, the simulated provider and a job run from the same image');

    assert.equal((await run(...image.healthCheck)).exitCode, 1);
    const broker = start(undefined, {
      DDB_ENDPOINT_URL: slow.url,
      LOG_FORMAT: 'text',
      SHUTDOWN_DELAY_MS: String(SHUTDOWN_DELAY_MS),
      SHUTDOWN_TIMEOUT_MS: String(GRACE_MS),
    });
    await broker.untilOutput(/listening/);
    const healthy = await run(...image.healthCheck);
    assert.equal(healthy.exitCode, 0, healthy.output);
    print('ok  its health check fails before it listens and succeeds then, without a shell');

    assertContained(broker.pid, image);
    print(
      `ok  it is process 1 of its container, user ${image.user}, without a privilege, on a read-only root`,
    );

    const callers = new Callers(url, environment.BROKER_API_TOKEN);
    const report = callers.run(AT_ONCE);
    await sleep(4 * DATABASE_DELAY_MS);
    const [inFlight, answered] = [callers.inFlight, callers.answered];
    const asked = performance.now();
    broker.signal('SIGTERM');
    const [{ sandboxes, failures }, ended] = await Promise.all([report, broker.ended()]);
    const tookMs = performance.now() - asked;
    assert.deepEqual(failures, []);
    assert.equal(ended.exitCode, 0, ended.output);
    assert.ok(tookMs < GRACE_MS, `It stopped after ${Math.round(tookMs)} ms`);
    assert.ok(inFlight > AT_ONCE / 2, `Only ${inFlight} requests were in flight`);
    assert.match(ended.output, /stopped/);
    print(
      `ok  SIGTERM with ${inFlight} requests in flight and ${answered} answered: ` +
        `${sandboxes.length - answered} more were answered 201, none was lost, and it exited 0 ` +
        `after ${(tookMs / 1000).toFixed(1)} s of ${GRACE_MS / 1000}`,
    );

    const items = await readTable(environment);
    const allocated = items.filter((item) => item.status === 'allocated');
    assert.deepEqual(violations(items), []);
    assert.deepEqual(allocated.map((item) => item.sandbox_id).sort(), [...sandboxes].sort());
    print(`ok  the table holds those ${allocated.length} allocations, no other, and breaks no invariant`);

    csp.signal('SIGTERM');
    assert.equal((await csp.ended()).exitCode, 0);
  } finally {
    await Promise.all(started.map((each) => each.kill()));
    slow.close();
    await engine.stop();
  }
}

/** As the kernel sees it. */
function assertContained(pid: number, image: Image): void {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim().split(/\s+/) ?? [];
  const [user, group] = image.user.split(':');
  assert.deepEqual(field('Uid'), [user, user, user, user]);
  assert.deepEqual(field('Gid'), [group, group, group, group]);
  assert.deepEqual(field('Groups').filter(Boolean), []);
  assert.equal(field('NSpid').at(-1), '1');
  assert.equal(field('NoNewPrivs')[0], '1');
  for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb']) assert.match(field(set)[0] ?? '', /^0+$/);
  const root = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .find((fields) => fields[4] === '/');
  assert.match(root?.[5] ?? '', /^ro\b/);
}

async function readTable(environment: Record<string, string>): Promise<Record<string, unknown>[]> {
  const { database } = openTable(readConfig(environment));
  const items: Record<string, unknown>[] = [];
  let after: Record<string, unknown> | undefined;
  do {
    const page = await database.documents.send(
      new ScanCommand({ TableName: database.tableName, ConsistentRead: true, ExclusiveStartKey: after }),
    );
    items.push(...(page.Items ?? []));
    after = page.LastEvaluatedKey;
  } while (after !== undefined);
  database.close();
  return items;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
