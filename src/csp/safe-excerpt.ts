/** Characters of a provider's answer that an error may carry into logs and rows. */
export const EXCERPT_MAX_LENGTH = 200;

/** An error body longer than this is not read for its message. Characters. */
const EXAMINED_LENGTH = 64 * 1024;

const JSON_WEB_TOKEN = /\beyJ[\w-]{4,}\.[\w-]+\.[\w-]*/g;
const CREDENTIAL_WITH_SCHEME = /\b(Bearer|Token|Basic)\s+[A-Za-z0-9._~+/=-]{12,}/gi;

/**
 * Takes secrets out of a text: those that are named, and whatever looks like a credential. A provider may well
 * repeat in an error page the headers that it was sent.
 */
export function redact(text: string, secrets: readonly string[]): string {
  let redacted = text;
  for (const secret of secrets) {
    if (secret !== '') redacted = redacted.replaceAll(secret, '[redacted]');
  }
  return redacted.replace(JSON_WEB_TOKEN, '[redacted]').replace(CREDENTIAL_WITH_SCHEME, '$1 [redacted]');
}

/**
 * What a body says, short and fit for a log line: the message of a JSON error, the title of an HTML page, or the
 * first words of a text.
 *
 * @returns at most `EXCERPT_MAX_LENGTH` characters, or undefined for an empty body
 */
export function safeExcerpt(body: string, secrets: readonly string[]): string | undefined {
  const examined = body.slice(0, EXAMINED_LENGTH);
  const said = jsonMessage(examined) ?? pageTitle(examined) ?? examined;
  // Redacted before the cut, which could leave half a secret that no longer matches, and after the white space
  // is folded, which could complete one.
  const line = redact(foldWhiteSpace(redact(said, secrets)), secrets);
  if (line === '') return undefined;
  return line.length <= EXCERPT_MAX_LENGTH ? line : `${line.slice(0, EXCERPT_MAX_LENGTH - 1)}…`;
}

/** One line without control characters, so that a body cannot write lines of its own into a log. */
function foldWhiteSpace(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}

function pageTitle(body: string): string | undefined {
  if (!body.trimStart().startsWith('<')) return undefined;
  return /<title[^>]*>([^<]*)/i.exec(body)?.[1] ?? 'an HTML page without a title';
}

function jsonMessage(body: string): string | undefined {
  try {
    return findMessage(JSON.parse(body), 0);
  } catch {
    return undefined;
  }
}

/** Where messages were seen: `{"error":[{"message"}]}`, and the forms that gateways in front of it use. */
function findMessage(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string') return value;
  if (depth > 4 || typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return findMessage(value[0], depth + 1);
  for (const field of ['message', 'error', 'errors', 'detail', 'error_description', 'title']) {
    const found = findMessage((value as Record<string, unknown>)[field], depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
