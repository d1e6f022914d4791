import type { Random } from '../../src/domain/clock.ts';
import type { Recorder, Target } from './recorder.ts';

export interface ClassOptions {
  readonly recorder: Recorder;
  /** The brokers that answer just now. */
  readonly targets: () => readonly Target[];
  readonly clients: number;
  /** Caller ids; fewer than clients, so that they meet. */
  readonly tracks: number;
  readonly random: Random;
  readonly goesOn: () => boolean;
}

/**
 * Clients that share caller ids, repeat themselves, ask several brokers at once, give back what they or others were
 * given, and look at it: as many as are told, each one call after the other.
 */
export async function runClass(options: ClassOptions): Promise<void> {
  const { recorder, targets, random, goesOn } = options;
  /** What each caller was given, so that others can find it. */
  const given = new Map<string, string[]>();
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random() * items.length)];

  const allocate = async (track: string, target: Target, idempotencyKey: string | undefined) => {
    const answer = await recorder.call(target, { kind: 'allocate', track, idempotencyKey });
    if (answer.is !== 'allocated') return;
    const known = given.get(track) ?? [];
    if (!known.includes(answer.sandboxId)) given.set(track, [...known, answer.sandboxId].slice(-4));
  };

  const client = async () => {
    while (goesOn()) {
      const target = pick(targets());
      if (target === undefined) throw new Error('No broker is left');
      const track = `student-${Math.floor(random() * options.tracks)}`;
      const chance = random();
      const own = pick(given.get(track) ?? []);
      const another = pick(given.get(`student-${Math.floor(random() * options.tracks)}`) ?? []);
      const idempotencyKey = random() < 0.2 ? 'retake' : undefined;
      if (chance < 0.15) {
        // A script that was started twice, or whose load balancer repeats.
        const copies = Array.from({ length: 2 + Math.floor(random() * 3) }, () => pick(targets()) ?? target);
        await Promise.all(copies.map((each) => allocate(track, each, idempotencyKey)));
      } else if (chance < 0.55 || own === undefined || another === undefined) {
        await allocate(track, target, idempotencyKey);
      } else if (chance < 0.8) {
        await recorder.call(target, { kind: 'release', track, sandboxId: own });
      } else if (chance < 0.83) {
        await recorder.call(target, { kind: 'release', track, sandboxId: another });
      } else {
        await recorder.call(target, { kind: 'read', track, sandboxId: chance < 0.95 ? own : another });
      }
    }
  };
  await Promise.all(Array.from({ length: options.clients }, client));
}
