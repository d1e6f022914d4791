import { once } from 'node:events';
import { createServer, type IncomingMessage, request as requestOf, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Gate } from './gate.ts';

export interface ProviderGate {
  readonly url: string;
  close(): void;
}

/** Lets a broker's calls to the provider go through its gate. */
export async function startProviderGate(gate: Gate, target: string): Promise<ProviderGate> {
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method = '', url: path = '', headers } = incoming;
    const body = await bytesOf(incoming);
    const answer = await gate.pass(`provider ${method}`, async () => {
      const passed = requestOf(`${target}${path}`, { method, headers, agent: false }).end(body);
      const [response] = (await once(passed, 'response')) as [IncomingMessage];
      return { status: response.statusCode ?? 502, headers: response.headers, body: await bytesOf(response) };
    });
    outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  };
  // A reset or a cut answer is passed on as it came.
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
