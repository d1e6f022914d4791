import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { activity } from '../../../src/http/plugins/activity.ts';
import { authentication } from '../../../src/http/plugins/authentication.ts';

/** An application that knows one token; what it answers, and whether the failure was told. */
async function answerWith(isHeldBack: boolean | Promise<boolean>, isTooMany: boolean) {
  let failures = 0;
  const app = Fastify();
  await app.register(activity, { recordAnswer: () => {} });
  await app.register(authentication, {
    credentials: { identify: () => ({ kind: 'track', name: 'known' }) },
    isHeldBack: () => isHeldBack,
    onFailure: async (_request, reply) => {
      failures += 1;
      if (isTooMany) reply.code(429).send();
      return isTooMany;
    },
  });
  app.get('/', { onRequest: app.authenticate }, (request) => request.credential?.name ?? 'nobody');
  const { statusCode, body } = await app.inject({ url: '/', headers: { authorization: 'Bearer any' } });
  await app.close();
  return [statusCode, body, failures];
}

test.each([
  ['who is not held back', false, [200, 'known', 0]],
  ['who is not held back, which took a while to know', Promise.resolve(false), [200, 'known', 0]],
  ['who was held back in a window that is over', Promise.resolve(true), [200, 'known', 1]],
] as const)('A known token lets in %s', async (_, isHeldBack, answer) => {
  expect(await answerWith(isHeldBack, false)).toEqual(answer);
});

test('Who is held back is answered as a failure is, and is nobody', async () => {
  expect(await answerWith(Promise.resolve(true), true)).toEqual([429, '', 1]);
});
