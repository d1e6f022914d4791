import { Command, Option } from 'commander';

// An import would load all that this module might ever give, WebSocket included: 30 ms, every few seconds.
const { get } = process.getBuiltinModule('node:http');

/** Longer than a loaded process takes to answer, shorter than the time-out of the container's check. */
const DEFAULT_TIMEOUT_MS = 3_000;

/**
 * The check of a container that has no shell and no curl: it exits 0 while the broker on this machine answers
 * its `/healthz`. It loads nothing of the broker, as it runs every few seconds beside it.
 */
export function healthcheckCommand(): Command {
  return new Command('healthcheck')
    .description('exit 0 if the broker on this machine answers GET /healthz, else 1')
    .addOption(new Option('--port <port>', 'port of the broker').env('PORT').default('8080'))
    .option('--timeout <milliseconds>', 'how long it may take', String(DEFAULT_TIMEOUT_MS))
    .action(async ({ port, timeout }: { port: string; timeout: string }) => {
      const problem = await problemOf(`http://127.0.0.1:${port}/healthz`, Number(timeout));
      if (problem === undefined) return;
      process.stderr.write(`${problem}\n`);
      process.exitCode = 1;
    });
}

/** @returns undefined when the address answers 200 in time */
function problemOf(url: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: timeoutMs }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? undefined : `${url} answered ${response.statusCode}`);
    });
    request.once('timeout', () => request.destroy(new Error(`no answer in ${timeoutMs} ms`)));
    request.once('error', (error) => resolve(`${url}: ${error.message || error.name}`));
  });
}
