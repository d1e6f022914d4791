import { check, sleep } from 'k6';
import exec from 'k6/execution';
import { giveBack, PROMISED, studentId, summary, TREND_STATS, takeSandbox } from './lib/student.js';

// A few students, one after the other: take, ask again, give back. For every commit.
export const options = {
  scenarios: { students: { executor: 'shared-iterations', vus: 5, iterations: 50, maxDuration: '60s' } },
  thresholds: { ...PROMISED, checks: ['rate==1'] },
  summaryTrendStats: TREND_STATS,
};

export default function smoke() {
  const number = exec.scenario.iterationInTest;
  const student = studentId(number);
  const sandbox = takeSandbox(student);
  check(sandbox, { 'got a sandbox': (taken) => taken !== null });
  if (sandbox === null) return;
  const again = takeSandbox(student);
  check(again, {
    'the same one again': (taken) => taken !== null && taken.sandbox_id === sandbox.sandbox_id,
  });
  sleep(0.1);
  // Half of them keep theirs, so that the verifier finds both kinds.
  if (number % 2 === 0) giveBack(student, sandbox);
}

export const handleSummary = summary;
