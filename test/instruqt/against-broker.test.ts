import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../src/local/engine.ts';
import { type Key, sandboxKey } from '../../src/store/keys.ts';
import { fillPool } from '../../src/store/new-sandboxes.ts';
import { brokerOfTest, brokerProcessOfTest, startBroker, type TestBroker } from '../support/broker.ts';
import { violations } from '../support/invariants.ts';
import { findProgram, LabHost, type ScriptRun, SHELL } from '../support/lab-host.ts';
import { proxyOfTest } from '../support/proxy.ts';
import { ADMIN_TOKEN, makeTable, type TestTable, TRACK_TOKEN, tableOfTest } from '../support/table.ts';
import { tapDatabase, timeout } from '../support/tapped-database.ts';

type Environment = Record<string, string>;

function labHost(): LabHost {
  const host = new LabHost();
  onTestFinished(() => host.remove());
  return host;
}

const environmentOf = (url: string, participant: string, more: Environment = {}): Environment => ({
  BROKER_URL: `${url}/v1`,
  BROKER_API_TOKEN: TRACK_TOKEN,
  INSTRUQT_PARTICIPANT_ID: participant,
  INSTRUQT_TRACK_SLUG: 'dns-basics',
  ...more,
});

const setUp = (host: LabHost, url: string, participant: string, more: Environment = {}) =>
  host.run('setup-sandbox.sh', environmentOf(url, participant, more));
const cleanUp = (host: LabHost, url: string, participant: string, more: Environment = {}) =>
  host.run('cleanup-sandbox.sh', environmentOf(url, participant, more));

/** What the set-up told the lab. */
function sandboxOf(run: ScriptRun): string {
  expect([run.exitCode, run.stderr]).toEqual([0, expect.any(String)]);
  return /^export SANDBOX_ID='([^']*)'$/m.exec(run.stdout)?.[1] ?? '';
}

async function rowOf(table: TestTable, sandboxId: string): Promise<Record<string, unknown> | undefined> {
  return (await table.items()).find((item) => item.PK === `SBX#${sandboxId}` && item.SK === 'META');
}

const noCurl = findProgram('curl') === undefined;

