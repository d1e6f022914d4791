import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/local/csp-simulator/seeded-random.ts';
import { runClass } from '../../history/class-of-clients.ts';
import { Recorder } from '../../history/recorder.ts';
import { brokerOfTest } from '../../support/broker.ts';
import { tableOfTest } from '../../support/table.ts';
import { findingsOf } from './planted.ts';

test('a table under load gives no false alarm, however often it is read', async () => {
  const table = await tableOfTest({ environment: { LOG_LEVEL: 'silent' } });
  await table.seed(1_200);
  const brokers = await Promise.all([brokerOfTest(table.environment), brokerOfTest(table.environment)]);
  const recorder = new Recorder(10_000);
  const allocated = () => recorder.calls.filter(({ answer }) => answer.is === 'allocated').length;
  let readings = 0;
  const working = runClass({
    recorder,
    targets: () => brokers.map(({ url }, index) => ({ name: `broker ${index}`, url })),
    clients: 16,
    tracks: 40,
    random: seededRandom(1),
    goesOn: () => readings < 3 || allocated() <= 20,
  });
  for (; readings < 3 || allocated() <= 20; readings += 1)
    expect((await findingsOf(table)).findings).toEqual([]);
  await working;
});
