import exec from 'k6/execution';
import { giveBack, PROMISED, studentId, summary, TREND_STATS, takeSandbox } from './lib/student.js';

const RATE = Number(__ENV.RATE || 150);
const SECONDS = Number(__ENV.SECONDS || 3600);

// An hour of students who come and go; those of a later run find what these have given back deleted.
export const options = {
  scenarios: {
    students: {
      executor: 'constant-arrival-rate',
      rate: RATE,
      timeUnit: '1s',
      duration: `${SECONDS}s`,
      preAllocatedVUs: 100,
      maxVUs: 2000,
    },
  },
  thresholds: { ...PROMISED, dropped_iterations: ['count==0'] },
  summaryTrendStats: TREND_STATS,
};

export default function soak() {
  const student = studentId(exec.scenario.iterationInTest);
  const sandbox = takeSandbox(student);
  if (sandbox !== null) giveBack(student, sandbox);
}

export const handleSummary = summary;
