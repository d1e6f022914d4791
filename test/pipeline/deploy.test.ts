import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answerJson, startAnsweringServer } from '../support/answering-server.ts';
import { findProgram, LabHost } from '../support/lab-host.ts';

const DEPLOY = join(import.meta.dirname, '../../.ci/deploy');
const PROGRAMS = ['jq', 'curl', 'sed', 'grep', 'mktemp', 'rm', 'head', 'dirname', 'cat'];
const isPossible = PROGRAMS.every((name) => findProgram(name) !== undefined);

const RUNNING = 'arn:aws:ecs:eu-central-1:123456789012:task-definition/sandbox-broker:7';
const NEXT = 'arn:aws:ecs:eu-central-1:123456789012:task-definition/sandbox-broker:8';
const IMAGE = `registry.example/sandbox-broker@sha256:${'a'.repeat(64)}`;

/** ECS as far as the script sees it: the file `serving` holds the task definition that the service ends with. */
const AWS = `
folder=$(dirname "$0")/../ecs
case "$1 $2" in
  'ecs describe-services')
    now=$(cat "$folder/serving")
    printf '{"services":[{"taskDefinition":"%s","deployments":[{"status":"PRIMARY","taskDefinition":"%s"}]}]}' "$now" "$now" ;;
  'ecs describe-task-definition') cat "$folder/definition.json" ;;
  'ecs register-task-definition')
    printf '%s' "$4" > "$folder/registered.json"
    printf '{"taskDefinition":{"taskDefinitionArn":"${NEXT}"}}' ;;
  'ecs update-service')
    # The circuit breaker: new tasks that do not start leave the service where it was.
    case "$8" in
      *:8) [ -f "$folder/tasks-do-not-start" ] || printf '%s' "$8" > "$folder/serving" ;;
      *) printf '%s' "$8" > "$folder/serving" ;;
    esac ;;
  'ecs deregister-task-definition') printf '%s' "$4" > "$folder/deregistered"; printf '{}' ;;
  'ecs wait') [ ! -f "$folder/wait-fails" ] ;;
  *) exit 9 ;;
esac`;

describe.skipIf(!isPossible)('.ci/deploy', () => {
  let host: LabHost;
  let ecs: (name: string) => string;
  const deploy = (url: string) =>
    host.run(DEPLOY, {
      ECS_CLUSTER: 'broker',
      ECS_SERVICE: 'broker',
      IMAGE,
      BROKER_URL: url,
      BROKER_API_TOKEN: 'token-of-a-test',
      SMOKE_TRIES: '2',
    });

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

  it('changes the image of what runs and nothing else, waits, and looks', async () => {
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

  it('fails when ECS went back by itself, although the service is stable', async () => {
    writeFileSync(ecs('tasks-do-not-start'), '');
    const { exitCode, stderr } = await deploy(await broker(true));
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`ECS went back to ${RUNNING} by itself`);
    expect(readFileSync(ecs('serving'), 'utf8')).toBe(RUNNING);
    expect(readFileSync(ecs('deregistered'), 'utf8')).toBe(NEXT);
  });

  it('fails, and says that going back failed too, when the service never becomes stable', async () => {
    writeFileSync(ecs('wait-fails'), '');
    const { exitCode, stderr } = await deploy(await broker(true));
    expect(exitCode).toBe(1);
    expect(stderr).toContain('GOING BACK FAILED TOO');
    expect(readFileSync(ecs('serving'), 'utf8')).toBe(RUNNING);
    // It may be what still serves.
    expect(existsSync(ecs('deregistered'))).toBe(false);
  });

  it('names what is missing', async () => {
    const { exitCode, stderr } = await host.run(DEPLOY, { ECS_CLUSTER: 'broker' });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('ECS_SERVICE');
  });
});
