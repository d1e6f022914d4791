import { expect, test } from 'vitest';
import { EXCERPT_MAX_LENGTH, redact, safeExcerpt } from '../../../src/csp/safe-excerpt.ts';

test.each([
  ['{"error":[{"message":"no licence"}]}', 'no licence'],
  ['{"error":{"message":"no licence"}}', 'no licence'],
  ['{"error":"no licence"}', 'no licence'],
  ['{"message":"no licence","code":7}', 'no licence'],
  ['{"errors":[{"detail":"no licence"}]}', 'no licence'],
  ['{"code":7}', '{"code":7}'],
  ['<!DOCTYPE html><html><head>\n<title>\n 503 Sorry </title></head></html>', '503 Sorry'],
  ['<html><body>sorry</body></html>', 'an HTML page without a title'],
  ['upstream connect error\n\tor disconnect', 'upstream connect error or disconnect'],
])('%j says %j', (body, said) => {
  expect(safeExcerpt(body, [])).toBe(said);
});

test('an empty body says nothing', () => {
  expect(safeExcerpt(' \n', [])).toBeUndefined();
});

test('no excerpt is longer than the limit or holds a line break or a control character', () => {
  const excerpt = safeExcerpt(`a\r\nb\u0000\u001b[31m${'x'.repeat(500)}`, [])!;
  expect(excerpt).toHaveLength(EXCERPT_MAX_LENGTH);
  expect(excerpt).toMatch(/^a b \[31mx+…$/);
});

test('a secret that a body repeats is taken out, wherever it stands', () => {
  expect(safeExcerpt('{"message":"bad token s3cr3t-value!"}', ['s3cr3t-value!'])).toBe(
    'bad token [redacted]',
  );
  const atTheCut = `${'x'.repeat(EXCERPT_MAX_LENGTH - 8)}s3cr3t-value`;
  expect(safeExcerpt(atTheCut, ['s3cr3t-value'])).not.toContain('s3cr');
});

test('a secret with spaces is taken out of a text whose white space is folded', () => {
  expect(safeExcerpt('refused: my  pass\nword', ['my  pass\nword', 'my pass word'])).toBe(
    'refused: [redacted]',
  );
});

test('credentials that are not known are taken out by their looks', () => {
  expect(redact('Authorization: Bearer abcdefgh12345678', [])).toBe('Authorization: Bearer [redacted]');
  expect(redact('jwt eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.abc failed', [])).toBe('jwt [redacted] failed');
  expect(redact('Token is expired', [])).toBe('Token is expired');
});

test('an empty secret takes nothing out', () => {
  expect(redact('as it is', [''])).toBe('as it is');
});
