import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** The wire between a broker and its database, which a test can cut or hold still. */
export interface DatabaseLine {
  readonly url: string;
  /** What is sent from now on arrives only after `pass`. */
  hold(): void;
  /** Resolves when something waits to arrive. */
  held(): Promise<void>;
  pass(): void;
  /** Breaks every connection, and refuses new ones. */
  cut(): Promise<void>;
  close(): Promise<void>;
}

export async function openDatabaseLine(endpoint: string): Promise<DatabaseLine> {
  const { hostname, port } = new URL(endpoint);
  const sockets = new Set<Socket>();
  const waiting: { to: Socket; chunk: Buffer }[] = [];
  let isHolding = false;
  let onHeld = () => {};

  const forward = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on('data', (chunk) => {
      if (!isHolding) {
        to.write(chunk);
        return;
      }
      waiting.push({ to, chunk });
      onHeld();
    });
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    forward(near, far);
    forward(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { port: number };

  const cut = async () => {
    if (!server.listening) return;
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    hold: () => {
      isHolding = true;
    },
    held: () =>
      new Promise((resolve) => {
        if (waiting.length > 0) resolve();
        else onHeld = resolve;
      }),
    pass: () => {
      isHolding = false;
      for (const { to, chunk } of waiting.splice(0)) to.write(chunk);
    },
    cut,
    close: cut,
  };
}
