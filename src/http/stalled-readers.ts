import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Hangs up on clients that take nothing of an answer which is ready for them. One that is still being worked on is
 * waited for, and requests that do not arrive have limits of their own (`requestTimeout`).
 *
 * @param patienceMs milliseconds without a byte moving in either direction
 */
export function cutOffStalledReaders(server: Server, patienceMs: number): void {
  const latestAnswers = new WeakMap<Socket, ServerResponse>();
  server.on('request', (request, answer) => {
    latestAnswers.set(request.socket, answer);
  });
  server.setTimeout(patienceMs);
  // Whoever listens decides: Node hangs up only where nobody does. Idle connections come here too, after `keepAliveTimeout`.
  server.on('timeout', (socket) => {
    const answer = latestAnswers.get(socket);
    if (answer === undefined) return;
    if (answer.writableEnded || socket.writableLength > 0) socket.destroy();
  });
}
