import { pino } from 'pino';
import { expect, test } from 'vitest';
import { RotatingSecret } from '../../../src/credentials/rotating-secret.ts';
import type { SecretStore } from '../../../src/credentials/secret-store.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function secretOf(read: SecretStore['read'], chance = 0.5) {
  const clock = new ManualClock();
  const secret = new RotatingSecret('a-secret', ({ current }) => current, {
    store: { read, close: () => {} },
    clock,
    random: () => chance,
    logger: pino({ level: 'silent' }),
    refreshMs: 300_000,
  });
  return { clock, secret };
}

function scripted(answers: (string | Error)[]) {
  let reads = 0;
  const read = async () => {
    const answer = answers[Math.min(reads, answers.length - 1)] as string | Error;
    reads += 1;
    if (answer instanceof Error) throw answer;
    return { current: answer, previous: undefined };
  };
  return { ...secretOf(read), reads: () => reads };
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

test('a reading on demand joins the regular one that is under way: an old answer never replaces a later one', async () => {
  const answers: ((text: string) => void)[] = [];
  const { clock, secret } = secretOf(
    () => new Promise((resolve) => answers.push((current) => resolve({ current, previous: undefined }))),
  );
  const started = secret.start();
  answers[0]?.('first');
  await started;
  await clock.advance(300_000);
  await clock.advance(10_000);
  const demanded = secret.reloadOnDemand();
  expect(answers).toHaveLength(2);
  answers[1]?.('second');
  await demanded;
  expect(secret.value).toBe('second');
});

test.each([
  [0, 240_000],
  [0.5, 300_000],
  [1, 360_000],
])(
  'the period is longer or shorter by up to a fifth: with %d of chance it has %i ms',
  async (chance, periodMs) => {
    let reads = 0;
    const { clock, secret } = secretOf(async () => {
      reads += 1;
      return { current: 'text', previous: undefined };
    }, chance);
    await secret.start();
    await clock.advance(periodMs - 1);
    expect(reads).toBe(1);
    await clock.advance(2);
    expect(reads).toBe(2);
  },
);

test('a closed secret is read no more', async () => {
  const { clock, secret, reads } = scripted(['first']);
  await secret.start();
  secret.close();
  await clock.advance(3_600_000);
  expect(reads()).toBe(1);
});
