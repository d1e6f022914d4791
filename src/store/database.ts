import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { makeLean } from './lean-client.ts';

export interface DatabaseOptions {
  readonly tableName: string;
  readonly statusIndex: string;
  readonly trackIndex: string;
  readonly idempotencyIndex: string;
  readonly region: string;
  /** Another engine than AWS. */
  readonly endpoint?: string | undefined;
  /** What to sign with at such an engine; the SDK finds AWS's own. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxSockets: number;
  /** Told of each call by its operation (`Query`, `TransactWriteItems`, ...), however often it is tried. */
  readonly onCall?: ((operation: string) => void) | undefined;
}

/**
 * The table and the two ways to it. They share their connections.
 *
 * `client` is for the path of an allocation: one attempt, since the protocol knows best what to do with a
 * lost answer, and the middleware built once (`cacheMiddleware`, which the document client refuses).
 * `documents` is for everything else: plain objects, and the SDK's own three attempts.
 */
export interface Database {
  readonly client: DynamoDBClient;
  readonly documents: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly statusIndex: string;
  readonly trackIndex: string;
  readonly idempotencyIndex: string;
  close(): void;
}

export function openDatabase(options: DatabaseOptions): Database {
  const agent = { maxSockets: options.maxSockets, keepAlive: true };
  const common: DynamoDBClientConfig = {
    region: options.region,
    ...(options.endpoint === undefined
      ? {}
      : {
          endpoint: options.endpoint,
          ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
        }),
  };
  const client = new DynamoDBClient({
    ...common,
    cacheMiddleware: true,
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: options.connectTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      // Without it the handler only logs a warning and goes on waiting.
      throwOnRequestTimeout: true,
      socketAcquisitionWarningTimeout: options.requestTimeoutMs,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
  makeLean(client);
  const patient = new DynamoDBClient({
    ...common,
    maxAttempts: 3,
    retryMode: 'standard',
    requestHandler: client.config.requestHandler,
  });
  if (options.onCall !== undefined) {
    for (const each of [client, patient]) countCalls(each, options.onCall);
  }
  return {
    client,
    documents: DynamoDBDocumentClient.from(patient, { marshallOptions: { removeUndefinedValues: true } }),
    tableName: options.tableName,
    statusIndex: options.statusIndex,
    trackIndex: options.trackIndex,
    idempotencyIndex: options.idempotencyIndex,
    close: () => client.destroy(),
  };
}

function countCalls(client: DynamoDBClient, onCall: (operation: string) => void): void {
  client.middlewareStack.add(
    (next, { commandName }) => {
      const operation = String(commandName).replace(/Command$/, '');
      return (args) => {
        onCall(operation);
        return next(args);
      };
    },
    { step: 'initialize', name: 'countCalls' },
  );
}
