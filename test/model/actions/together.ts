import { expectThat } from '../pool-model.ts';
import type { Snapshot } from '../snapshot.ts';
import type { World } from '../world.ts';
import { type Request, Step } from './action.ts';
import { Allocate } from './track.ts';

/** Several requests at once, at one broker or more: any order of their effects is right, and none is known. */
export class Together extends Step {
  readonly #requests: readonly Request[];

  constructor(requests: readonly Request[]) {
    super();
    this.#requests = requests;
  }

  toString(): string {
    return `at once: ${this.#requests.map((request) => request.tell()).join('; ')}`;
  }

  async take(world: World): Promise<void> {
    const began = world.now;
    const before = await world.snapshot();
    const asked = this.#requests.flatMap((request) => {
      const broker = world.broker(request.broker);
      return broker === undefined ? [] : [{ request, reply: request.perform(world, broker) }];
    });
    const replies = await world.whileTimePasses(Promise.all(asked.map(({ reply }) => reply)));
    for (const [index, { request }] of asked.entries()) {
      if (!(request instanceof Allocate) || replies[index]?.status !== 409) continue;
      const { certain } = world.model.candidates(request.namePrefix ?? '', began);
      world.expectTableAfter((after) => expectNoneLeft(request, certain, before, after));
    }
    await world.check(
      asked.flatMap(({ request }) => request.moves),
      'whatever is legal',
    );
  }
}

/** Whoever was told that the pool is empty cannot have overlooked one that was available before and still is. */
function expectNoneLeft(
  request: Allocate,
  certain: ReadonlySet<string>,
  before: Snapshot,
  after: Snapshot,
): void {
  for (const sandboxId of certain) {
    const isLeft = [before, after].every(({ rows }) => rows.get(sandboxId)?.status === 'available');
    expectThat(!isLeft, `"${request.tell()}" was told "empty" while sandbox ${sandboxId} was available`);
  }
}
