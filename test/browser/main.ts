import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startInstallation } from '../../src/local/installation.ts';
import { findProgram } from '../support/lab-host.ts';

const HELP = `npm run test:browser

Opens the documentation of a running broker in a real browser, under the security headers as shipped, and looks whether
every route is shown and nothing was held back. Needs Chromium or Chrome: on the PATH, or its path in CHROME.
`;

const NAMES = ['chromium', 'google-chrome', 'chromium-browser', 'chrome'];

async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    process.stdout.write(HELP);
    return;
  }
  const browser = process.env.CHROME ?? NAMES.map(findProgram).find((path) => path !== undefined);
  if (browser === undefined) throw new Error(`No browser is here: apt-get install chromium\n\n${HELP}`);
  const installation = await startInstallation({
    pool: 3,
    brokers: 1,
    port: 0,
    environment: { PATH: process.env.PATH, HOST: '127.0.0.1' },
    onProgress: () => {},
  });
  try {
    const [url = ''] = installation.summary.brokers;
    const openApi = (await (await fetch(`${url}/v1/openapi.json`)).json()) as {
      paths: Record<string, object>;
    };
    for (const path of ['/v1/docs', '/docs']) {
      const { page, complaints } = await open(browser, `${url}${path}`);
      assert.deepEqual(complaints, [], `${path}: the browser held something back`);
      for (const [route, methods] of Object.entries(openApi.paths)) {
        assert.ok(
          page.includes(`data-path="${route.replaceAll('&', '&amp;')}"`),
          `${path} does not show ${route}`,
        );
        for (const method of Object.keys(methods)) assert.ok(page.includes(`opblock-${method}`));
      }
      process.stdout.write(`ok  ${path} shows all ${Object.keys(openApi.paths).length} routes\n`);
    }
  } finally {
    await installation.stop();
  }
}

/** Loads a page, lets its scripts run, and gives what is then in it, and what the browser refused to load or run. */
async function open(browser: string, url: string): Promise<{ page: string; complaints: string[] }> {
  const profile = mkdtempSync(join(tmpdir(), 'sandbox-broker-browser-'));
  try {
    const { stdout, stderr } = await promisify(execFile)(
      browser,
      [
        '--headless=new',
        // Its own sandbox does not work for root, as which containers of a pipeline run.
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        `--user-data-dir=${profile}`,
        '--disable-gpu',
        '--no-first-run',
        '--enable-logging=stderr',
        '--virtual-time-budget=20000',
        '--dump-dom',
        url,
      ],
      { timeout: 120_000, maxBuffer: 64 * 1024 * 1024 },
    );
    const complaints = stderr
      .split('\n')
      .filter(
        (line) =>
          line.includes('CONSOLE') && /Refused|violates|Content Security|Uncaught|Failed to load/.test(line),
      );
    return { page: stdout, complaints };
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
