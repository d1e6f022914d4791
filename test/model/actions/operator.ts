import type { GatedBroker, Reply } from '../../crash/gated-broker.ts';
import type { Move } from '../legal-moves.ts';
import { expectThat } from '../pool-model.ts';
import type { World } from '../world.ts';
import type { Request } from './action.ts';

/** What an operator may do to one row, and from which states. */
const OPERATOR_MOVES = {
  'retry-deletion': { moves: ['retry_deletion'], from: ['deletion_failed'] },
  quarantine: { moves: ['quarantine'], from: ['available', 'stale'] },
  restore: { moves: ['restore'], from: ['quarantined'] },
  release: { moves: ['release'], from: ['allocated'] },
} as const satisfies Record<string, { moves: readonly Move[]; from: readonly string[] }>;

export type OperatorMoveName = keyof typeof OPERATOR_MOVES;
export const OPERATOR_MOVE_NAMES = Object.keys(OPERATOR_MOVES) as OperatorMoveName[];

export class OperatorMove implements Request {
  readonly broker: number;
  readonly #name: OperatorMoveName;
  readonly #sandbox: number;
  #sandboxId = '';
  #began = 0;

  constructor(broker: number, name: OperatorMoveName, sandbox: number) {
    this.broker = broker;
    this.#name = name;
    this.#sandbox = sandbox;
  }

  get moves(): readonly Move[] {
    return OPERATOR_MOVES[this.#name].moves;
  }

  tell(): string {
    return `an operator asks broker ${this.broker} for ${this.#name} of sandbox ${this.#sandboxId || `#${this.#sandbox}`}`;
  }

  perform(world: World, broker: GatedBroker): Promise<Reply> {
    this.#sandboxId = world.sandboxIn(OPERATOR_MOVES[this.#name].from, this.#sandbox);
    this.#began = broker.now;
    return world.asAdmin(broker, 'POST', `/sandboxes/${this.#sandboxId}/${this.#name}`, { reason: 'a test' });
  }

  foresee({ model, now }: World, _broker: GatedBroker, { status, body }: Reply): void {
    const row = model.rows.get(this.#sandboxId);
    const from: readonly string[] = OPERATOR_MOVES[this.#name].from;
    const code = body?.error?.code;
    if (row === undefined) {
      expectThat(code === 'SANDBOX_NOT_FOUND', `a sandbox that there is not was answered ${status} ${code}`);
      return;
    }
    if (!from.includes(row.status)) {
      expectThat(
        code === 'ILLEGAL_MOVE',
        `${this.#name} of a ${row.status} row was answered ${status} ${code}`,
      );
      return;
    }
    expectThat(status === 200, `${this.#name} of a ${row.status} row was answered ${status} ${code}`);
    const { sandboxId } = row;
    if (this.#name === 'release') model.end(sandboxId, this.#began);
    else if (this.#name === 'quarantine') model.change(sandboxId, { status: 'quarantined', staleSince: 0 });
    else if (this.#name === 'restore') model.becomeAvailable(sandboxId, now);
    else model.change(sandboxId, { status: 'pending_deletion', attempts: 0, nextAttemptAt: 0 });
  }
}

/** An operator removes all rows of one state at once. */
export class BulkDelete implements Request {
  readonly moves = ['remove'] as const;
  readonly broker: number;
  readonly #status: 'stale' | 'deletion_failed';

  constructor(broker: number, status: 'stale' | 'deletion_failed') {
    this.broker = broker;
    this.#status = status;
  }

  tell(): string {
    return `an operator asks broker ${this.broker} to remove everything that is ${this.#status}`;
  }

  perform(world: World, broker: GatedBroker): Promise<Reply> {
    return world.asAdmin(broker, 'POST', `/bulk-delete?status=${this.#status}`);
  }

  foresee({ model }: World, _broker: GatedBroker, { status, body }: Reply): void {
    const rows = model.of(this.#status);
    expectThat(
      status === 200 && body.deleted === rows.length,
      `${rows.length} rows should go: ${status} ${JSON.stringify(body)}`,
    );
    for (const { sandboxId } of rows) model.letGoOf(sandboxId);
  }
}
