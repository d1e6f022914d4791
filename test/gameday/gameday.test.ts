import { expect, test } from 'vitest';
import type { Call } from '../history/history.ts';
import { recoveries } from './recovery.ts';
import { type GameDay, reportText, violationsOf } from './report.ts';
import { chooseScenarios, type Fault, findScenarios } from './scenario.ts';
import { summarize } from './summary.ts';

const call = (sentAt: number, answer: Call['answer']): Call => ({
  kind: 'allocate',
  track: `student-${sentAt}`,
  via: 'the proxy',
  sentAt,
  answeredAt: sentAt + 10,
  answer,
});
const given = { is: 'allocated', created: true, sandboxId: '1', body: '{}' } as const;
const failed = { is: 'unknown', why: '503' } as const;

function dayOf(changes: Partial<GameDay> = {}): GameDay {
  const calls = [call(0, given), call(1_100, failed), call(3_500, given), call(4_000, failed)];
  return {
    name: 'broker-killed',
    summary: 'A broker is killed.',
    seed: 7,
    brokers: 3,
    students: 1,
    seconds: 60,
    began: 0,
    recoveries: recoveries([{ what: 'broker 2 is killed', from: 1_000, to: 3_000 }], {
      calls,
      deletions: [],
      epoch: 0,
    }),
    seen: summarize(calls, [{ track: 'student-0', arrivedAt: 0, servedAt: 10, tries: 1 }]),
    end: { statuses: { available: 3 }, waiting: 0, deletedAtProvider: 1, settledAfter: 5 },
    logged: [],
    checks: [{ name: 'I1 one owner', violations: [] }],
    ...changes,
  };
}

test('every file in the folder of scenarios is a scenario with the name of its file', async () => {
  const scenarios = await findScenarios();
  expect(scenarios.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['calm-class', 'broker-killed', 'pool-runs-dry', 'storm']),
  );
  expect(scenarios.every(({ summary }) => summary.endsWith('.'))).toBe(true);
});

test('scenarios are chosen by name, and a name that is unknown is told', async () => {
  const scenarios = await findScenarios();
  expect(chooseScenarios(scenarios, [])).toHaveLength(scenarios.length);
  expect(chooseScenarios(scenarios, ['storm', 'calm-class']).map(({ name }) => name)).toEqual([
    'storm',
    'calm-class',
  ]);
  expect(() => chooseScenarios(scenarios, ['quiet-class'])).toThrow('quiet-class');
});

test('a seed makes the same storm again, and another seed another one', async () => {
  const [storm] = chooseScenarios(await findScenarios(), ['storm']);
  const faultsOf = (first: number) => {
    let state = first;
    const random = () => {
      state = (state * 16_807) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const make = storm?.faults as (choices: { random: () => number; brokers: number }) => readonly Fault[];
    return make({ random, brokers: 3 }).map(({ what, from, to }) => ({ what, from, to }));
  };
  expect(faultsOf(11)).toEqual(faultsOf(11));
  expect(faultsOf(11)).not.toEqual(faultsOf(12));
  expect(faultsOf(11).every(({ from, to }) => from < to)).toBe(true);
});

test('recovery counts from when a fault was over, up to the next one', () => {
  const calls = [call(1_500, failed), call(3_000, failed), call(3_490, given), call(9_000, failed)];
  const faults = [
    { what: 'one', from: 1_000, to: 2_000 },
    { what: 'another', from: 5_000, to: 6_000 },
  ];
  const [one, another] = recoveries(faults, { calls, deletions: [], epoch: 0 });
  expect(one).toMatchObject({ answered: 0, failed: 1, firstSuccess: 1.5, steady: 1.01, overlapped: false });
  expect(another).toMatchObject({ firstSuccess: undefined, steady: 3.01 });
});

test('the report tells what was done, what clients saw and how long recovery took', () => {
  const text = reportText([dayOf()]);
  expect(text).toContain('1 runs, 1 minutes, no violation.');
  expect(text).toContain('| 1 s | 3 s | broker 2 is killed | 0 | 1 | 0.5 s | 1.0 s | - |');
  expect(text).toContain('1 of 1 students got a sandbox');
  expect(text).toContain('2 × allocate: failed: 503');
  expect(text).toContain('- ok: I1 one owner');
});

test('the report counts violations, and tells the first of many', () => {
  const many = Array.from({ length: 12 }, (_, index) => `I1: sandbox ${index} is claimed twice`);
  const day = dayOf({ checks: [{ name: 'I1 one owner', violations: many }] });
  expect(violationsOf(day)).toHaveLength(12);
  const text = reportText([day]);
  expect(text).toContain('**12 violations**');
  expect(text).toContain('sandbox 9 is claimed twice');
  expect(text).not.toContain('sandbox 10 is claimed twice');
  expect(text).toContain('and 2 more');
});
