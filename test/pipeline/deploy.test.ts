import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answerJson, startAnsweringServer } from '../support/answering-server.ts';
import { findProgram, LabHost } from '../support/lab-host.ts';

const DEPLOY = join(import.meta.dirname, '../../.ci/deploy');
const PROGRAMS = ['jq', 'curl', 'sed', 'grep', 'mktemp', 'rm', 'head', 'dirname', 'cat', 'date'];
const isPossible = PROGRAMS.every((name) => findProgram(name) !== undefined);

const RUNNING = 'arn:aws:ecs:eu-central-1:123456789012:task-definition/sandbox-broker:7';
const NEXT = 'arn:aws:ecs:eu-central-1:123456789012:task-definition/sandbox-broker:8';
const IMAGE = `registry.example/sandbox-broker@sha256:${'a'.repeat(64)}`;

/**
 * ECS as far as the script sees it. The file `serving` holds the task definition that the service has, `rollout-8` what
 * each look at the deployment of that revision finds, a line each, of which the last stays: a rolloutState, or
 * ABSENT (not shown), BACK (the circuit breaker or an alarm: the service is where it was), ERROR (no answer).
 */
const AWS = `
folder=$(dirname "$0")/../ecs
now=$(cat "$folder/serving")
primary() {
  printf '{"id":"%s","status":"PRIMARY","taskDefinition":"%s","rolloutState":"%s"}' "$1" "$2" "$3"
}
case "$1 $2" in
  'ecs describe-services')
    looks="$folder/rollout-\${now##*:}"
    state=COMPLETED
    if [ -f "$looks" ]; then
      state=$(head -n 1 "$looks")
      left=$(sed 1d "$looks")
      [ -z "$left" ] || printf '%s\\n' "$left" > "$looks"
    fi
    case $state in
      ERROR) exit 254 ;;
      ABSENT) shown=$(primary older "${RUNNING}" COMPLETED) ;;
      BACK)
        shown="$(primary back "${RUNNING}" IN_PROGRESS),{\\"id\\":\\"of-$now\\",\\"status\\":\\"ACTIVE\\",\\"rolloutState\\":\\"FAILED\\"}"
        printf '%s' "${RUNNING}" > "$folder/serving" ;;
      *) shown=$(primary "of-$now" "$now" "$state") ;;
    esac
    printf '{"services":[{"taskDefinition":"%s","deployments":[%s]}]}' "$now" "$shown" ;;
  'ecs describe-task-definition') cat "$folder/definition.json" ;;
  'ecs register-task-definition')
    printf '%s' "$4" > "$folder/registered.json"
    printf '{"taskDefinition":{"taskDefinitionArn":"${NEXT}"}}' ;;
  'ecs update-service')
    printf '%s' "$8" > "$folder/serving"
    printf '{"service":{"deployments":[%s]}}' "$(primary "of-$8" "$8" IN_PROGRESS)" ;;
  'ecs deregister-task-definition') printf '%s' "$4" > "$folder/deregistered"; printf '{}' ;;
  *) exit 9 ;;
esac`;

