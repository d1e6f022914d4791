import { execFileSync } from 'node:child_process';
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findProgram } from '../support/lab-host.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, '.github/workflows');

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Record<string, unknown>;
}

interface Job {
  readonly permissions?: Record<string, string>;
  readonly needs?: string;
  readonly 'timeout-minutes'?: number;
  readonly steps?: readonly Step[];
  /** Another workflow, which then has the steps. */
  readonly uses?: string;
  readonly strategy?: { readonly matrix: Record<string, string[]> };
}

interface Workflow {
  readonly permissions?: Record<string, string>;
  readonly jobs: Record<string, Job>;
}

const files = readdirSync(FOLDER).map((name) => {
  const text = readFileSync(join(FOLDER, name), 'utf8');
  return { name, text, workflow: parse(text) as Workflow };
});
const scripts: Record<string, string> = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts;

describe.each(files)('the workflow $name', ({ text, workflow }) => {
  const jobs = Object.values(workflow.jobs);
  const steps = jobs.flatMap((job) => job.steps ?? []);

  it('names each action by a commit, with its version beside it, and the same one as everywhere', () => {
    const pinned = [...text.matchAll(/uses: (\S+?)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$/gm)];
    expect(pinned).toHaveLength(steps.filter((step) => step.uses !== undefined).length);
    for (const [, action = '', commit = ''] of pinned) {
      for (const other of files)
        for (const [, used] of other.text.matchAll(new RegExp(`uses: ${action}@(\\S+)`, 'g')))
          expect(used).toBe(commit);
    }
  });

  it('grants nothing to the whole, and to each job what it needs and a time', () => {
    expect(workflow.permissions).toEqual({});
    for (const job of jobs) {
      expect(job.permissions?.contents).toBeDefined();
      if (job.uses === undefined) expect(job['timeout-minutes']).toBeGreaterThan(0);
    }
  });

  it('leaves no credential behind after a checkout', () => {
    for (const step of steps.filter(({ uses }) => uses?.startsWith('actions/checkout@')))
      expect(step.with?.['persist-credentials']).toBe(false);
  });

  it('calls npm scripts and .ci files that are there', () => {
    const lines = steps.map((step) => step.run ?? '').join('\n');
    const called = [...lines.matchAll(/npm run ([a-z][\w:-]*)/g)].map(([, name = '']) => name);
    const fromMatrix = jobs.flatMap((job) => job.strategy?.matrix.check ?? []);
    expect([...called, ...fromMatrix].filter((name) => scripts[name] === undefined)).toEqual([]);
    for (const [, file = ''] of lines.matchAll(/(\.ci\/[\w-]+)/g))
      accessSync(join(ROOT, file), constants.X_OK);
  });

  it('writes nothing of the event into a shell', () => {
    for (const step of steps) expect(step.run ?? '').not.toMatch(/\$\{\{/);
  });
});

it('releases what holds everything that a change must hold', () => {
  const { jobs } = files.find(({ name }) => name === 'release.yml')!.workflow;
  expect(jobs.ci!.uses).toBe('./.github/workflows/ci.yml');
  expect(jobs.image!.needs).toBe('ci');
  expect(jobs.release!.needs).toBe('image');
});

it('copies the very image whose provenance it verified, by its digest', () => {
  const { text } = files.find(({ name }) => name === 'deploy.yml')!;
  expect(text).toContain('gh attestation verify "oci://$SOURCE"');
  expect(text).toContain('imagetools create --tag "$ECR_REPOSITORY:$VERSION" "$SOURCE"');
  expect(text).toContain('test "$(there)" = "$DIGEST"');
  // The tag is read once.
  expect(text.match(/"\$repository:\$VERSION"/g)).toHaveLength(1);
});

it('runs the image on the processor that Terraform takes by default, before it is signed and released', () => {
  const { workflow } = files.find(({ name }) => name === 'release.yml')!;
  const variables = readFileSync(join(ROOT, 'terraform/variables-service.tf'), 'utf8');
  const [, architecture = ''] = /variable "cpu_architecture" \{.*?default\s+= "(\w+)"/s.exec(variables)!;
  const steps = workflow.jobs.image!.steps!;
  const runs = steps.findIndex(({ run }) =>
    run?.includes(`docker run --rm --platform linux/${architecture.toLowerCase()} `),
  );
  expect(runs).toBeGreaterThan(steps.findIndex(({ uses }) => uses?.startsWith('docker/build-push-action@')));
  expect(runs).toBeLessThan(
    steps.findIndex(({ uses }) => uses?.startsWith('actions/attest-build-provenance@')),
  );
});

const actionlint = findProgram('actionlint');
it.skipIf(actionlint === undefined)('actionlint finds nothing wrong with the workflows', () => {
  const names = files.map(({ name }) => join(FOLDER, name));
  expect(execFileSync(actionlint as string, names, { encoding: 'utf8', cwd: ROOT })).toBe('');
});
