import type { FaultInput } from '../../../src/local/csp-simulator/faults.ts';
import type { GatedBroker, Reply } from '../../crash/gated-broker.ts';
import type { Move } from '../legal-moves.ts';
import { expectThat, MAX_ATTEMPTS } from '../pool-model.ts';
import type { World } from '../world.ts';
import type { Request } from './action.ts';

/** A breaker that opened stays open so long, and a little. Milliseconds. */
const UNWELL_MS = 61_000;

/** A run of a background job, by an operator's hand: the same code as by schedule, at a known moment. */
abstract class Run implements Request {
  readonly broker: number;
  abstract readonly job: string;
  abstract readonly moves: readonly Move[];
  protected abstract readonly path: string;
  /** What goes wrong at the provider meanwhile. */
  protected readonly faults: readonly FaultInput[];
  protected began = 0;

  constructor(broker: number, faults: readonly FaultInput[] = []) {
    this.broker = broker;
    this.faults = faults;
  }

  abstract tell(): string;
  protected abstract foreseeResult(world: World, broker: GatedBroker, body: Reply['body']): void;

  async perform(world: World, broker: GatedBroker): Promise<Reply> {
    this.began = broker.now;
    for (const fault of this.faults) world.simulator.faults.add(fault);
    try {
      return await world.asAdmin(broker, 'POST', this.path);
    } finally {
      if (this.faults.length > 0) {
        world.simulator.faults.clear();
        world.unwellUntil = world.time.now() + UNWELL_MS;
      }
    }
  }

  foresee(world: World, broker: GatedBroker, { status, body }: Reply): void {
    const code = body?.error?.code;
    if (world.paused.has(this.job) || code === 'JOB_PAUSED') {
      expectThat(
        code === 'JOB_PAUSED' && world.paused.has(this.job),
        `${status} ${JSON.stringify(body)} of a ${world.paused.has(this.job) ? '' : 'not '}paused job`,
      );
      return;
    }
    if (status === 202 || code === 'JOB_BUSY') {
      expectThat(world.heldJobs.has(this.job), `the job ${this.job} is said to run elsewhere`);
      return;
    }
    if (status !== 200) {
      const mayFail = this.faults.length > 0 || world.time.now() < world.unwellUntil;
      expectThat(
        code === 'JOB_FAILED' && mayFail,
        `the job should succeed: ${status} ${JSON.stringify(body)}`,
      );
      return;
    }
    expectThat(
      !world.heldJobs.has(this.job) || world.leases.mayBeTaken(this.job, world.time.now()),
      `I8: the job ${this.job} ran, while somebody had its lease who was not silent for its time`,
    );
    world.heldJobs.clear(this.job);
    this.foreseeResult(world, broker, body.run?.result ?? body);
  }

  protected tellFaults(): string {
    return this.faults.length === 0
      ? ''
      : ` while the provider has ${this.faults.map((fault) => JSON.stringify(fault)).join(' and ')}`;
  }
}

export class Sync extends Run {
  readonly job = 'sync';
  readonly moves = ['add', 'mark_stale', 'listed_again'] as const;
  protected readonly path: string;
  readonly #force: boolean;

  constructor(broker: number, faults: readonly FaultInput[] = [], force = false) {
    super(broker, faults);
    this.#force = force;
    this.path = `/sync?force=${force}`;
  }

  tell(): string {
    return `broker ${this.broker} syncs${this.#force ? ' by force' : ''}${this.tellFaults()}`;
  }

  protected foreseeResult({ model, simulator, now }: World, _broker: GatedBroker, body: Reply['body']): void {
    const all = simulator.accounts.all();
    const fault = this.faults.find(({ kind }) => kind === 'empty_list' || kind === 'short_list');
    const shown = fault === undefined ? all : all.slice(0, fault.kind === 'short_list' ? fault.keep : 0);
    // Deleted accounts may linger in it, at its end.
    expectThat(body.synced >= shown.length, `${shown.length} accounts were listed, and ${body.synced} seen`);

    const before = model.of('available');
    const listed = new Set(shown.map((account) => String(account.csp_id)));
    let [added, updated, restored] = [0, 0, 0];
    for (const account of shown) {
      const sandbox = { sandboxId: String(account.csp_id), name: account.name, externalId: account.id };
      const row = model.rows.get(sandbox.sandboxId);
      if (row === undefined) {
        if (model.tombstones.has(sandbox.sandboxId)) continue;
        model.add(sandbox, now);
        added += 1;
      } else if (row.status === 'stale') {
        model.becomeAvailable(row.sandboxId, now, sandbox);
        restored += 1;
      } else if (
        row.status === 'available' &&
        (row.name !== sandbox.name || row.externalId !== sandbox.externalId)
      ) {
        model.change(row.sandboxId, { ...sandbox, availableSince: now });
        updated += 1;
      }
    }
    const missing = before.filter(({ sandboxId }) => !listed.has(sandboxId));
    const believed = this.#force || model.believes(body.synced, missing.length, before.length);
    const staled = believed ? missing : [];
    for (const { sandboxId } of staled) model.change(sandboxId, { status: 'stale', staleSince: this.began });
    const counts = { added, updated, restored, marked_stale: staled.length, would_stale: missing.length };
    for (const [name, count] of Object.entries(counts)) {
      expectThat(body[name] === count, `sync should say ${name}: ${count}, not ${body[name]}`);
    }
    // An empty one is not believed even where it would stale nothing.
    const staying = ['available', 'allocated', 'stale', 'quarantined'].flatMap((status) => model.of(status));
    const saysNothing = body.synced === 0 && staying.length > 0;
    expectThat(
      (body.brake === null) === (believed || (missing.length === 0 && !saysNothing)),
      `the brake says "${body.brake}"`,
    );
  }
}

