import Fastify from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { expect, test } from 'vitest';
import { healthRoutes } from '../../../src/http/routes/health.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('Those who ask for the readiness at once share one look at the database, and those after have another', async () => {
  let looks = 0;
  let asking = 0;
  let answer = () => {};
  const app = Fastify();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  // The third is the last: once it is in, the database answers.
  app.addHook('preHandler', async () => {
    asking += 1;
    if (asking === 3) setImmediate(() => answer());
  });
  await app.register(healthRoutes, {
    clock: new ManualClock(),
    isStopping: () => false,
    checkDatabase: () => {
      looks += 1;
      return looks > 1
        ? Promise.reject(new Error('gone'))
        : new Promise<void>((resolve) => {
            answer = resolve;
          });
    },
  });
  const together = await Promise.all([1, 2, 3].map(() => app.inject('/readyz')));
  expect(together.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
  expect(looks).toBe(1);
  expect((await app.inject('/readyz')).statusCode).toBe(503);
  expect(looks).toBe(2);
});