describe.skipIf(!isPossible)('.ci/deploy', () => {
  let host: LabHost;
  let ecs: (name: string) => string;
  const deploy = (url: string, environment: Record<string, string> = {}) =>
    host.run(DEPLOY, {
      ECS_CLUSTER: 'broker',
      ECS_SERVICE: 'broker',
      IMAGE,
      BROKER_URL: url,
      BROKER_API_TOKEN: 'token-of-a-test',
      SMOKE_TRIES: '2',
      ...environment,
    });
  /** What looks at the deployment of a revision find, one after the other. */
  const looksFind = (revision: number, ...states: string[]) =>
    writeFileSync(ecs(`rollout-${revision}`), `${states.join('\n')}\n`);

  beforeEach(() => {
    host = new LabHost(PROGRAMS);
    host.install('aws', AWS);
    mkdirSync(join(host.directory, 'ecs'));
    ecs = (name) => join(host.directory, 'ecs', name);
    writeFileSync(ecs('serving'), RUNNING);
    writeFileSync(
      ecs('definition.json'),
      JSON.stringify({
        taskDefinition: {
          taskDefinitionArn: RUNNING,
          revision: 7,
          status: 'ACTIVE',
          registeredAt: 1,
          family: 'sandbox-broker',
          cpu: '512',
          containerDefinitions: [{ name: 'sandbox-broker', image: 'old', readonlyRootFilesystem: true }],
        },
        tags: [{ key: 'team', value: 'labs' }],
      }),
    );
  });
  afterEach(() => host.remove());

  /** A broker that is well, or whose database is not. */
  const broker = (isWell: boolean) =>
    startAnsweringServer(({ url, method, headers }, response) => {
      const refuse = (status: number, code: string) => answerJson(response, { error: { code } }, status);
      if (url === '/healthz') answerJson(response, { status: 'healthy' });
      else if (headers.authorization !== 'Bearer token-of-a-test') refuse(401, 'UNAUTHORIZED');
      else if (method === 'POST') refuse(400, 'INVALID_TRACK_ID');
      else if (isWell) refuse(404, 'SANDBOX_NOT_FOUND');
      else refuse(503, 'SERVICE_UNAVAILABLE');
    });

  it('changes the image of what runs and nothing else, waits until ECS has completed that, and looks', async () => {
    const { exitCode, stdout, stderr } = await deploy(await broker(true));
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Serves:    ${NEXT}`);
    expect(readFileSync(ecs('serving'), 'utf8')).toBe(NEXT);
    expect(existsSync(ecs('deregistered'))).toBe(false);
    expect(JSON.parse(readFileSync(ecs('registered.json'), 'utf8'))).toEqual({
      family: 'sandbox-broker',
      cpu: '512',
      containerDefinitions: [{ name: 'sandbox-broker', image: IMAGE, readonlyRootFilesystem: true }],
      tags: [{ key: 'team', value: 'labs' }],
    });
  });

  it('puts the previous one back when the new one runs and does not serve', async () => {
    const { exitCode, stderr } = await deploy(await broker(false));
    expect(exitCode).toBe(1);
    expect(stderr).toContain('GET /v1/sandboxes/smoke: 503 instead of 404');
    expect(readFileSync(ecs('serving'), 'utf8')).toBe(RUNNING);
    // Or scheduled jobs, which take the newest one that is active, would go on with it.
    expect(readFileSync(ecs('deregistered'), 'utf8')).toBe(NEXT);
  });

  it('waits until ECS has watched the new one, and says for what it waits', async () => {
    looksFind(8, 'ABSENT', 'IN_PROGRESS', 'ERROR', 'IN_PROGRESS', 'COMPLETED');
    const { exitCode, stdout, waits } = await deploy(await broker(true));
    expect(exitCode).toBe(0);
    expect(waits).toEqual([15, 15, 15, 15]);
    expect(stdout).toContain(
      `Waits for up to 1500 seconds until ECS calls the deployment of ${NEXT} completed`,
    );
    expect(stdout).toContain(`Serves:    ${NEXT}`);
  });

  it.each([
    ['BACK', `ECS went back to ${RUNNING} by itself`],
    ['ABSENT', `ECS went back to ${RUNNING} by itself`],
    ['FAILED', `ECS calls the deployment of ${NEXT} failed`],
  ])(
    'fails when ECS gave the new one up while it was awaited (%s), although tasks run',
    async (end, words) => {
      looksFind(8, 'IN_PROGRESS', 'IN_PROGRESS', end);
      const { exitCode, stdout, stderr } = await deploy(await broker(true));
      expect(exitCode).toBe(1);
      expect(stderr).toContain(words);
      expect(stdout).not.toContain('Serves');
      expect(readFileSync(ecs('serving'), 'utf8')).toBe(RUNNING);
      expect(readFileSync(ecs('deregistered'), 'utf8')).toBe(NEXT);
    },
  );

  it('goes back from one that ECS never completes', async () => {
    looksFind(8, 'IN_PROGRESS');
    const { exitCode, stderr } = await deploy(await broker(true), { ROLL_LIMIT_SEC: '0' });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`ECS has not completed the deployment of ${NEXT} in 0 seconds: IN_PROGRESS`);
    expect(readFileSync(ecs('serving'), 'utf8')).toBe(RUNNING);
    expect(readFileSync(ecs('deregistered'), 'utf8')).toBe(NEXT);
  });

  it('fails, and says that going back failed too, when ECS does not complete that either', async () => {
    looksFind(8, 'IN_PROGRESS');
    // The first look is for what runs.
    looksFind(7, 'COMPLETED', 'IN_PROGRESS');
    const { exitCode, stderr } = await deploy(await broker(true), { ROLL_LIMIT_SEC: '0' });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('GOING BACK FAILED TOO');
    expect(readFileSync(ecs('serving'), 'utf8')).toBe(RUNNING);
    // It may be what still serves.
    expect(existsSync(ecs('deregistered'))).toBe(false);
  });

  it('has the time in its workflow for both ways', () => {
    const seconds = Number(/ROLL_LIMIT_SEC:-(\d+)/.exec(readFileSync(DEPLOY, 'utf8'))?.[1]);
    const workflow = readFileSync(join(import.meta.dirname, '../../.github/workflows/deploy.yml'), 'utf8');
    const minutes = Number(/timeout-minutes: (\d+)/.exec(workflow)?.[1]);
    // And ten for the image, the look and the rest.
    expect(minutes).toBeGreaterThanOrEqual((2 * seconds) / 60 + 10);
  });

  it('names what is missing', async () => {
    const { exitCode, stderr } = await host.run(DEPLOY, { ECS_CLUSTER: 'broker' });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('ECS_SERVICE');
  });
});
