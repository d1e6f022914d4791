import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** k6 is nowhere to be found. The message says how to get it. */
export class K6MissingError extends Error {
  override readonly name = 'K6MissingError';
}

const HOW_TO_GET_IT = `k6 is not installed. With Go at hand:

  go install go.k6.io/k6@latest

puts it into ~/go/bin, where this command finds it. Otherwise: https://grafana.com/docs/k6/latest/set-up/install-k6/,
and then k6 on the PATH, or its path in K6_BINARY.`;

/** @throws K6MissingError */
export function findK6(environment: Readonly<Record<string, string | undefined>>): string {
  const given = environment.K6_BINARY ?? '';
  if (given !== '') {
    if (isExecutable(given)) return given;
    throw new K6MissingError(`K6_BINARY is ${given}, which cannot be run.`);
  }
  const folders = [
    ...(environment.PATH ?? '').split(delimiter),
    ...(environment.GOPATH === undefined ? [] : [join(environment.GOPATH, 'bin')]),
    join(homedir(), 'go', 'bin'),
  ];
  const found = folders.map((folder) => join(folder, 'k6')).find(isExecutable);
  if (found === undefined) throw new K6MissingError(HOW_TO_GET_IT);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
