import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { environmentSchema } from '../../src/config.ts';
import { TIME_TO_LIVE_ATTRIBUTE } from '../../src/store/table.ts';
import { JOB_NAMES } from '../../src/workers/job.ts';
import { REPOSITORY, sourceFiles } from './source-files.ts';

const files = new Map(sourceFiles('terraform', '.tf').map(({ path, text }) => [path, text]));

describe('what Terraform names after the code', () => {
  it('is the time-to-live attribute of the table', () => {
    expect(files.get('terraform/modules/table/main.tf')).toContain(
      `attribute_name = "${TIME_TO_LIVE_ATTRIBUTE}"`,
    );
  });

  it('is every job, each with a schedule', () => {
    const variables = files.get('terraform/variables-service.tf')!;
    const schedules = /variable "job_schedules" \{.*?default = \{(.*?)\}/s.exec(variables)![1]!;
    const jobs = [...schedules.matchAll(/(\w+)\s+= "/g)].map(([, job]) => job!);
    expect(jobs.sort()).toEqual([...JOB_NAMES].sort());
    const [, known = ''] = /contains\(\[([^\]]*)\], job\)/.exec(variables)!;
    expect(JSON.parse(`[${known}]`).sort()).toEqual([...JOB_NAMES].sort());
  });

  it('is the whole command of a job, as the image has no entry point', () => {
    const image = readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8');
    expect(image).not.toMatch(/^ENTRYPOINT/m);
    expect(image).toContain('/usr/local/bin/sandbox-broker');
    expect(files.get('terraform/modules/scheduled-jobs/main.tf')).toContain(
      'command = ["sandbox-broker", "jobs", "run", each.key]',
    );
  });

  it('is every variable of the environment, each of which the broker reads', () => {
    const locals = files.get('terraform/locals.tf')!;
    const names = [
      ...locals.matchAll(/\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|PORT|ROLE)\s+=|= "([A-Z]+(?:_[A-Z]+)+)"/g),
    ].map(([, set, filled]) => set ?? filled!);
    expect(names).toContain('BROKER_API_TOKEN');
    expect(names.filter((name) => !(name in environmentSchema.shape))).toEqual([]);
  });
});

describe('the examples and how to begin with them', () => {
  it('have a table of their own where they have a name of their own, to stand beside another in one account', () => {
    const examples = [...files].filter(([path]) => /^terraform\/examples\/[^/]+\/main\.tf$/.test(path));
    const renamed = examples.filter(([, text]) => /^ {2}name +=/m.test(text));
    expect(renamed.map(([path]) => path)).toEqual(['terraform/examples/smallest/main.tf']);
    expect(renamed.filter(([, text]) => !/^ {2}table_name +=/m.test(text))).toEqual([]);
  });

  it.each(['terraform/README.md', 'docs/deployment.md'])(
    'sign in to the registry before the push (%s)',
    (path) => {
      const steps = readFileSync(join(REPOSITORY, path), 'utf8');
      const signIn = steps.indexOf('aws ecr get-login-password | docker login');
      expect(signIn).toBeGreaterThan(0);
      expect(steps.indexOf('docker buildx build --platform linux/arm64 --push')).toBeGreaterThan(signIn);
    },
  );

  it('are explained with the names that the smallest has, too', () => {
    const smallest = files.get('terraform/examples/smallest/main.tf')!;
    const named = [...smallest.matchAll(/^ {2}(?:table_)?name +=\s"(.+)"/gm)].map(([, name]) => name!);
    const steps = readFileSync(join(REPOSITORY, 'docs/deployment.md'), 'utf8');
    expect(named.filter((name) => !steps.includes(`\`${name}\``))).toEqual([]);
  });
});
