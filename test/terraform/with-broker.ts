import { environmentSchema } from '../../src/config.ts';
import { openDatabase } from '../../src/store/database.ts';
import { checkTable } from '../../src/store/table.ts';
import type { StateResource } from './state.ts';

interface Container {
  readonly environment: readonly { readonly name: string; readonly value: string }[];
  readonly secrets: readonly { readonly name: string; readonly valueFrom: string }[];
}

/**
 * Holds what was applied against the broker's own code: each variable of the container must be one that the broker
 * reads, with a value that it takes, and the table must be the one that it needs.
 *
 * @throws Error that names every variable that is wrong, or what is wrong with the table
 */
export async function checkAgainstBroker(
  resources: readonly StateResource[],
  endpoint: string,
): Promise<void> {
  const definition = resources.find(({ type }) => type === 'aws_ecs_task_definition')!;
  const [container] = JSON.parse(String(definition.values.container_definitions)) as [Container];
  const environment = Object.fromEntries(container.environment.map(({ name, value }) => [name, value]));

  const fields = environmentSchema.partial().shape;
  const given = [...container.environment, ...container.secrets].map(({ name }) => name);
  const unknown = given.filter((name) => !(name in fields));
  if (unknown.length > 0) throw new Error(`The broker does not read ${unknown.join(', ')}`);
  const parsed = environmentSchema.partial().safeParse(environment);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${String(path[0])} ${message}`);
    throw new Error(`The broker does not take ${issues.join('; ')}`);
  }

  const database = openDatabase({
    tableName: environment.DDB_TABLE_NAME!,
    statusIndex: environment.DDB_GSI1_NAME!,
    trackIndex: environment.DDB_GSI2_NAME!,
    idempotencyIndex: environment.DDB_GSI3_NAME!,
    region: environment.AWS_REGION!,
    endpoint,
    credentials: { accessKeyId: 'moto', secretAccessKey: 'moto' },
    connectTimeoutMs: 2_000,
    requestTimeoutMs: 10_000,
    maxSockets: 4,
  });
  try {
    await checkTable(database);
  } finally {
    database.close();
  }
}
