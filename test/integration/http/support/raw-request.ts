import { once } from 'node:events';
import { connect } from 'node:net';
import type { Answer } from '../../../support/client.ts';

/**
 * Sends bytes as they are, for what no client of HTTP would send, and reads until the server hangs up.
 *
 * @param head the lines of the request, in Latin-1 as on the wire
 */
export async function rawRequest(url: string, head: readonly string[], body = ''): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A server that refuses early may hang up while the rest is still being sent.
  socket.on('error', () => {});
  socket.write(Buffer.from(`${[...head, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`, 'latin1'));
  await once(socket, 'close');
  const text = Buffer.concat(chunks).toString();
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const rest = text.slice(end + 4);
  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    body: rest.startsWith('{') ? JSON.parse(rest) : rest,
  };
}
