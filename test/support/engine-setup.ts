import type { TestProject } from 'vitest/node';
import { startEngine } from '../../src/local/engine.ts';

declare module 'vitest' {
  interface ProvidedContext {
    engineUrl: string;
  }
}

/** One engine for the whole run, in memory; every test makes a table of its own. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.DDB_ENDPOINT_URL ?? '';
  if (given !== '') {
    project.provide('engineUrl', given);
    return undefined;
  }
  const engine = await startEngine();
  project.provide('engineUrl', engine.url);
  return () => engine.stop();
}
