import { describe, expect, it } from 'vitest';
import { SANDBOX_STATUSES } from '../../src/domain/sandbox.ts';
import { JOB_NAMES } from '../../src/workers/job.ts';
import { sourceFiles } from './source-files.ts';

const terraform = sourceFiles('terraform/modules/observability', '.tf')
  .map(({ text }) => text)
  .join('\n');
const code = sourceFiles('src')
  .map(({ text }) => text)
  .join('\n');

/** What `$.field = "word"` in a filter and `field = 'word'` in a query look for. */
function wordsLookedFor(field: string): string[] {
  const filters = terraform.matchAll(new RegExp(`\\$\\.${field} = \\\\"([^"\\\\]+)\\\\"`, 'g'));
  const queries = terraform.matchAll(new RegExp(`\\b${field} = '([^']+)'`, 'g'));
  return [...new Set([...filters, ...queries].map(([, word]) => word!))].sort();
}

function written(word: string): boolean {
  return code.includes(`'${word}'`);
}

describe('the filters and queries of the logs', () => {
  it('look for actions that the broker logs', () => {
    const jobs = JOB_NAMES.map((name) => `job_${name}`);
    const actions = wordsLookedFor('action').filter((word) => word !== 'job_*');
    expect(actions).toContain('job_sync');
    expect(actions.filter((word) => !jobs.includes(word as (typeof jobs)[number]) && !written(word))).toEqual(
      [],
    );
  });

  it('look for outcomes that the broker logs', () => {
    const outcomes = wordsLookedFor('outcome');
    expect(outcomes).toContain('no_sandboxes');
    expect(outcomes.filter((word) => !written(word))).toEqual([]);
  });

  it('look for levels as the broker writes them, by name', () => {
    expect(wordsLookedFor('level')).toEqual(['error', 'fatal']);
    expect(code).toMatch(/formatters: \{ level: \(label\) => \(\{ level: label \}\) \}/);
  });

  it('count every status that a sandbox can have, as the job that counts logs them', () => {
    const counted = [...terraform.matchAll(/^ +Pool\w+ += "\$\.result\.(\w+)"/gm)].map(
      ([, status]) => status,
    );
    expect(counted.sort()).toEqual([...SANDBOX_STATUSES].sort());
  });

  it('read fields that the broker writes', () => {
    const fields = [...terraform.matchAll(/\$\.([a-z_]+(?:\.[a-z_]+)?)/g)].map(
      ([, path]) => path!.split('.').at(-1)!,
    );
    const missing = [...new Set(fields)].filter((field) => !new RegExp(`\\b${field}\\b`).test(code));
    expect(missing).toEqual([]);
  });
});
