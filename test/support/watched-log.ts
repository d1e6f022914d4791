/** Variables whose values no log may hold. */
const SECRETS = ['BROKER_API_TOKEN', 'BROKER_ADMIN_TOKEN', 'CSP_API_TOKEN', 'NIOSXAAS_PASSWORD'];
/** Shorter values may stand in a line by chance. */
const SECRET_MIN_LENGTH = 6;
/** A credential as headers carry it, and a signed token (RFC 7519) wherever it stands. */
const CREDENTIAL = /bearer [\w.~+/-]{6,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/i;

/** Every secret that a test has made so far, as it is and as JSON escapes it. */
const secrets = new Set<string>();
const leaks: string[] = [];

/** Lines of logs, anywhere in the suite, that hold a credential. The list is empty afterwards. */
export function takeLeaks(): string[] {
  return leaks.splice(0);
}

/** The same for reports, which people keep: what such a line is about, and nothing of what leaked. */
export function leakTexts(): string[] {
  return takeLeaks().map(
    (line) => `a line holds a credential: ${/"action":"[\w-]+"/.exec(line)?.[0] ?? 'no action'}`,
  );
}

/** From now on no log may hold this: a token or password, or tokens by name in JSON. */
export function keepOutOfLogs(text: string): void {
  for (const secret of secretsIn(text)) {
    if (secret.length < SECRET_MIN_LENGTH) continue;
    secrets.add(secret).add(JSON.stringify(secret).slice(1, -1));
  }
}

/** Looks at each line that a broker with this environment logs, or at all that a command of its own prints. */
export function watchedLog(
  environment: Readonly<Record<string, string | undefined>>,
): (line: string) => void {
  for (const name of SECRETS) keepOutOfLogs(environment[name] ?? '');
  return (line) => {
    if (CREDENTIAL.test(line) || [...secrets].some((secret) => line.includes(secret))) leaks.push(line);
  };
}

function secretsIn(text: string): string[] {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return Object.values(parsed).map(String);
  } catch {
    // One token, which is no JSON.
  }
  return [text.trim()];
}
