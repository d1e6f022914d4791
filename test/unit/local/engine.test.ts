import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { EngineMissingError, freePort, startEngine } from '../../../src/local/engine.ts';

test('where there is no engine for the machine, the message names it and says what to do instead', async () => {
  const start = startEngine({ platform: 'darwin-arm64' });
  await expect(start).rejects.toThrow(EngineMissingError);
  await expect(start).rejects.toThrow(/no embedded engine for darwin-arm64.*DDB_ENDPOINT_URL/);
});

test('a free port can be listened on, and is none that a system gives to whoever asks for any', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, freePort));
  for (const port of ports) expect(port).toBeLessThan(32_768);
  const server = createServer().listen(ports[0], '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
});
