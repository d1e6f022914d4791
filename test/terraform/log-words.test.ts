import { describe, expect, it } from 'vitest';
import { SANDBOX_STATUSES } from '../../src/domain/sandbox.ts';
import { allocate } from '../support/client.ts';
import { jobsWorld } from '../support/jobs-world.ts';
import { fieldOf, type LogLine, parseFilter } from './json-filter.ts';
import { sourceFiles } from './source-files.ts';

const terraform = sourceFiles('terraform/modules/observability', '.tf')
  .map(({ text }) => text)
  .join('\n');
const code = sourceFiles('src')
  .map(({ text }) => text)
  .join('\n');

interface MetricFilter {
  readonly pattern: string;
  /** Whose number is the value of the metric; undefined where lines are counted. */
  readonly value: string | undefined;
}

/** Each status and where its count stands in a line. */
const poolCounts = [...terraform.matchAll(/^ +(Pool\w+) += "(\$\.result\.(\w+))"$/gm)].map(
  ([, name, value, status]) => ({ name: name!, value: value!, status: status! }),
);

/** The filters of logs.tf by name. */
function metricFilters(): Map<string, MetricFilter> {
  const plain = (text: string) => text.replaceAll('\\"', '"');
  const literal = /^ +(\w+) += \{ pattern = "((?:[^"\\]|\\.)*)"(?:, value = "([^"]+)")?.*\}$/gm;
  const filters = [...terraform.matchAll(literal)].map(
    ([, name, pattern, value]) => [name!, { pattern: plain(pattern!), value }] as const,
  );
  const [, ofCounts] = /pattern = "((?:[^"\\]|\\.)*\$\{count\}(?:[^"\\]|\\.)*)", value = count/.exec(
    terraform,
  )!;
  const counts = poolCounts.map(
    ({ name, value }) => [name, { pattern: plain(ofCounts!).replace(/\$\{count\}/, value), value }] as const,
  );
  return new Map([...filters, ...counts]);
}

/** The broker brought into every situation that a filter looks for, and what it logged there. */
async function linesOfSituations(): Promise<Record<string, LogLine[]>> {
  const world = await jobsWorld({
    environment: { LOG_LEVEL: 'info', CLEANUP_MAX_DELETIONS: '3', DELETION_RETRY_MAX_ATTEMPTS: '1' },
  });
  const { broker, simulator } = world;
  const lines: Record<string, LogLine[]> = {};
  const logged = (action: string) =>
    broker.log.map((line): LogLine => JSON.parse(line)).filter((line) => line.action === action).length;
  async function situation(name: string, action: string, act: () => Promise<unknown>): Promise<void> {
    const before = broker.log.length;
    const ofAction = logged(action);
    await act();
    // The line of a request may come after its answer.
    await expect.poll(() => logged(action), { interval: 5 }).toBeGreaterThan(ofAction);
    lines[name] = broker.log.slice(before).map((line) => JSON.parse(line));
  }
  async function released(count: number, prefix: string): Promise<string[]> {
    const before = logged('mark_for_deletion');
    const sandboxes = await world.released(count, prefix);
    await expect.poll(() => logged('mark_for_deletion'), { interval: 5 }).toBe(before + count);
    return sandboxes;
  }

  await situation('nobody is left for a student', 'allocate', () => allocate(broker.url, 'late'));
  simulator.accounts.create({ count: 12 });
  await situation('a sync', 'job_sync', () => world.run('sync'));
  // For so long a broker remembers that there was none.
  await world.time.pass(60_000);
  await situation('a count', 'job_statistics', () => world.run('statistics'));
  await situation('a student gets one', 'allocate', () => world.allocated(1));
  await situation('an expiry', 'job_expiry', () => world.run('expiry'));

  const [first] = await released(1, 'first');
  await situation('a cleanup', 'job_cleanup', () => world.run('cleanup'));
  expect(world.account(String(first))).toBeUndefined();

  simulator.faults.set([{ kind: 'empty_list', call: 'list' }]);
  await situation('an empty listing', 'job_sync', () => world.run('sync'));
  simulator.faults.set([{ kind: 'error', status: 500, call: 'list' }]);
  await situation('a listing that fails', 'job_sync', () => world.run('sync'));

  await released(1, 'second');
  simulator.faults.set([{ kind: 'unauthorized' }]);
  await situation('a token that is refused', 'job_cleanup', () => world.run('cleanup'));
  simulator.faults.set([]);
  await world.time.pass(600_000);

  const [lost] = await released(1, 'lost');
  // Never sent, and so known to be the row's own fault.
  await world.backdate(String(lost), { external_id: '..' });
  await situation('a deletion that is given up', 'job_cleanup', () => world.run('cleanup'));

  await released(4, 'many');
  await situation('more deletions than the cap', 'job_cleanup', () => world.run('cleanup'));
  return lines;
}

describe('the filters and queries of the logs', () => {
  it('find in the lines that the broker writes what each is for, and nothing else', async () => {
    const filters = metricFilters();
    const situations = await linesOfSituations();
    const found = Object.entries(situations).map(([situation, lines]) => {
      const names = [...filters].filter(([, { pattern, value }]) => {
        const matches = lines.filter(parseFilter(pattern));
        // CloudWatch drops a value that is no number.
        return matches.some((line) => value === undefined || typeof fieldOf(line, value) === 'number');
      });
      return [situation, names.map(([name]) => name).sort()];
    });
    const pool = poolCounts.map(({ name }) => name).sort();
    expect(Object.fromEntries(found)).toEqual({
      'nobody is left for a student': ['Allocations', 'PoolEmpty'],
      'a sync': ['SyncsCompleted'],
      'a count': pool,
      'a student gets one': ['Allocations'],
      'an expiry': ['ExpiriesCompleted'],
      'a cleanup': ['CleanupsCompleted'],
      'an empty listing': ['SyncsBraked'],
      'a listing that fails': ['ErrorsLogged', 'JobsFailed'],
      'a token that is refused': ['CspUnauthorized'],
      'a deletion that is given up': ['CleanupsCompleted', 'DeletionsFailed'],
      'more deletions than the cap': ['CleanupsCapped'],
    });
    expect([...new Set(found.flatMap(([, names]) => names))].sort()).toEqual([...filters.keys()].sort());

    // And so with `field = 'word'` in a query.
    const lines = Object.values(situations).flat();
    const compared = [...terraform.matchAll(/\b(action|outcome) !?= '([^']+)'/g)];
    expect(compared.length).toBeGreaterThan(4);
    for (const [, field, word] of compared)
      expect(
        lines.some((line) => line[field!] === word),
        `a line whose ${field} is ${word}`,
      ).toBe(true);
  });

  it('look for levels as the broker writes them, by name', () => {
    const filters = terraform.matchAll(/\$\.level = \\"(\w+)\\"/g);
    expect([...filters].map(([, level]) => level)).toEqual(['error', 'fatal']);
    expect(terraform).toContain("level in ['error', 'fatal']");
    expect(code).toMatch(/formatters: \{ level: \(label\) => \(\{ level: label \}\) \}/);
  });

  it('count every status that a sandbox can have, as the job that counts logs them', () => {
    expect(poolCounts.map(({ status }) => status).sort()).toEqual([...SANDBOX_STATUSES].sort());
  });

  it('show fields that the broker writes', () => {
    const shown = [...terraform.matchAll(/"fields ([^|]+) \|/g)].flatMap(([, fields]) => fields!.split(', '));
    const fields = [...new Set(shown)].filter((field) => field !== '@timestamp' && field !== 'msg');
    expect(fields).toContain('result.gave_up');
    expect(fields.filter((field) => !new RegExp(`\\b${field.split('.').at(-1)}\\b`).test(code))).toEqual([]);
  });
});

describe('the patterns of CloudWatch, as they are read here', () => {
  const line = { action: 'job_sync', outcome: 'error', result: { gave_up: 2, error: null } };

  it.each([
    '{ $.action = "job_sync" }',
    '{ $.action = "job_*" }',
    '{ ($.action = "job_*") && ($.outcome = "error") }',
    '{ ($.action = "allocate") || ($.outcome = "error") }',
    '{ ($.result.gave_up > 1) && ($.result.gave_up >= 2) }',
    '{ $.outcome = * }',
  ])('%s matches', (pattern) => {
    expect(parseFilter(pattern)(line)).toBe(true);
  });

  it.each([
    '{ $.action = "job" }',
    '{ $.action = "sync*" }',
    '{ ($.action = "job_*") && ($.outcome = "success") }',
    '{ $.result.gave_up > 2 }',
    '{ $.result.failed >= 0 }',
    '{ $.action >= 0 }',
    '{ $.latency_ms = * }',
  ])('%s does not', (pattern) => {
    expect(parseFilter(pattern)(line)).toBe(false);
  });

  it.each(['$.a = "b"', '{ $.a != "b" }', '{ $.a = b }', '{ ($.a = "b" }', '{ $.a = "b" } }', '{ }'])(
    '%s is refused',
    (pattern) => {
      expect(() => parseFilter(pattern)).toThrow('Not a pattern');
    },
  );
});
