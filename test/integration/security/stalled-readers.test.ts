import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { cutOffStalledReaders } from '../../../src/http/stalled-readers.ts';

const PATIENCE_MS = 50;
/** More than the buffers of both ends hold. */
const LARGE = Buffer.alloc(64 * 1024 * 1024);

/** A server that answers as it is told, and a client of it that has sent a request and reads nothing yet. */
async function serverAndClient(
  answer: (response: ServerResponse) => void,
): Promise<{ server: Server; client: Socket; connection: Socket }> {
  const server = createServer((_request, response) => answer(response));
  cutOffStalledReaders(server, PATIENCE_MS);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const connected = once(server, 'connection');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  client.write('GET / HTTP/1.1\r\nHost: broker\r\n\r\n');
  const [connection] = await connected;
  onTestFinished(() => {
    client.destroy();
    server.close();
    server.closeAllConnections();
  });
  return { server, client, connection };
}

test.each<[string, (response: ServerResponse) => void]>([
  ['that is whole', (response) => response.end(LARGE)],
  ['of which more is to come', (response) => response.write(LARGE)],
])('A client that takes nothing of an answer %s is hung up on', async (_, answer) => {
  const { connection } = await serverAndClient(answer);
  await once(connection, 'close');
});

test('A client whose answer is still being made is waited for', async () => {
  let response: ServerResponse | undefined;
  const { server, client } = await serverAndClient((given) => {
    response = given;
  });
  await once(server, 'timeout');
  response?.end('at last');
  const [text] = await once(client, 'data');
  expect(String(text)).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*at last$/);
});

test('A connection that is idle after its answer is closed with its own time, not that of an answer', async () => {
  const { server, client, connection } = await serverAndClient((response) => response.end('done'));
  server.keepAliveTimeout = 4 * PATIENCE_MS;
  client.resume();
  await once(connection, 'close');
  expect(connection.timeout).toBeGreaterThanOrEqual(4 * PATIENCE_MS);
});
