import { readFileSync } from 'node:fs';

/** What an image says about how it is run. */
export interface Image {
  readonly command: readonly string[];
  readonly environment: readonly string[];
  readonly user: string;
  readonly folder: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Without the "CMD" in front of it. */
  readonly healthCheck: readonly string[];
  readonly stopSignal: string;
}

interface EngineConfig {
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd: readonly string[];
  readonly Env: readonly string[];
  readonly User: string;
  readonly WorkingDir: string;
  readonly Labels: Record<string, string>;
  readonly Healthcheck?: { readonly Test: readonly string[] };
  readonly StopSignal?: string;
}

/** @param path what `docker image inspect` or `buildah inspect` wrote */
export function readImage(path: string): Image {
  const inspected = JSON.parse(readFileSync(path, 'utf8'));
  const config: EngineConfig = Array.isArray(inspected) ? inspected[0].Config : inspected.Docker.config;
  return {
    command: [...(config.Entrypoint ?? []), ...config.Cmd],
    environment: config.Env,
    user: config.User,
    folder: config.WorkingDir,
    labels: config.Labels,
    healthCheck: (config.Healthcheck?.Test ?? []).slice(1),
    stopSignal: config.StopSignal ?? 'SIGTERM',
  };
}
