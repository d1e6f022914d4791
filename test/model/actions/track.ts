import { claimKeyOf, claimKeyText, storedIdempotencyKey } from '../../../src/domain/identifiers.ts';
import type { GatedBroker, Reply } from '../../crash/gated-broker.ts';
import { expectThat, LAB_HOURS, type ModelSandbox } from '../pool-model.ts';
import type { World } from '../world.ts';
import type { Request } from './action.ts';

export interface Caller {
  readonly track: string;
  readonly idempotencyKey?: string | undefined;
}

const tellCaller = ({ track, idempotencyKey }: Caller) =>
  idempotencyKey === undefined ? track : `${track} with key ${idempotencyKey}`;

/** A set-up script asks for a sandbox. */
export class Allocate implements Request {
  readonly moves = ['allocate'] as const;
  readonly broker: number;
  readonly caller: Caller;
  readonly namePrefix: string | undefined;
  readonly #lab: string | undefined;
  /** By the broker's clock, and by the true one. */
  #began = 0;
  #sentAt = 0;

  constructor(broker: number, caller: Caller, namePrefix?: string, lab?: string) {
    this.broker = broker;
    this.caller = caller;
    this.namePrefix = namePrefix;
    this.#lab = lab;
  }

  tell(): string {
    const from = this.namePrefix === undefined ? '' : ` from ${this.namePrefix}*`;
    return `${tellCaller(this.caller)} asks broker ${this.broker} for a sandbox${from}`;
  }

  perform(world: World, broker: GatedBroker): Promise<Reply> {
    this.#began = broker.now;
    this.#sentAt = world.now;
    const { caller, namePrefix } = this;
    return world.asTrack(broker, { kind: 'allocate', ...caller, namePrefix }, this.#lab);
  }

  foresee({ model }: World, broker: GatedBroker, { status, body }: Reply): void {
    const { track, idempotencyKey } = this.caller;
    const key = claimKeyOf(track, idempotencyKey);
    const held = model.heldBy(claimKeyText(key));
    if (held !== undefined) {
      expectThat(
        status === 200,
        `it holds ${held.sandboxId} and should hear 200, not ${status} ${textOf(body)}`,
      );
      expectAnswer(body, held);
      return;
    }
    const { all, certain } = model.candidates(this.namePrefix ?? '', this.#sentAt);
    if (status === 409) {
      expectThat(body.error.code === 'NO_SANDBOXES_AVAILABLE', `409 with ${textOf(body)}`);
      expectThat(certain.size === 0, `it was told "empty" while ${[...certain].join(', ')} were available`);
      return;
    }
    expectThat(status === 201, `it should hear 201 or 409, not ${status} ${textOf(body)}`);
    expectThat(all.has(body.sandbox_id), `sandbox ${body.sandbox_id} was not to be had`);
    const { allocated_at: allocatedAt } = body;
    expectThat(
      allocatedAt >= this.#began && allocatedAt <= broker.now,
      `allocated_at is ${allocatedAt}, and the time was ${this.#began} to ${broker.now}`,
    );
    model.change(body.sandbox_id, {
      status: 'allocated',
      track,
      idempotencyKey: storedIdempotencyKey(key),
      allocatedAt,
      labDurationHours: LAB_HOURS,
      lab: this.#lab ?? null,
    });
    expectAnswer(body, model.rows.get(body.sandbox_id) as ModelSandbox);
  }
}

/** A clean-up script gives a sandbox back: its own, or one whose id it has from elsewhere. */
export class Release implements Request {
  readonly moves = ['release'] as const;
  readonly broker: number;
  readonly track: string;
  readonly sandbox: number;
  #sandboxId = '';
  #began = 0;

  constructor(broker: number, track: string, sandbox: number) {
    this.broker = broker;
    this.track = track;
    this.sandbox = sandbox;
  }

  tell(): string {
    return `${this.track} releases sandbox ${this.#sandboxId || `#${this.sandbox}`} at broker ${this.broker}`;
  }

  perform(world: World, broker: GatedBroker): Promise<Reply> {
    this.#sandboxId = world.sandboxNear(this.sandbox, this.track);
    this.#began = broker.now;
    return world.asTrack(broker, { kind: 'release', track: this.track, sandboxId: this.#sandboxId });
  }

  foresee({ model }: World, broker: GatedBroker, { status, body }: Reply): void {
    const row = model.rows.get(this.#sandboxId);
    if (model.trackOf(this.#sandboxId) !== this.track) {
      expectRefusal(row, status, body);
      return;
    }
    expectThat(status === 200, `the owner should hear 200, not ${status} ${textOf(body)}`);
    const { deletion_requested_at: at } = body;
    if (row?.status === 'allocated') {
      expectThat(at >= this.#began && at <= broker.now, `deletion_requested_at is ${at} at ${broker.now}`);
      model.end(row.sandboxId, at);
    } else {
      const first = row === undefined ? model.endings.get(this.#sandboxId)?.at : row.deletionRequestedAt;
      expectThat(
        first === undefined || at === first,
        `a repeated release says ${at}, the first said ${first}`,
      );
    }
  }
}

/** A script looks at a sandbox. */
export class Read implements Request {
  readonly moves = [] as const;
  readonly broker: number;
  readonly #track: string;
  readonly #sandbox: number;
  #sandboxId = '';

  constructor(broker: number, track: string, sandbox: number) {
    this.broker = broker;
    this.#track = track;
    this.#sandbox = sandbox;
  }

  tell(): string {
    return `${this.#track} looks at sandbox ${this.#sandboxId || `#${this.#sandbox}`} at broker ${this.broker}`;
  }

  perform(world: World, broker: GatedBroker): Promise<Reply> {
    this.#sandboxId = world.sandboxNear(this.#sandbox, this.#track);
    return world.asTrack(broker, { kind: 'read', track: this.#track, sandboxId: this.#sandboxId });
  }

  foresee({ model }: World, _broker: GatedBroker, { status, body }: Reply): void {
    const row = model.rows.get(this.#sandboxId);
    if (row?.track !== this.#track) {
      expectRefusal(row, status, body);
      return;
    }
    expectThat(status === 200, `the owner should hear 200, not ${status} ${textOf(body)}`);
    expectThat(body.status === row.status, `it reads ${body.status} of a row that is ${row.status}`);
    expectAnswer(body, row);
  }
}

function expectAnswer(body: Reply['body'], row: ModelSandbox): void {
  const expected = {
    sandbox_id: row.sandboxId,
    name: row.name,
    external_id: row.externalId,
    allocated_at: row.allocatedAt,
    expires_at: row.allocatedAt + (row.labDurationHours ?? LAB_HOURS) * 3600,
  };
  for (const [field, value] of Object.entries(expected)) {
    expectThat(body[field] === value, `${field} is answered as ${body[field]} instead of ${value}`);
  }
}

/** Whoever does not own a sandbox learns nothing but whether there is one. */
function expectRefusal(row: ModelSandbox | undefined, status: number, body: Reply['body']): void {
  const expected = row === undefined ? '404 SANDBOX_NOT_FOUND' : '403 NOT_SANDBOX_OWNER';
  const heard = `${status} ${body?.error?.code}`;
  expectThat(heard === expected, `whoever does not own it should hear ${expected}, not ${heard}`);
}

function textOf(body: unknown): string {
  return JSON.stringify(body);
}
