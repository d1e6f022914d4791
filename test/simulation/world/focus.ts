import type { Violation } from './violations.ts';

/**
 * What of a story concerns the sandboxes and claim keys that a violation names: requests and calls about them and
 * their answers, what became of them in the table, and what befell the world meanwhile.
 */
export function focus(story: readonly string[], violation: Violation): readonly string[] {
  const names = [
    ...(violation.text.match(/\b\d{7}\b/g) ?? []),
    ...[...violation.text.matchAll(/"([^" ]+ [^"]*)"/g)].map(([, key]) => key as string),
  ];
  if (names.length === 0) return story;
  const calls = new Set<string>();
  return story.filter((line) => {
    const call = / (\S+)\s+(?:call|answer) (\d+):/.exec(line);
    const about = names.some((name) => line.includes(name));
    if (call !== null && about) calls.add(`${call[1]} ${call[2]}`);
    if (about || / weather | (?:dies|begins|ends)$/.test(line)) return true;
    return call !== null && calls.has(`${call[1]} ${call[2]}`);
  });
}
