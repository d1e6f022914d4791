import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { REPOSITORY } from './source-files.ts';

const script = readFileSync(join(REPOSITORY, '.ci/deploy'), 'utf8');
const policy = readFileSync(join(REPOSITORY, 'terraform/modules/deploy-role/main.tf'), 'utf8');

/** `describe-services` is `ecs:DescribeServices`. */
function action(command: string): string {
  return `ecs:${command.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())}`;
}

it('lets the pipeline do in ECS what .ci/deploy calls, and tag what it registers', () => {
  const called = [...script.matchAll(/\baws ecs ([a-z-]+)/g)].map(([, command]) => command!).map(action);
  const granted = [...policy.matchAll(/"(ecs:[A-Z]\w+)"/g)].map(([, each]) => each!);
  expect(called).toContain('ecs:UpdateService');
  expect(granted.filter((each) => each !== 'ecs:CreateAction').sort()).toEqual(
    [...new Set([...called, 'ecs:TagResource'])].sort(),
  );
});
