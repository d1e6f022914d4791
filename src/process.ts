import closeWithGrace from 'close-with-grace';
import { complaintOf } from './complaint.ts';
import { readConfig } from './config.ts';
import { type Container, createContainer } from './container.ts';
import { checkTable } from './store/table.ts';

/** New connections that may wait at once: a class of a thousand comes in one moment, and Node's default is 511. */
const LISTEN_BACKLOG = 4_096;

/** The process of one broker: from its environment to a graceful stop. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const container = createContainer(config);
  const { logger, clock, statistics } = container;
  await container.secrets.start();
  let stopping = false;
  const [{ app, metricsApp }] = await Promise.all([
    buildApps(container, () => stopping),
    examineTable(container),
  ]);

  const poll = () =>
    statistics
      .refresh()
      .catch((error: unknown) => logger.warn({ err: error }, 'the statistics could not be read'));
  void poll();
  const polling = setInterval(poll, config.STATISTICS_INTERVAL_SEC * 1000);
  const workers = config.ROLE === 'api' ? [] : container.workers;
  closeWithGrace({ delay: config.SHUTDOWN_TIMEOUT_MS, logger: false }, async ({ signal, err }) => {
    stopping = true;
    if (err !== undefined) logger.fatal({ err }, 'stopping after an error that nothing caught');
    logger.info({ action: 'stop', signal }, 'stopping');
    clearInterval(polling);
    // Beside the closing, not before it: a database that does not answer must not keep the port open.
    const withdrawn = Promise.all([container.stopJobs(), container.neighbours.stop()]);
    if (err === undefined) await clock.sleep(config.SHUTDOWN_DELAY_MS);
    await Promise.all([app.close(), metricsApp?.close(), withdrawn]);
    await container.close();
    logger.info({ action: 'stop', outcome: 'success' }, 'stopped');
  });

  if (workers.length > 0 && container.secrets.cspToken === undefined) {
    logger.warn(
      { action: 'start', outcome: 'no_provider' },
      'CSP_API_TOKEN is not set: sync and cleanup do not run',
    );
  }
  await metricsApp?.listen({ host: config.HOST, port: config.METRICS_PORT ?? 0 });
  const address = await app.listen({ host: config.HOST, port: config.PORT, backlog: LISTEN_BACKLOG });
  logger.info(
    { action: 'start', outcome: 'success', address, role: config.ROLE, pid: process.pid },
    'listening',
  );
  // To whoever started it with a channel, whatever is logged.
  process.send?.({ address });
  if (config.ROLE !== 'worker') container.neighbours.start();
  for (const worker of workers) worker.start();
}

/** The framework takes a while to load and to start, in which the table can answer. */
async function buildApps(container: Container, isStopping: () => boolean) {
  const { buildApp, buildMetricsApp } = await import('./app.ts');
  const app = await buildApp(container, { isStopping });
  const separate = container.config.METRICS_PORT !== undefined;
  const metricsApp = separate ? await buildMetricsApp(container) : undefined;
  await Promise.all([app.ready(), metricsApp?.ready()]);
  return { app, metricsApp };
}

/** Whether it is the table that the broker needs, and what it holds of a previous broker. */
async function examineTable({ database, adoption, logger }: Container): Promise<void> {
  // Asked at once: while the framework starts, no answer is looked at.
  const answers = await Promise.allSettled([checkTable(database), adoption.refresh()]);
  // The first says best why the table cannot be used.
  for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
  if (await adoption.completeIfEmpty()) return;
  logger.warn(
    { action: 'start', outcome: 'not_adopted' },
    'allocations of the previous broker have not been adopted: each allocation looks for them first; run "npm run broker -- adopt"',
  );
}

main().catch((error: unknown) => {
  process.stderr.write(`${complaintOf(error)}\n`);
  process.exit(1);
});
