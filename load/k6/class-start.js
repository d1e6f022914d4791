import { sleep } from 'k6';
import exec from 'k6/execution';
import { PROMISED, studentId, summary, TREND_STATS, takeSandbox } from './lib/student.js';

const STUDENTS = Number(__ENV.STUDENTS || 1000);
const WITHIN_SECONDS = Number(__ENV.WITHIN_SECONDS || 60);

// A class: each student starts at some moment of one minute, and each gets a sandbox at the first or a later try.
export const options = {
  scenarios: {
    students: {
      executor: 'per-vu-iterations',
      vus: STUDENTS,
      iterations: 1,
      maxDuration: `${WITHIN_SECONDS + 120}s`,
    },
  },
  thresholds: { ...PROMISED, students_served: [`count==${STUDENTS}`] },
  summaryTrendStats: TREND_STATS,
};

export default function classStart() {
  sleep(Math.random() * WITHIN_SECONDS);
  takeSandbox(studentId(exec.vu.idInTest));
}

export const handleSummary = summary;
