import { parseArgs } from 'node:util';
import { complaintOf } from '../complaint.ts';
import { BrokerStartError } from './broker-process.ts';
import { EngineMissingError } from './engine.ts';
import { startInstallation } from './installation.ts';

const HELP = `npm run local -- [options]

Starts everything on this machine: the embedded DynamoDB engine (or the one in DDB_ENDPOINT_URL), a simulator of the
provider, and one or more brokers over a pool that is ready to be allocated. Ctrl-C stops it all.

  --pool N      sandboxes in the pool                                   (200)
  --brokers N   broker processes, on ports that follow one another      (1)
  --port N      port of the first broker; 0 takes free ones             (8080)
  --data DIR    keep the state in this folder, and go on from it        (in memory)
  --json        print one line of JSON when everything has started
  --help        this text

Any variable of .env.example may be set in the environment.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      pool: { type: 'string', default: '200' },
      brokers: { type: 'string', default: '1' },
      port: { type: 'string', default: process.env.PORT ?? '8080' },
      data: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const abort = new AbortController();
  let asked = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      asked += 1;
      abort.abort();
      // A terminal that was closed takes no more words.
      if (asked === 1 && !values.json && signal !== 'SIGHUP') process.stderr.write('\nStopping ...\n');
    });
  }

  const starting = startInstallation({
    pool: wholeNumber('--pool', values.pool, 0, 1_000_000),
    brokers: wholeNumber('--brokers', values.brokers, 1, 16),
    port: wholeNumber('--port', values.port, 0, 65_535),
    dataFolder: values.data,
    environment: process.env,
    onProgress: (text) => values.json || process.stdout.write(`${text}\n`),
    signal: abort.signal,
  });
  const installation = await starting.catch((error: unknown) => {
    if (abort.signal.aborted) return undefined;
    throw error;
  });
  if (installation === undefined) return;
  process.stdout.write(values.json ? `${JSON.stringify(installation.summary)}\n` : installation.welcome());

  const crashed = installation.crashed.then((what) => {
    if (!abort.signal.aborted) {
      process.stderr.write(`${what} ended unexpectedly; stopping\n`);
      process.exitCode = 1;
    }
  });
  await Promise.race([crashed, aborted(abort.signal)]);
  await installation.stop();
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function wholeNumber(name: string, text: string, minimum: number, maximum: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < minimum || number > maximum) {
    throw new UsageError(`${name} must be a whole number from ${minimum} to ${maximum}, not "${text}"`);
  }
  return number;
}

class UsageError extends Error {}

main().catch((error: unknown) => {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
  if (isUsage) process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
  else if (error instanceof EngineMissingError || error instanceof BrokerStartError)
    process.stderr.write(`${error.message}\n`);
  else process.stderr.write(`${complaintOf(error)}\n`);
  process.exitCode = 1;
});