export class Cleanup extends Run {
  readonly job = 'cleanup';
  readonly moves = ['delete', 'give_up_deletion'] as const;
  protected readonly path = '/cleanup';

  tell(): string {
    return `broker ${this.broker} cleans up${this.tellFaults()}`;
  }

  protected foreseeResult(world: World, _broker: GatedBroker, body: Reply['body']): void {
    const { model } = world;
    const due = model.of('pending_deletion').filter(({ nextAttemptAt }) => nextAttemptAt <= this.began);
    // An account of which the provider says that it is gone, and which it still lists, is believed to be gone only now
    // and then: so one that was tried before may have to wait for a listing without it.
    const triedBefore = due.filter(({ nextAttemptAt }) => nextAttemptAt > 0).length;
    const someWait = body.deleted < due.length && body.deleted >= due.length - triedBefore;
    // Of what is gone already it asks the listing, which may have lost its last account to this very run.
    const isUnbelieved = body.stopped_by === 'provider_unwell' && !model.knowsPool(world.listed);
    if (this.faults.length > 0 || world.time.now() < world.unwellUntil || someWait || isUnbelieved) {
      world.expectTableAfter((seen) => {
        for (const { sandboxId, attempts } of due) {
          const row = seen.rows.get(sandboxId);
          if (row === undefined) continue;
          const spent = row.attempts - attempts;
          expectThat(spent === 0 || spent === 1, `sandbox ${sandboxId} lost ${spent} attempts at once`);
          expectThat(row.attempts <= MAX_ATTEMPTS, `sandbox ${sandboxId} has lost ${row.attempts} attempts`);
          if (row.status !== 'deletion_failed') continue;
          expectThat(!this.#isOutage(), `I9: sandbox ${sandboxId} was given up in an outage`);
          expectThat(
            row.attempts === MAX_ATTEMPTS,
            `sandbox ${sandboxId} was given up after ${row.attempts} attempts`,
          );
        }
      });
      return;
    }
    expectThat(body.stopped_by === null, `cleanup was stopped by ${body.stopped_by}`);
    expectThat(body.deleted === due.length, `${due.length} were due, and ${body.deleted} deleted`);
    for (const { sandboxId, externalId } of due) {
      model.remove(sandboxId);
      expectThat(
        world.simulator.accounts.find(externalId) === undefined,
        `I4: sandbox ${sandboxId} has a tombstone, and its account is still there`,
      );
    }
  }

  /** Nothing at all can be had of the provider. */
  #isOutage(): boolean {
    return this.faults.some(({ call, account, probability }) => !call && !account && !probability);
  }
}

export class Expiry extends Run {
  readonly job = 'expiry';
  readonly moves = ['expire'] as const;
  protected readonly path = '/jobs/expiry/run';

  tell(): string {
    return `broker ${this.broker} looks for expired allocations`;
  }

  protected foreseeResult({ model }: World, _broker: GatedBroker, body: Reply['body']): void {
    const expired = model.expired(this.began);
    expectThat(
      body.expired === expired.length,
      `${expired.length} allocations are over, and ${body.expired} were ended`,
    );
    for (const { sandboxId } of expired) model.end(sandboxId, this.began);
  }
}

export class RemoveStale extends Run {
  readonly job = 'stale';
  readonly moves = ['remove'] as const;
  protected readonly path: string;
  readonly #hours: number;

  constructor(broker: number, hours: number) {
    super(broker);
    this.#hours = hours;
    this.path = `/auto-delete-stale?grace_period_hours=${hours}`;
  }

  tell(): string {
    return `broker ${this.broker} removes what has been stale for ${this.#hours} hours`;
  }

  protected foreseeResult({ model }: World, _broker: GatedBroker, body: Reply['body']): void {
    const old = model.of('stale').filter(({ staleSince }) => staleSince <= this.began - this.#hours * 3600);
    expectThat(body.deleted === old.length, `${old.length} rows should be removed, and ${body.deleted} were`);
    for (const { sandboxId } of old) model.letGoOf(sandboxId);
  }
}

export class Statistics extends Run {
  readonly job = 'statistics';
  readonly moves = [] as const;
  protected readonly path = '/jobs/statistics/run';

  tell(): string {
    return `broker ${this.broker} counts the pool`;
  }

  protected foreseeResult({ model }: World, _broker: GatedBroker, body: Reply['body']): void {
    for (const status of [
      'available',
      'allocated',
      'pending_deletion',
      'stale',
      'deletion_failed',
      'quarantined',
    ]) {
      const count = model.of(status).length;
      expectThat(
        body[status] === count,
        `${count} sandboxes are ${status}, and ${body[status]} were counted`,
      );
    }
  }
}

/** An operator holds a job back on every broker, or ends that. */
export class HoldJob implements Request {
  readonly moves = [] as const;
  readonly broker: number;
  readonly #job: string;
  readonly #hold: boolean;

  constructor(broker: number, job: string, hold: boolean) {
    this.broker = broker;
    this.#job = job;
    this.#hold = hold;
  }

  tell(): string {
    return `an operator ${this.#hold ? 'pauses' : 'resumes'} ${this.#job}`;
  }

  perform(world: World, broker: GatedBroker): Promise<Reply> {
    return world.asAdmin(broker, 'POST', `/jobs/${this.#job}/${this.#hold ? 'pause' : 'resume'}`);
  }

  foresee(world: World, _broker: GatedBroker, { status }: Reply): void {
    expectThat(status === 200, `pausing or resuming was answered ${status}`);
    if (this.#hold) world.paused.add(this.#job);
    else world.paused.delete(this.#job);
  }
}
