import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  request as requestOf,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ProxiedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What becomes of a request: it passes; it takes effect and its answer is lost; it is not passed on at all. */
export type Fate = 'pass' | 'lose_answer' | 'refuse';

export interface ProxyOptions {
  /** @param number counts requests from 1 */
  readonly fate?: (request: ProxiedRequest, number: number) => Fate;
  /** Keeps a request back until the promise is settled. */
  readonly hold?: (request: ProxiedRequest) => Promise<void> | undefined;
  /** Told of each answer before it is passed on. */
  readonly onAnswer?: (request: ProxiedRequest, status: number, body: string) => void;
}

/** Stands between two that talk HTTP, for one test. @returns its origin */
export async function proxyOfTest(target: string, options: ProxyOptions = {}): Promise<string> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  let number = 0;
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    number += 1;
    const own = number;
    const { method = '', url: path = '', headers } = incoming;
    const request = { method, path, headers, body: await textOf(incoming) };
    const fate = options.fate?.(request, own) ?? 'pass';
    if (fate === 'refuse') {
      outgoing.destroy();
      return;
    }
    await options.hold?.(request);
    const passed = requestOf(`${target}${path}`, { agent, method, headers }).end(request.body);
    const [answer] = (await once(passed, 'response')) as [IncomingMessage];
    const body = await textOf(answer);
    options.onAnswer?.(request, answer.statusCode ?? 0, body);
    if (fate === 'lose_answer') outgoing.destroy();
    else outgoing.writeHead(answer.statusCode ?? 502, answer.headers).end(body);
  };
  // Either side may hang up at any time.
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
    agent.destroy();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** The operation that a request to a DynamoDB engine asks for. */
export function operationOf(request: ProxiedRequest): string {
  return String(request.headers['x-amz-target']).split('.')[1] ?? '';
}
