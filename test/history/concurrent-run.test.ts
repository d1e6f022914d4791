import { expect, inject, test } from 'vitest';
import { contradictionIn } from './checker.ts';
import { runConcurrently } from './concurrent-run.ts';
import { tellInFull } from './table-at-end.ts';

// `npm run test:history` does the same with more of everything, for longer.
for (const indexLagMs of [0, 300]) {
  test(`what twelve clients hear of two brokers is explained, over a failing database with indexes ${indexLagMs} ms behind, and with a broker killed`, async () => {
    const run = await runConcurrently({
      engineUrl: inject('engineUrl'),
      seconds: 4,
      atLeastCalls: 300,
      brokers: 2,
      clients: 12,
      pool: 150,
      seed: 327,
      killEverySeconds: 2,
      faults: true,
      indexLagMs,
    });
    const contradiction = contradictionIn(run.history);
    if (contradiction !== undefined) throw new Error(tellInFull(contradiction, run.history, run.items));
    expect(run.violations).toEqual([]);
    expect(run.kills).toBeGreaterThan(0);
    expect(run.history.calls.filter(({ answer }) => answer.is === 'allocated').length).toBeGreaterThan(20);
  }, 120_000);
}
