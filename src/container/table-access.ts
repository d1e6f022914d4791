import type { Logger } from 'pino';
import { PreviousAllocations } from '../allocation/previous-allocations.ts';
import type { Config } from '../config.ts';
import { type Clock, type Random, systemClock } from '../domain/clock.ts';
import type { Metrics } from '../observability/metrics.ts';
import { ClaimReader } from '../store/claim-reader.ts';
import { type Database, type DatabaseOptions, openDatabase } from '../store/database.ts';
import { ItemReader } from '../store/item-reader.ts';
import { PoolListing } from '../store/pool-listing.ts';
import { PoolReader } from '../store/pool-reader.ts';
import { StatusShards } from '../store/status-shards.ts';
import { credentialsFor } from './own-endpoint.ts';
import type { Provider } from './provider.ts';

/** What a test may replace. */
export interface Overrides {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly database?: Database;
  readonly metrics?: Metrics;
  readonly provider?: Provider;
}

export type TableAccess = ReturnType<typeof openTable>;

/** The table and what reads it: all that a command on the table needs. */
export function openTable(config: Config, overrides: Overrides = {}) {
  const clock = overrides.clock ?? systemClock;
  const random = overrides.random ?? Math.random;
  const database = overrides.database ?? openDatabase(databaseOptions(config, overrides.metrics));
  const shards = new StatusShards(config.STATUS_SHARDS);
  const items = new ItemReader(database, clock, random);
  const reader = new PoolReader(database, items, config.LAB_DURATION_HOURS);
  const listing = new PoolListing(database, shards, reader);
  const claims = new ClaimReader(items);
  const previous = new PreviousAllocations(database, reader, claims, { clock, random });
  return { clock, random, database, shards, reader, listing, claims, previous };
}

/** Where the table is. */
function databaseOptions(config: Config, metrics: Metrics | undefined): DatabaseOptions {
  return {
    tableName: config.DDB_TABLE_NAME,
    statusIndex: config.DDB_GSI1_NAME,
    trackIndex: config.DDB_GSI2_NAME,
    idempotencyIndex: config.DDB_GSI3_NAME,
    region: config.AWS_REGION,
    endpoint: config.DDB_ENDPOINT_URL,
    credentials: credentialsFor(config, config.DDB_ENDPOINT_URL),
    connectTimeoutMs: config.DDB_TIMEOUT_CONNECT_MS,
    requestTimeoutMs: config.DDB_TIMEOUT_REQUEST_MS,
    maxSockets: config.DDB_MAX_SOCKETS,
    onCall: metrics && ((operation) => metrics.databaseRequests.inc({ operation })),
  };
}
