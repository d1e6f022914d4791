import { z } from 'zod';
import type { NamedTokens } from './token-book.ts';

/** What a name of a credential may look like: it appears in logs and metrics. */
export const CREDENTIAL_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export const tokenSchema = z
  .string()
  .min(8, 'must have at least 8 characters')
  .max(1_024, 'must have at most 1,024 characters')
  .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces');

const namedTokensSchema = z.record(
  z.string().regex(CREDENTIAL_NAME_PATTERN, 'must be named by letters, digits, ".", "_" or "-"'),
  tokenSchema,
);

/**
 * Reads what a secret or a variable holds: one token, or a JSON object of tokens by name
 * (`{"team-a": "...", "team-b": "..."}`), each of which can be taken out alone.
 *
 * @param soleName the name of a token that stands alone
 * @throws Error that names what is wrong and holds nothing of the text
 */
export function parseTokens(text: string, soleName: string): NamedTokens {
  const trimmed = text.trim();
  if (!isNamed(text)) {
    const token = tokenSchema.safeParse(trimmed);
    if (!token.success) throw new Error(`the token ${token.error.issues[0]?.message ?? 'is not valid'}`);
    return new Map([[soleName, token.data]]);
  }
  const parsed = namedTokensSchema.safeParse(parseJson(trimmed));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(`the tokens are not a JSON object of named tokens: ${issue?.message ?? 'not valid'}`);
  }
  const tokens = Object.values(parsed.data);
  if (tokens.length === 0) throw new Error('there is no token in it');
  if (new Set(tokens).size < tokens.length) throw new Error('two names have the same token');
  return new Map(Object.entries(parsed.data));
}

/** Whether a text is meant as tokens by name. */
export function isNamed(text: string): boolean {
  return text.trimStart().startsWith('{');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
