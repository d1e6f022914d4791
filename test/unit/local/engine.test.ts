import { expect, test } from 'vitest';
import { EngineMissingError, startEngine } from '../../../src/local/engine.ts';

test('where there is no engine for the machine, the message names it and says what to do instead', async () => {
  const start = startEngine({ platform: 'darwin-arm64' });
  await expect(start).rejects.toThrow(EngineMissingError);
  await expect(start).rejects.toThrow(/no embedded engine for darwin-arm64.*DDB_ENDPOINT_URL/);
});
