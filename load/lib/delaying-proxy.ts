import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface DelayingProxy {
  /** Origin to use instead of the target's. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * A wire of some length: every answer arrives `delayMs` later than it was sent, whatever else is under way (so it
 * delays, and does not slow down). A whole round trip's worth is put on the way back; who waits cannot tell the
 * difference.
 */
export async function startDelayingProxy(target: string, delayMs: number): Promise<DelayingProxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: hostname, port: Number(port), noDelay: true });
    for (const socket of [near, far]) {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      socket.on('error', () => {
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    // Timers of one length fire in the order of their setting, so chunks keep theirs.
    far.on('data', (chunk) => setTimeout(() => near.writable && near.write(chunk), delayMs));
    far.on('end', () => setTimeout(() => near.end(), delayMs));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
