import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEngine } from '../../src/local/engine.ts';
import { readComposeFile, type Service } from './compose-file.ts';
import { ContainedProcess } from './contained-process.ts';
import { readImage } from './image.ts';

/**
 * What `docker compose up` ends with, found out without Docker: the services of docker-compose.yml that run our image
 * are run from its tree, in the order and with the commands and variables that the file gives them. DynamoDB Local is
 * the embedded engine here, on its port. In a network namespace of its own, where every port is free and each name
 * means this machine: see main.ts.
 *
 *   check-compose.ts WORK     the folder with `root` and `inspect.json`
 */
async function main(work: string): Promise<void> {
  const image = readImage(join(work, 'inspect.json'));
  const services = readComposeFile();
  const hosts = join(work, 'hosts');
  writeFileSync(hosts, `127.0.0.1 localhost ${[...services.keys()].join(' ')}\n`);
  process.env.IMAGE_HOSTS = hosts;
  const engine = await startEngine({ port: 8000 });
  const started: ContainedProcess[] = [];
  const start = ({ command, environment }: Pick<Service, 'command' | 'environment'>) => {
    const contained = new ContainedProcess(image, join(work, 'root'), environment, command);
    started.push(contained);
    return contained;
  };

  try {
    for (const name of inOrder(services)) {
      const service = services.get(name) as Service;
      if (!service.image.startsWith('sandbox-broker')) continue;
      const contained = start(service);
      if (service.runsOnce) {
        const { exitCode, output } = await contained.ended();
        assert.equal(exitCode, 0, `${name}: ${output}`);
      } else {
        await untilHealthy(name, () =>
          start({ command: service.healthCheck ?? image.healthCheck, environment: service.environment }),
        );
      }
    }
    const { environment } = services.get('broker') as Service;
    const response = await fetch('http://127.0.0.1:8080/v1/allocate', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${environment.BROKER_API_TOKEN}`,
        'x-instruqt-sandbox-id': 'student-of-the-compose-test',
      },
    });
    const answer = (await response.json()) as { sandbox_id?: string };
    assert.equal(response.status, 201, JSON.stringify(answer));
    process.stdout.write(
      `ok  the services of docker-compose.yml, run in its order: sandbox ${answer.sandbox_id} was allocated\n`,
    );
  } finally {
    await Promise.all(started.map((each) => each.kill()));
    await engine.stop();
  }
}

/** Each service after those that it depends on. */
function inOrder(services: ReadonlyMap<string, Service>): string[] {
  const order: string[] = [];
  const visit = (name: string) => {
    for (const needed of services.get(name)?.dependsOn ?? []) visit(needed);
    if (!order.includes(name)) order.push(name);
  };
  for (const name of services.keys()) visit(name);
  return order;
}

async function untilHealthy(name: string, check: () => ContainedProcess): Promise<void> {
  for (let attempt = 0; attempt < 30; attempt += 1) {
    const { exitCode } = await check().ended();
    if (exitCode === 0) return;
    await sleep(500);
  }
  throw new Error(`${name} did not become healthy`);
}

await main(process.argv[2] as string);
