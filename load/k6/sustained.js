import exec from 'k6/execution';
import { PROMISED, studentId, summary, TREND_STATS, takeSandbox } from './lib/student.js';

const RATE = Number(__ENV.RATE || 1000);
const SECONDS = Number(__ENV.SECONDS || 60);

// A thousand requests a second for a minute, whatever the answers take. The pool must hold RATE x SECONDS.
export const options = {
  scenarios: {
    students: {
      executor: 'constant-arrival-rate',
      rate: RATE,
      timeUnit: '1s',
      duration: `${SECONDS}s`,
      preAllocatedVUs: 500,
      maxVUs: 4000,
    },
  },
  thresholds: { ...PROMISED, dropped_iterations: ['count==0'] },
  summaryTrendStats: TREND_STATS,
};

export default function sustained() {
  takeSandbox(studentId(exec.scenario.iterationInTest));
}

export const handleSummary = summary;
