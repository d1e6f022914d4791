import { sleep } from 'k6';
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';

/** Each try by itself, as the load balancer would see it. */
const allocateMs = new Trend('allocate_ms', true);
const served = new Counter('students_served');
/** Of those served, who had been served before. */
const again = new Counter('students_again');
const released = new Counter('students_released');
const refused = new Counter('students_refused');
const failed = new Rate('students_failed');
const retries = new Counter('retries');

/** Brokers in front of which there is no load balancer: students take them in turn. */
const BROKERS = (__ENV.BROKER_URLS || 'http://127.0.0.1:8080').split(',');
const TOKEN = __ENV.BROKER_API_TOKEN;
/** Makes the students of one run different from those of another. */
const RUN = __ENV.RUN || String(Date.now());
const MAX_TRIES = 8;
const FIRST_WAIT_SECONDS = 0.5;
const LONGEST_WAIT_SECONDS = 10;

/** What the contract promises, of every try. */
export const PROMISED = {
  allocate_ms: ['avg<100', 'p(99)<300'],
  students_failed: ['rate==0'],
};

http.setResponseCallback(http.expectedStatuses(200, 201, 409));

/**
 * A student's set-up script: it asks under one id until it has a sandbox, waits between its tries as it is told or
 * with full jitter, and gives up after some of them. Returns the sandbox, or null where none was left.
 */
export function takeSandbox(student, { namePrefix } = {}) {
  const broker = brokerOf(student);
  for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
    const answer = http.post(`${broker}/v1/allocate`, null, {
      headers: headersOf(student, namePrefix),
      tags: { name: 'allocate' },
      timeout: '20s',
    });
    allocateMs.add(answer.timings.duration);
    if (answer.status === 201 || answer.status === 200) {
      served.add(1);
      if (answer.status === 200) again.add(1);
      failed.add(false);
      return answer.json();
    }
    if (answer.status === 409) {
      refused.add(1);
      failed.add(false);
      return null;
    }
    retries.add(1);
    const told = Number(answer.headers['Retry-After'] || 0);
    const wait = Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** attempt);
    sleep(Math.max(told, Math.random() * wait));
  }
  failed.add(true);
  return null;
}

/** A student's clean-up script. */
export function giveBack(student, sandbox) {
  const answer = http.post(
    `${brokerOf(student)}/v1/sandboxes/${sandbox.sandbox_id}/mark-for-deletion`,
    null,
    { headers: headersOf(student), tags: { name: 'mark-for-deletion' }, timeout: '20s' },
  );
  if (answer.status === 200) released.add(1);
  failed.add(answer.status !== 200);
}

/** An id that no other student of any run has. */
export function studentId(number) {
  return `k6-${RUN}-${number}`;
}

/** For whoever runs k6: a few lines for people, and everything for the verifier. */
export function summary(data) {
  const of = (name, value) => data.metrics[name]?.values?.[value] ?? 0;
  const lines = [
    `served ${of('students_served', 'count')}, given back ${of('students_released', 'count')}, ` +
      `refused ${of('students_refused', 'count')}, retries ${of('retries', 'count')}`,
    `allocate: mean ${of('allocate_ms', 'avg').toFixed(1)} ms, p99 ${of('allocate_ms', 'p(99)').toFixed(1)} ms, ` +
      `max ${of('allocate_ms', 'max').toFixed(1)} ms`,
  ];
  for (const [name, { thresholds }] of Object.entries(data.metrics)) {
    for (const [threshold, { ok }] of Object.entries(thresholds || {})) {
      lines.push(`${ok ? 'holds ' : 'MISSED'}  ${name} ${threshold}`);
    }
  }
  const out = { stdout: `${lines.join('\n')}\n` };
  if (__ENV.SUMMARY) out[__ENV.SUMMARY] = JSON.stringify(data);
  return out;
}

/** The figures that `summary` quotes. */
export const TREND_STATS = ['avg', 'min', 'med', 'max', 'p(90)', 'p(99)'];

function brokerOf(student) {
  let sum = 0;
  for (let index = 0; index < student.length; index += 1) sum += student.charCodeAt(index);
  return BROKERS[sum % BROKERS.length];
}

function headersOf(student, namePrefix) {
  return {
    Authorization: `Bearer ${TOKEN}`,
    'X-Instruqt-Sandbox-ID': student,
    'X-Instruqt-Track-ID': 'lab-k6',
    ...(namePrefix === undefined ? {} : { 'X-Sandbox-Name-Prefix': namePrefix }),
  };
}
