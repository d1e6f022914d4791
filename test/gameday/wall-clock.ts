import { readFileSync } from 'node:fs';

/**
 * Loaded before a broker (`--import`): the wall clock of its process is off by as many milliseconds as a file says,
 * looked at again and again. Timers and the monotonic clock are left as they are, as by a wrong time server.
 */
const LOOK_EVERY_MS = 200;
const file = process.env.GAMEDAY_CLOCK_FILE ?? '';
const TrueDate = Date;
let offMs = 0;

class WrongDate extends TrueDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(TrueDate.now() + offMs);
    else super(...(given as [number]));
  }

  static override now(): number {
    return TrueDate.now() + offMs;
  }
}

function look(): void {
  offMs = Number(readFileSync(file, 'utf8'));
}

if (file !== '') {
  look();
  globalThis.Date = WrongDate as DateConstructor;
  setInterval(look, LOOK_EVERY_MS).unref();
}
