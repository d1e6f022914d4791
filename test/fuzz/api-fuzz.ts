import { parseArgs } from 'node:util';
import { LocalBroker } from './local-broker.ts';
import { type FuzzReport, fuzz, MissingError, schemathesis } from './schemathesis.ts';

const HELP = `npm run test:api-fuzz -- [options]

Sends a running broker requests made from its own OpenAPI document, good and bad ones, and holds every answer against
that document. Needs python3 with venv and pip; schemathesis is installed below node_modules/.cache at the first run.

  --max-examples N   random cases for each operation, beside those of its limits   (100)
  --seed N           makes the run of that seed again
  --help             this text

Ends with 1 when a check fails or far fewer cases were made than there should be, and with 2 when something that it needs is missing.
`;

/** Enough for most allocations to be answered with a sandbox, few enough for the pool to be empty at the end. */
const POOL = 200;

/** More than a dozen operations take parameters, and each of those has its random cases. */
const LEAST_CASES_PER_EXAMPLE = 10;

/** Each of the two headers stands for the other, so that the other may hold anything. */
const TRACK = ['--include-path-regex', '^/v1/(allocate|sandboxes)'];

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      'max-examples': { type: 'string', default: '100' },
      seed: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const command = schemathesis();
  process.stdout.write('Starting a broker\n');
  const broker = await LocalBroker.start(POOL);
  try {
    const { trackToken, adminToken } = broker.summary;
    const common = [
      '--continue-on-failure',
      ...['--max-examples', values['max-examples']],
      ...['--request-timeout', '60', '--generation-database', 'none', '--warnings', 'off'],
      ...(values.seed === undefined ? [] : ['--seed', values.seed]),
    ];
    const runs = {
      track: [...TRACK, '-H', bearer(trackToken), '-H', 'X-Track-ID: fuzzer'],
      'track-by-its-older-header': [
        ...TRACK,
        '-H',
        bearer(trackToken),
        '-H',
        'X-Instruqt-Sandbox-ID: fuzzer',
      ],
      admin: ['--include-path-regex', '^/v1/admin', '-H', bearer(adminToken)],
      open: ['--exclude-path-regex', '^/v1/'],
    };
    const reports: FuzzReport[] = [];
    for (const [name, options] of Object.entries(runs)) {
      process.stdout.write(`\n== ${name} routes\n`);
      reports.push(await fuzz(command, name, broker.url, [...common, ...options]));
    }
    const leastCases = LEAST_CASES_PER_EXAMPLE * Number(values['max-examples']);
    return conclude(reports, await broker.answersByStatus(), leastCases);
  } finally {
    await broker.stop();
  }
}

function bearer(token: string): string {
  return `Authorization: Bearer ${token}`;
}

/** @param leastCases a run with fewer than that fails, as it looked at too little */
function conclude(
  reports: readonly FuzzReport[],
  answers: ReadonlyMap<string, number>,
  leastCases: number,
): number {
  const sum = (of: (report: FuzzReport) => number) => reports.reduce((total, each) => total + of(each), 0);
  const statuses = [...answers].sort().map(([status, count]) => `${status}: ${count}`);
  const failures = sum((report) => report.failures.length);
  const cases = sum((report) => report.cases);
  const isThin = cases < leastCases;
  const broken = isThin || reports.some((report) => report.exitCode !== 0);
  process.stdout.write(
    [
      '',
      `${reports.length} runs, ${cases} cases, ${failures} kinds of failures`,
      `The broker answered ${statuses.join(', ')}`,
      ...(isThin ? [`Fewer than ${leastCases} cases: they show nothing`] : []),
      broken ? 'FAILED' : 'passed',
      '',
    ].join('\n'),
  );
  return broken ? 1 : 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const isUsage = error instanceof TypeError && 'code' in error;
    if (isUsage) process.stderr.write(`${error.message}\n\n${HELP}`);
    else process.stderr.write(`${error instanceof MissingError ? error.message : (error as Error).stack}\n`);
    process.exitCode = error instanceof MissingError ? 2 : 1;
  },
);
