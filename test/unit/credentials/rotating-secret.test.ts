import { pino } from 'pino';
import { expect, test } from 'vitest';
import { RotatingSecret } from '../../../src/credentials/rotating-secret.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function scripted(answers: (string | Error)[]) {
  const clock = new ManualClock();
  let reads = 0;
  const secret = new RotatingSecret('a-secret', ({ current }) => current, {
    store: {
      read: async () => {
        const answer = answers[Math.min(reads, answers.length - 1)] as string | Error;
        reads += 1;
        if (answer instanceof Error) throw answer;
        return { current: answer, previous: undefined };
      },
      close: () => {},
    },
    clock,
    random: () => 0.5,
    logger: pino({ level: 'silent' }),
    refreshMs: 300_000,
  });
  return { clock, secret, reads: () => reads };
}

test('a secret is read again after its period, and not before', async () => {
  const { clock, secret, reads } = scripted(['first', 'second']);
  await secret.start();
  await clock.advance(299_999);
  expect([secret.value, reads()]).toEqual(['first', 1]);
  await clock.advance(1);
  expect([secret.value, reads()]).toEqual(['second', 2]);
});

test('a failed reading keeps the value, and the next period tries again', async () => {
  const { clock, secret } = scripted(['first', new Error('down'), 'third']);
  await secret.start();
  await clock.advance(300_000);
  expect(secret.value).toBe('first');
  await clock.advance(300_000);
  expect(secret.value).toBe('third');
});

test('readings on demand share one call and keep ten seconds apart', async () => {
  const { clock, secret, reads } = scripted(['first']);
  await secret.start();
  await secret.reloadOnDemand();
  expect(reads()).toBe(1);
  await clock.advance(10_000);
  await Promise.all([secret.reloadOnDemand(), secret.reloadOnDemand(), secret.reloadOnDemand()]);
  expect(reads()).toBe(2);
});

test('a closed secret is read no more', async () => {
  const { clock, secret, reads } = scripted(['first']);
  await secret.start();
  secret.close();
  await clock.advance(3_600_000);
  expect(reads()).toBe(1);
});
