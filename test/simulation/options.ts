import { parseArgs } from 'node:util';

export const HELP = `Runs the broker's own code, several processes at once, in worlds that one number decides:
the order of every answer, each lost reply, crash and step of a clock.

  npm run test:simulation -- [options]

  --seed S        the first world (1); the next has the next number
  --steps N       events to deliver, in as many worlds as that takes (200000); at least one world
  --story         prints what happened in the first world
  --shrink SEC    seconds for making a failing world smaller (60); 0 for not at all
  --replay FILE   runs the world of a file that an earlier failure left, and tells its story
  --exhaustive    walks through every schedule of the smallest worlds instead
  --bound N       with --exhaustive: schedules that deviate N times from the ordinary course (2)
  --help

Ends with 1 when an invariant was broken, with 2 for a wrong option.
`;

export interface Options {
  readonly seed: number;
  readonly steps: number;
  readonly story: boolean;
  readonly shrinkSeconds: number;
  readonly replay: string | undefined;
  readonly exhaustive: boolean;
  readonly bound: number;
  readonly help: boolean;
}

/** @throws Error naming an option that is not known, or is no number */
export function readOptions(commandLine: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...commandLine],
    options: {
      seed: { type: 'string', default: '1' },
      steps: { type: 'string', default: '200000' },
      story: { type: 'boolean', default: false },
      shrink: { type: 'string', default: '60' },
      replay: { type: 'string' },
      exhaustive: { type: 'boolean', default: false },
      bound: { type: 'string', default: '2' },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    seed: wholeNumber('seed', values.seed),
    steps: wholeNumber('steps', values.steps),
    story: values.story,
    shrinkSeconds: wholeNumber('shrink', values.shrink),
    replay: values.replay,
    exhaustive: values.exhaustive,
    bound: wholeNumber('bound', values.bound),
    help: values.help,
  };
}

function wholeNumber(name: string, text: string): number {
  const value = /^\d[\d_]*$/.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new Error(`--${name} takes a whole number, not "${text}"`);
  return value;
}
