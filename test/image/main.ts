import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkContents } from './check-contents.ts';
import { checkProgram } from './check-program.ts';
import { readImage } from './image.ts';

const HELP = `npm run test:image -- [options]

Builds the image from the Dockerfile (with Docker, or without an engine with buildah), prints its size and what is in
it, and runs the broker from its tree: as its user, on a read-only root. Must be run as root.

  --keep        leave the build and its storage in place, for another run to go on from
  --work DIR    where to build                          (a new folder under the system's temporary one)
  --help        this text
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      keep: { type: 'boolean', default: false },
      work: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  if (process.getuid?.() !== 0) throw new Error('Run it as root: it makes namespaces and mounts');
  const work = values.work ?? mkdtempSync(join(tmpdir(), 'sandbox-broker-image-'));
  try {
    execFileSync(join(import.meta.dirname, 'build.sh'), {
      env: { ...process.env, IMAGE_WORK: work },
      stdio: 'inherit',
    });
    const image = readImage(join(work, 'inspect.json'));
    const tree = join(work, 'root');
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
    checkContents(image, tree, version);
    await checkProgram(image, tree);
    // A network of its own, so that the ports of the file are free.
    const inItsNetwork = 'ip link set lo up && exec "$@"';
    const check = [process.execPath, join(import.meta.dirname, 'check-compose.ts'), work];
    execFileSync('unshare', ['--net', 'sh', '-c', inItsNetwork, 'sh', ...check], { stdio: 'inherit' });
    process.stdout.write('\nThe image holds what it promises\n');
  } finally {
    if (!values.keep) rmSync(work, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`\n${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
