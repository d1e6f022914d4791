import type { Dispatcher } from 'undici';
import { connectionReset } from '../dynamodb/faults.ts';
import type { SimulatedProcess } from './process.ts';
import type { SimulatedProvider } from './provider.ts';
import type { Randomness } from './randomness.ts';
import { NATURE, type Timeline } from './schedule.ts';

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly signal?: AbortSignal;
}

interface Response {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: { text(): Promise<string> };
}

/** The way to the provider, a listing and a deletion there. Milliseconds. */
const WAY_MS = [5, 100] as const;
const LISTING_MS = [20, 800] as const;
const DELETION_MS = [500, 12_000] as const;

/** What carries the provider client's requests in place of a connection pool: the client above it is the real one. */
export function providerLink(
  schedule: Timeline,
  process: SimulatedProcess,
  provider: SimulatedProvider,
  random: Randomness,
): Dispatcher {
  const request = ({ method, path, headers, signal }: Request) =>
    new Promise<Response>((resolve, reject) => {
      const aborted = () => reject(signal?.reason);
      if (signal?.aborted === true) {
        aborted();
        return;
      }
      signal?.addEventListener('abort', aborted, { once: true });
      const work = method === 'GET' ? random.spread(...LISTING_MS) : random.spread(...DELETION_MS);
      schedule.after(random.spread(...WAY_MS), NATURE, 'provider-request', () => {
        const asked = { method, path: path.replace(/\?.*/, ''), requestId: headers['x-request-id'] ?? '' };
        const answer = provider.answer(asked);
        if (answer === undefined) return;
        schedule.after(work, process, 'provider-answer', () => {
          signal?.removeEventListener('abort', aborted);
          if (answer === 'reset') reject(connectionReset());
          else
            resolve({
              statusCode: answer.status,
              headers: answer.headers,
              body: { text: () => Promise.resolve(answer.body) },
            });
        });
      });
    });
  return { request, destroy: () => Promise.resolve() } as unknown as Dispatcher;
}
