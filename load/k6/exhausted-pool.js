import exec from 'k6/execution';
import { PROMISED, studentId, summary, TREND_STATS, takeSandbox } from './lib/student.js';

const STUDENTS = Number(__ENV.STUDENTS || 1000);
const POOL = Number(__ENV.POOL || 100);

// More students than sandboxes: exactly as many are served as there are, and the others are told at once.
export const options = {
  scenarios: {
    students: { executor: 'per-vu-iterations', vus: STUDENTS, iterations: 1, maxDuration: '120s' },
  },
  thresholds: {
    students_failed: PROMISED.students_failed,
    students_served: [`count==${POOL}`],
    students_refused: [`count==${STUDENTS - POOL}`],
  },
  summaryTrendStats: TREND_STATS,
};

export default function exhaustedPool() {
  takeSandbox(studentId(exec.vu.idInTest));
}

export const handleSummary = summary;
