import type { Environment } from './table.ts';

/** Variables whose values no log may hold. */
const SECRETS = ['BROKER_API_TOKEN', 'BROKER_ADMIN_TOKEN', 'CSP_API_TOKEN', 'NIOSXAAS_PASSWORD'];
/** Shorter values may stand in a line by chance. */
const SECRET_MIN_LENGTH = 6;
/** A credential as headers carry it, and a signed token (RFC 7519) wherever it stands. */
const CREDENTIAL = /bearer [\w.~+/-]{6,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/i;

const leaks: string[] = [];

/** Lines of logs, anywhere in the suite, that hold a credential. The list is empty afterwards. */
export function takeLeaks(): string[] {
  return leaks.splice(0);
}

/** Looks at each line that a broker with this environment logs. */
export function watchedLog(environment: Environment): (line: string) => void {
  const secrets = SECRETS.map((name) => environment[name] ?? '').filter(
    (value) => value.length >= SECRET_MIN_LENGTH,
  );
  return (line) => {
    if (CREDENTIAL.test(line) || secrets.some((secret) => line.includes(secret))) leaks.push(line);
  };
}
