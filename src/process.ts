import closeWithGrace from 'close-with-grace';
import { buildApp, buildMetricsApp } from './app.ts';
import { complaintOf } from './complaint.ts';
import { readConfig } from './config.ts';
import { createContainer } from './container.ts';
import { markAdoptedIfEmpty } from './store/adoption.ts';
import { checkTable } from './store/table.ts';

/** New connections that may wait at once: a class of a thousand comes in one moment, and Node's default is 511. */
const LISTEN_BACKLOG = 4_096;

/** The process of one broker: from its environment to a graceful stop. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const container = createContainer(config);
  const { logger, database, clock, adoption, statistics } = container;
  await container.secrets.start();
  await checkTable(database);
  await markAdoptedIfEmpty(database, clock);
  if (!(await adoption.refresh())) {
    logger.warn(
      { action: 'start', outcome: 'not_adopted' },
      'allocations of the previous broker have not been adopted: each allocation looks for them first; run "npm run broker -- adopt"',
    );
  }

  let stopping = false;
  const app = await buildApp(container, { isStopping: () => stopping });
  const polling = setInterval(() => {
    statistics
      .refresh()
      .catch((error: unknown) => logger.warn({ err: error }, 'the statistics could not be read'));
  }, config.STATISTICS_INTERVAL_SEC * 1000);

  const metricsApp = config.METRICS_PORT === undefined ? undefined : await buildMetricsApp(container);
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

main().catch((error: unknown) => {
  process.stderr.write(`${complaintOf(error)}\n`);
  process.exit(1);
});
