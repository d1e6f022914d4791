import { setTimeout as realTime } from 'node:timers/promises';
import type { BrokerProcess } from '../../src/local/broker-process.ts';
import { type Answer, allocate, release } from './client.ts';

/** Tries of a student's script, which repeats what was not answered, or not in this world. */
const TRIES = 60;
/** Longer than any process stands still by itself: an answer that comes later is heard by nobody. */
const PATIENCE_MS = 20_000;

/**
 * Students whose scripts call the brokers as lab scripts do: over and over with the same id, on whichever process
 * answers. Keeps every sandbox that anyone was told is theirs.
 */
export class Students {
  /** Who was given each sandbox. */
  readonly owners = new Map<string, string[]>();
  /** What each student was given, each answer. */
  readonly given = new Map<string, string[]>();
  readonly #brokers: readonly BrokerProcess[];

  constructor(brokers: readonly BrokerProcess[]) {
    this.#brokers = brokers;
  }

  /** @returns the sandbox */
  async begins(track: string): Promise<string> {
    const answer = await this.#surely(track, (url) => allocate(url, track), [200, 201]);
    const sandboxId = String(answer.body.sandbox_id);
    this.owners.set(sandboxId, [...(this.owners.get(sandboxId) ?? []), track]);
    this.given.set(track, [...(this.given.get(track) ?? []), sandboxId]);
    return sandboxId;
  }

  /** Lets the sandbox go. A 404 says that it is deleted already, which scripts take for done. */
  async ends(track: string, sandboxId: string): Promise<void> {
    await this.#surely(track, (url) => release(url, track, sandboxId), [200, 404]);
  }

  async #surely(
    track: string,
    send: (url: string) => Promise<Answer>,
    good: readonly number[],
  ): Promise<Answer> {
    let last: unknown;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const broker = this.#brokers[(hash(track) + attempt) % this.#brokers.length] as BrokerProcess;
      try {
        // A process that is stopped accepts connections and never answers.
        const answer = await Promise.race([
          send(broker.url),
          realTime(PATIENCE_MS, undefined, { ref: false }),
        ]);
        if (answer !== undefined && good.includes(answer.status)) return answer;
        last = answer?.body ?? 'no answer';
      } catch (error) {
        last = error;
      }
      await realTime(50);
    }
    throw new Error(`${track} got nowhere`, { cause: last });
  }
}

function hash(text: string): number {
  return [...text].reduce((sum, character) => sum + character.charCodeAt(0), 0);
}
