import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server does with one request. */
export type ScriptedAnswer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown }
  /** Takes the request and closes the connection: the answer is lost on the way. */
  | 'reset'
  /** Takes the request and never answers. */
  | 'hang'
  /** Promises more bytes than it sends, then closes the connection. */
  | { readonly cutShort: string; readonly status: number }
  /** Sends early hints (an interim answer with a Retry-After of its own) before the answer. */
  | { readonly afterHints: { readonly status: number; readonly body: unknown } };

/** An error as the broker words it; `retryAfter` (seconds) goes into the header alone. */
export function errorAnswer(status: number, code: string, retryAfter?: number): ScriptedAnswer {
  return {
    status,
    headers: retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) },
    body: { error: { code, message: `said "${code}"`, request_id: 'request-7', details: [] } },
  };
}

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface ScriptedServer {
  /** Without a path: what a client appends `/v1` to. */
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
  close(): Promise<void>;
}

/**
 * A broker that fails on purpose: it gives the answers of the script in turn, one a request, and the last one
 * for ever. Strings are sent as they are, other bodies as JSON.
 */
export async function startScriptedServer(...script: ScriptedAnswer[]): Promise<ScriptedServer> {
  const requests: RecordedRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      });
      give(script[Math.min(requests.length, script.length) - 1] ?? 'hang', response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function give(answer: ScriptedAnswer, response: ServerResponse): void {
  if (answer === 'hang') return;
  if (answer === 'reset') {
    response.socket?.destroy();
  } else if ('cutShort' in answer) {
    response.writeHead(answer.status, { 'content-length': Buffer.byteLength(answer.cutShort) + 100 });
    response.write(answer.cutShort, () => response.socket?.destroy());
  } else if ('afterHints' in answer) {
    response.writeEarlyHints({ link: '</docs>; rel=preload', 'retry-after': '50' }, () =>
      give(answer.afterHints, response),
    );
  } else {
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {});
    const type = typeof answer.body === 'string' ? 'text/html' : 'application/json';
    response.writeHead(answer.status, { 'content-type': type, ...answer.headers }).end(text);
  }
}
