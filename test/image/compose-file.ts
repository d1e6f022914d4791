import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** What is run here of a service in docker-compose.yml. */
export interface Service {
  readonly image: string;
  readonly command: readonly string[] | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly dependsOn: readonly string[];
  /** Whether it ends by itself, and others wait for that. */
  readonly runsOnce: boolean;
  /** The command that says whether it is healthy; undefined where the image's own counts. */
  readonly healthCheck: readonly string[] | undefined;
}

interface WrittenService {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Record<string, string>;
  readonly depends_on?: readonly string[] | Record<string, unknown>;
  readonly restart?: string;
  readonly healthcheck?: { readonly test?: readonly string[] };
}

/** The services without a profile, each variable at its default. */
export function readComposeFile(): Map<string, Service> {
  const text = readFileSync(join(import.meta.dirname, '../../docker-compose.yml'), 'utf8');
  const written = parse(
    text.replaceAll(/\$\{\w+:-([^}]*)\}/g, (_, value) => value),
    { merge: true },
  );
  return new Map(
    Object.entries(written.services as Record<string, WrittenService>)
      .filter(([, service]) => !('profiles' in service))
      .map(([name, service]) => [
        name,
        {
          image: service.image,
          command: service.command?.map(String),
          environment: service.environment ?? {},
          dependsOn: Array.isArray(service.depends_on)
            ? service.depends_on
            : Object.keys(service.depends_on ?? {}),
          runsOnce: service.restart?.startsWith('on-failure') ?? false,
          healthCheck: service.healthcheck?.test?.slice(1),
        },
      ]),
  );
}
