import type { Settings } from './world.ts';

type Step = { readonly hasRan: boolean; toString(): string };

/** What fast-check tells of a failed run. */
interface FailedRun {
  readonly seed: number;
  readonly numShrinks: number;
  readonly counterexample: unknown;
  readonly counterexamplePath: string | null;
  readonly errorInstance: unknown;
}

/** A failed run as a story: the shrunk steps one a line, what was wrong after the last, and how to see it again. */
export function tellFailure(result: FailedRun): string {
  const [settings, steps] = result.counterexample as [Settings, Iterable<Step>];
  const taken = [...steps].filter(({ hasRan }) => hasRan);
  const replayPath = /replayPath="([^"]*)"/.exec(String(steps))?.[1] ?? '';
  const wrong =
    result.errorInstance instanceof Error ? result.errorInstance.message || String(result.errorInstance) : '';
  return [
    `A story goes wrong (shrunk ${result.numShrinks} times):`,
    `  given ${JSON.stringify(settings)}`,
    ...taken.map((step, index) => `  ${index + 1}. ${step}`),
    'and then:',
    ...wrong.split('\n').map((line) => `  ${line}`),
    `To see it again: --seed ${result.seed} --path ${result.counterexamplePath} --replay-path "${replayPath}"`,
  ].join('\n');
}
