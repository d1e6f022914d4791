import exec from 'k6/execution';
import { PROMISED, studentId, summary, TREND_STATS, takeSandbox } from './lib/student.js';

const BASE = Number(__ENV.BASE_RATE || 50);
const PEAK = Number(__ENV.RATE || 1000);

// Several classes in the same second, between quiet times.
export const options = {
  scenarios: {
    students: {
      executor: 'ramping-arrival-rate',
      startRate: BASE,
      timeUnit: '1s',
      preAllocatedVUs: 500,
      maxVUs: 4000,
      stages: [
        { target: BASE, duration: '10s' },
        { target: PEAK, duration: '1s' },
        { target: PEAK, duration: '10s' },
        { target: BASE, duration: '1s' },
        { target: BASE, duration: '10s' },
      ],
    },
  },
  thresholds: { ...PROMISED, dropped_iterations: ['count==0'] },
  summaryTrendStats: TREND_STATS,
};

export default function spike() {
  takeSandbox(studentId(exec.scenario.iterationInTest));
}

export const handleSummary = summary;
