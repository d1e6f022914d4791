import { ConfigError } from './config.ts';
import { TableError } from './store/table.ts';

/** What a person reads when a program ends with an error: one message where they can mend it, else its stack. */
export function complaintOf(error: unknown): string {
  if (error instanceof ConfigError || error instanceof TableError) return error.message;
  if (isPortInUse(error)) {
    return `Port ${error.port} of ${error.address} is in use (EADDRINUSE): end what listens there, or take another one (PORT, METRICS_PORT; with "npm run local" also --port)`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function isPortInUse(error: unknown): error is Error & { address: string; port: number } {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
