import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Something that the check needs is not there; the message says how to get it. */
export class MissingError extends Error {
  override readonly name = 'MissingError';
}

/** A program said no; the message holds the end of what it printed. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
}

export type Environment = Readonly<Record<string, string>>;

/**
 * What is left of the environment: nothing that could lead to a real AWS account, nor to other plugins or settings
 * of Terraform than the check's own.
 */
export function safeEnvironment(): Environment {
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS_|TF_|BROKER_|CSP_)/.test(name));
  return {
    ...(Object.fromEntries(kept) as Record<string, string>),
    CHECKPOINT_DISABLE: '1',
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}

export interface RunOptions {
  readonly directory: string;
  readonly environment: Environment;
  readonly timeoutMs?: number;
}

/**
 * Runs a program to its end.
 *
 * @returns everything that it printed
 * @throws ProgramError when it does not end with 0, or takes too long
 */
export async function run(
  program: string,
  parameters: readonly string[],
  { directory, environment, timeoutMs = 30 * 60_000 }: RunOptions,
): Promise<string> {
  const child = spawn(program, [...parameters], {
    cwd: directory,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return output;
  const end = output.trimEnd().split('\n').slice(-60).join('\n');
  const how = code === null ? `was stopped after ${timeoutMs / 1000} s` : `ended with ${code}`;
  throw new ProgramError(`${program} ${parameters.join(' ')} ${how}:\n${end}`);
}

/** @throws MissingError unless Terraform is there and new enough */
export function findTerraform(): string {
  let version: string;
  try {
    version = (
      JSON.parse(
        execFileSync('terraform', ['version', '-json'], { encoding: 'utf8', env: safeEnvironment() }),
      ) as { terraform_version: string }
    ).terraform_version;
  } catch {
    throw new MissingError(
      'terraform is not on the path. Get version 1.11 or later from https://developer.hashicorp.com/terraform/install.',
    );
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 1 || (major === 1 && minor < 11)) {
    throw new MissingError(`terraform is ${version}; write-only values need 1.11 or later.`);
  }
  return version;
}

/**
 * A folder that holds the AWS provider already, in the layout of Terraform's "filesystem mirror".
 *
 * @returns undefined when there is none; `terraform init` then downloads the provider
 */
export function findPluginDirectory(): string | undefined {
  const named = process.env.TF_PLUGIN_DIR;
  const candidates = [
    ...(named === undefined ? [] : [named]),
    join(homedir(), '.terraform.d/plugins'),
    join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local/share'), 'terraform/plugins'),
    '/usr/local/share/terraform/plugins',
    '/usr/share/terraform/plugins',
    ...(existsSync('/opt') ? readdirSync('/opt').map((name) => join('/opt', name)) : []),
  ];
  const found = candidates.find(holdsProvider);
  if (named !== undefined && found !== named) {
    throw new MissingError(
      `TF_PLUGIN_DIR is ${named}, which holds no registry.terraform.io/hashicorp/aws of version 5.100 or a later 5.`,
    );
  }
  return found;
}

function holdsProvider(directory: string): boolean {
  const provider = join(directory, 'registry.terraform.io/hashicorp/aws');
  if (!existsSync(provider)) return false;
  return readdirSync(provider).some((name) => {
    const [, major, minor] = /(?:^|_)(\d+)\.(\d+)\.\d+(?:_|$)/.exec(name) ?? [];
    return major === '5' && Number(minor) >= 100;
  });
}

/** @throws MissingError unless Python is there and new enough for moto */
export function findPython(): string {
  for (const program of ['python3', 'python']) {
    try {
      execFileSync(program, ['-c', 'import sys, venv; sys.exit(sys.version_info < (3, 10))'], {
        stdio: 'ignore',
      });
      return program;
    } catch {
      // The next one, or none.
    }
  }
  throw new MissingError(
    'Python 3.10 or later with its module "venv" is not on the path (Debian: apt-get install python3-venv); moto needs it.\nWithout it, "--without-apply" checks everything else.',
  );
}