describe.skipIf(noCurl)(`the lab's scripts under ${basename(SHELL)} against the broker`, () => {
  let table: TestTable;
  let broker: TestBroker;

  beforeAll(async () => {
    table = await makeTable();
    await table.seed(100);
    broker = await startBroker(table.environment);
  });

  afterAll(async () => {
    expect(violations(await table.items())).toEqual([]);
    await broker.close();
    await table.drop();
  });

  describe('set-up', () => {
    test('what it stores is the row that is allocated to the participant', async () => {
      const host = labHost();
      const run = await setUp(host, broker.url, 'stores');
      const row = await rowOf(table, sandboxOf(run));
      expect(row).toMatchObject({
        status: 'allocated',
        allocated_to_track: 'stores',
        track_name: 'dns-basics',
      });
      const expiresAt = Number(row?.allocated_at) + 4 * 3600;
      expect(readFileSync(host.envFile, 'utf8')).toBe(
        [
          `export SANDBOX_ID='${row?.sandbox_id}'`,
          `export SANDBOX_NAME='${row?.name}'`,
          `export SANDBOX_EXTERNAL_ID='${row?.external_id}'`,
          `export SANDBOX_EXPIRES_AT='${expiresAt}'`,
          '',
        ].join('\n'),
      );
    });

    test('a second run gets the same sandbox, and says so', async () => {
      const first = await setUp(labHost(), broker.url, 'twice');
      const second = await setUp(labHost(), broker.url, 'twice');
      expect(second.stdout).toBe(first.stdout);
      expect([first.stderr, second.stderr]).toEqual([
        expect.stringContaining('allocated sandbox'),
        expect.stringContaining('this play has its sandbox already'),
      ]);
    });

    test('twenty runs of one participant at once get one sandbox', async () => {
      const runs = await Promise.all(Array.from({ length: 20 }, () => setUp(labHost(), broker.url, 'crowd')));
      expect(new Set(runs.map(sandboxOf)).size).toBe(1);
      expect(runs.filter(({ stderr }) => stderr.includes('allocated sandbox'))).toHaveLength(1);
    });

    test('twenty participants at once get twenty sandboxes', async () => {
      const runs = await Promise.all(
        Array.from({ length: 20 }, (_, index) => setUp(labHost(), broker.url, `participant-${index}`)),
      );
      expect(new Set(runs.map(sandboxOf)).size).toBe(20);
    });

    test('an IDEMPOTENCY_KEY gets the participant a second sandbox, the same one each time', async () => {
      const own = sandboxOf(await setUp(labHost(), broker.url, 'keyed'));
      const second = sandboxOf(await setUp(labHost(), broker.url, 'keyed', { IDEMPOTENCY_KEY: 'second' }));
      const again = sandboxOf(await setUp(labHost(), broker.url, 'keyed', { IDEMPOTENCY_KEY: 'second' }));
      expect(second).not.toBe(own);
      expect(again).toBe(second);
    });

    test('SANDBOX_NAME_PREFIX gets a sandbox of that name, and one that no sandbox has exits 3', async () => {
      const named = { sandboxId: '77', name: 'other-course-1', externalId: 'x/77', sfdcAccountId: '001SAND' };
      await fillPool(table.database, table.shards, [named], 1_774_000_000);
      const matched = await setUp(labHost(), broker.url, 'prefixed', {
        SANDBOX_NAME_PREFIX: 'other-course-',
      });
      expect(sandboxOf(matched)).toBe('77');
      expect(matched.stdout).toContain("export SFDC_ACCOUNT_ID='001SAND'");
      const unmatched = await setUp(labHost(), broker.url, 'unmatched', { SANDBOX_NAME_PREFIX: 'no-such-' });
      expect([unmatched.exitCode, unmatched.stdout]).toEqual([3, '']);
      expect(unmatched.stderr).toContain('name begins with no-such-');
      // It waits as long as the broker asks it to, not less.
      expect(Math.min(...unmatched.waits)).toBeGreaterThanOrEqual(30);
    });

    test('an empty pool exits 3', async () => {
      const empty = await tableOfTest();
      const run = await setUp(labHost(), (await brokerOfTest(empty.environment)).url, 'late');
      expect([run.exitCode, run.stderr]).toEqual([3, expect.stringContaining('the pool is empty')]);
    });

    test.each([
      ['a wrong token', 'not-the-token', 'HTTP 401 UNAUTHORIZED'],
      ['the admin token', ADMIN_TOKEN, 'HTTP 403 FORBIDDEN'],
    ])('%s exits 4, at the first try', async (_, token, complaint) => {
      const run = await setUp(labHost(), broker.url, 'stranger', { BROKER_API_TOKEN: token });
      expect([run.exitCode, run.waits]).toEqual([4, []]);
      expect(run.stderr).toContain(complaint);
    });

    test('a wrong base path exits 4', async () => {
      const BROKER_URL = `${broker.url}/v2`;
      const run = await setUp(labHost(), broker.url, 'lost', { BROKER_URL });
      expect([run.exitCode, run.stderr]).toEqual([4, expect.stringContaining('HTTP 404 NOT_FOUND')]);
    });

    test('when the first answer is lost on the way, the next try gets the sandbox that it told of', async () => {
      const told: string[] = [];
      const proxy = await proxyOfTest(broker.url, {
        fate: (_request, number) => (number === 1 ? 'lose_answer' : 'pass'),
        onAnswer: (_request, status, body) => told.push(`${status} ${JSON.parse(body).sandbox_id}`),
      });
      const run = await setUp(labHost(), proxy, 'unlucky');
      const sandboxId = sandboxOf(run);
      expect(told).toEqual([`201 ${sandboxId}`, `200 ${sandboxId}`]);
      expect(run.waits).toHaveLength(1);
    });

    test('a broker that is restarted between two tries is found again', async () => {
      const port = String(await freePort());
      const host = labHost();
      // The wait between two tries lasts until the test says that it is over.
      const wait = join(host.directory, 'wait');
      execFileSync('mkfifo', [wait]);
      host.install('sleep', `read -r line < ${wait}`);
      const stopped = await brokerProcessOfTest({ ...table.environment, PORT: port });
      await stopped.stop();
      const run = setUp(host, stopped.url, 'restart');
      // Opens once the script has begun to wait.
      const over = await open(wait, 'w');
      const started = await brokerProcessOfTest({ ...table.environment, PORT: port });
      await over.write('\n');
      await over.close();
      expect(started.url).toBe(stopped.url);
      expect(await rowOf(table, sandboxOf(await run))).toMatchObject({ allocated_to_track: 'restart' });
    });

    test('while the database is down it tries for as long as it may, and exits 5', async () => {
      const database = tapDatabase(table.database, async (call, next) => {
        if (call.operation === 'Get') return next();
        throw timeout();
      });
      const down = await brokerOfTest({ ...table.environment, REQUEST_DEADLINE_MS: '100' }, { database });
      const run = await setUp(labHost(), down.url, 'patient', { BROKER_BUDGET_SECONDS: '60' });
      expect([run.exitCode, run.stdout]).toEqual([5, '']);
      expect(run.stderr).toContain('HTTP 503 SERVICE_UNAVAILABLE');
      // The broker asks for five seconds.
      expect(Math.min(...run.waits)).toBeGreaterThanOrEqual(5);
      expect(run.waits.reduce((sum, each) => sum + each, 0)).toBeLessThan(60);
    });
  });

  describe('clean-up', () => {
    test('the sandbox of the set-up is pending deletion afterwards, and a second clean-up has nothing to do', async () => {
      const host = labHost();
      const sandboxId = sandboxOf(await setUp(host, broker.url, 'leaver'));
      expect((await cleanUp(host, broker.url, 'leaver')).exitCode).toBe(0);
      const row = await rowOf(table, sandboxId);
      expect(row).toMatchObject({ status: 'pending_deletion', allocated_to_track: 'leaver' });
      expect(existsSync(host.envFile)).toBe(false);
      expect((await cleanUp(host, broker.url, 'leaver')).exitCode).toBe(0);
      // Also where the host has lost its file and asks the broker again.
      const repeated = await cleanUp(host, broker.url, 'leaver', { SANDBOX_ID: sandboxId });
      expect([repeated.exitCode, await rowOf(table, sandboxId)]).toEqual([0, row]);
    });

    test('a sandbox that is deleted already is success', async () => {
      const host = labHost();
      const Key = sandboxKey(sandboxOf(await setUp(host, broker.url, 'slow')));
      expect((await cleanUp(host, broker.url, 'slow')).exitCode).toBe(0);
      await removeItem(Key);
      const late = await cleanUp(host, broker.url, 'slow', { SANDBOX_ID: Key.PK.slice('SBX#'.length) });
      expect([late.exitCode, late.stderr]).toEqual([0, expect.stringContaining('is given back')]);
    });

    test('so is one that was deleted so long ago that nothing tells of it any more', async () => {
      const host = labHost();
      const { PK } = sandboxKey(sandboxOf(await setUp(host, broker.url, 'slowest')));
      expect((await cleanUp(host, broker.url, 'slowest')).exitCode).toBe(0);
      const items = (await table.items()).filter((item) => item.PK === PK);
      for (const { SK } of items) await removeItem({ PK, SK: String(SK) });
      const late = await cleanUp(host, broker.url, 'slowest', { SANDBOX_ID: PK.slice('SBX#'.length) });
      expect([late.exitCode, late.stderr]).toEqual([0, expect.stringContaining('nothing left to clean up')]);
    });

    const removeItem = (Key: Key) =>
      table.database.documents.send(new DeleteCommand({ TableName: table.database.tableName, Key }));

    test('the sandbox of another participant is not given back: exit 4', async () => {
      const host = labHost();
      const sandboxId = sandboxOf(await setUp(host, broker.url, 'owner'));
      const run = await cleanUp(host, broker.url, 'stranger');
      expect([run.exitCode, run.stderr]).toEqual([
        4,
        expect.stringContaining('does not belong to this play'),
      ]);
      expect(await rowOf(table, sandboxId)).toMatchObject({
        status: 'allocated',
        allocated_to_track: 'owner',
      });
    });

    test('an id with a slash, and whatever else an address must not hold as it is, is given back', async () => {
      const sandboxId = 'accounts/5f0c?a=b&c#d%2F+"e"';
      const own = await tableOfTest();
      const sandbox = { sandboxId, name: 'slashed', externalId: 'x', sfdcAccountId: null };
      await fillPool(own.database, own.shards, [sandbox], 1_774_000_000);
      const { url } = await brokerOfTest(own.environment);
      const host = labHost();
      expect(sandboxOf(await setUp(host, url, 'slashed'))).toBe(sandboxId);
      expect((await cleanUp(host, url, 'slashed')).exitCode).toBe(0);
      expect(await rowOf(own, sandboxId)).toMatchObject({ status: 'pending_deletion' });
    });

    test('a wrong base path exits 4, and the file stays for another try', async () => {
      const host = labHost();
      const sandboxId = sandboxOf(await setUp(host, broker.url, 'astray'));
      const run = await cleanUp(host, broker.url, 'astray', { BROKER_URL: `${broker.url}/v2` });
      expect([run.exitCode, run.stderr]).toEqual([4, expect.stringContaining('is BROKER_URL right?')]);
      expect(existsSync(host.envFile)).toBe(true);
      expect(await rowOf(table, sandboxId)).toMatchObject({ status: 'allocated' });
    });
  });
});
