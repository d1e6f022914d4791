import type { DatabaseModel, Outcome } from './database-model.ts';
import type { EventQueue } from './event-queue.ts';
import { ownerOf, type PoolModel } from './pool-model.ts';
import type { SimulationSettings } from './settings.ts';

/** A student's request on its way through a task. */
export interface Student {
  readonly arrivedAt: number;
  /** The sandbox that is tried for it. */
  row: number;
  lost: number;
}

export interface TaskCounts {
  calls: number;
  rowsRead: number;
  conflicts: number;
  throttled: number;
}

/** The same figures as in src/allocation/candidate-pool.ts. */
const SURPLUS = 3;
const MAX_PAGE = 1_000;
/** A reading that found so many times fewer of our own than there should be has come where they are used up. */
const SCARCE = 3;
const BACKOFF_BASE_MS = 100;
const BACKOFF_MAX_MS = 5_000;

/** One broker: its processor, its candidate buffer, its group commit. */
export class TaskModel {
  readonly counts: TaskCounts = { calls: 0, rowsRead: 0, conflicts: 0, throttled: 0 };
  readonly #settings: SimulationSettings;
  readonly #place: number;
  readonly #events: EventQueue;
  readonly #pool: PoolModel;
  readonly #database: DatabaseModel;
  readonly #random: () => number;
  readonly #done: (student: Student, served: boolean) => void;
  #processorFreeAt = 0;
  /** Students without a candidate, and those that wait for a transaction with theirs. */
  #waiting: Student[] = [];
  #queue: Student[] = [];
  #own: number[] = [];
  #others: number[] = [];
  readonly #known = new Set<number>();
  #refilling = false;
  #inFlight = 0;
  #batch: number;
  /** The shards that this task walks, where it stands in each, and which is next. */
  readonly #shards: readonly number[];
  readonly #positions: number[];
  #turn: number;

  constructor(
    settings: SimulationSettings,
    place: number,
    events: EventQueue,
    pool: PoolModel,
    database: DatabaseModel,
    random: () => number,
    done: (student: Student, served: boolean) => void,
  ) {
    this.#settings = settings;
    this.#place = place;
    this.#events = events;
    this.#pool = pool;
    this.#database = database;
    this.#random = random;
    this.#done = done;
    this.#batch = settings.task.group;
    this.#shards = Array.from({ length: pool.shards }, (_, shard) => shard).filter(
      (shard) => settings.preference !== 'own-shards' || shard % settings.tasks === place,
    );
    const isAnywhere = settings.preference === 'random-start';
    this.#positions = this.#shards.map((shard) =>
      isAnywhere ? Math.floor(random() * pool.length(shard)) : 0,
    );
    this.#turn = Math.floor(random() * this.#shards.length);
  }

  arrive(student: Student): void {
    this.#work(this.#settings.task.requestMs, () => this.#give(student));
  }

  /** The processor does one thing after the other. */
  #work(takes: number, then: () => void): void {
    this.#processorFreeAt = Math.max(this.#processorFreeAt, this.#events.now) + takes;
    this.#events.at(this.#processorFreeAt, then);
  }

  #give(student: Student): void {
    const row = this.#waiting.length === 0 ? this.#own.pop() : undefined;
    if (row === undefined) {
      this.#waiting.push(student);
      this.#refill();
      return;
    }
    student.row = row;
    this.#queue.push(student);
    if (this.#own.length < this.#settings.task.candidates) this.#refill();
    this.#fill();
  }

  #serveWaiting(stock: number[]): void {
    while (this.#waiting.length > 0) {
      const row = stock.pop();
      if (row === undefined) return;
      const student = this.#waiting.shift() as Student;
      student.row = row;
      this.#queue.push(student);
    }
  }

  #wish(): number {
    return SURPLUS * Math.max(this.#settings.task.candidates, this.#waiting.length);
  }

  #sharers(): number {
    return this.#settings.preference === 'own-share' ? this.#settings.tasks : 1;
  }

  #refill(): void {
    if (this.#refilling) return;
    this.#refilling = true;
    this.#others = [];
    this.#read(0, 0, 0);
  }

  /** @param read rows so far, @param found of our own among them, @param ends how often a shard came to its end */
  #read(read: number, found: number, ends: number): void {
    const turn = this.#turn;
    const limit = Math.min(MAX_PAGE, this.#sharers() * this.#wish());
    this.counts.calls += 1;
    this.#work(this.#settings.task.callMs, () =>
      this.#database.read(this.#shards[turn] as number, this.#positions[turn] as number, limit, (page) => {
        const { rows, next } = page;
        this.counts.rowsRead += rows.length;
        this.#work(this.#settings.task.rowMs * rows.length, () => {
          const own = rows.filter((row) => this.#add(row)).length;
          const isEnd = next >= this.#pool.length(this.#shards[turn] as number);
          this.#positions[turn] = isEnd ? 0 : next;
          if (isEnd || this.#settings.walk === 'page-by-page') this.#turn = (turn + 1) % this.#shards.length;
          this.#serveWaiting(this.#own);
          this.#fill();
          const sum = { read: read + rows.length, found: found + own, ends: ends + (isEnd ? 1 : 0) };
          // Twice for each: the round may have begun in the middle of any.
          const isRound = sum.ends >= 2 * this.#shards.length;
          const isEnough = this.#own.length >= this.#settings.task.candidates;
          const isScarce = sum.found * SCARCE * this.#sharers() < sum.read;
          if (isRound || isEnough || isScarce) this.#endRefill(isRound);
          else this.#read(sum.read, sum.found, sum.ends);
        });
      }),
    );
  }

  /** Whoever still waits gets what others would try first: as many as it takes, and no more are kept. */
  #endRefill(isRound: boolean): void {
    this.#refilling = false;
    const isEmpty = isRound && this.#others.length === 0 && this.#inFlight === 0;
    this.#serveWaiting(this.#others);
    this.#fill();
    if (this.#waiting.length === 0) return;
    if (isEmpty) for (const student of this.#waiting.splice(0)) this.#done(student, false);
    else this.#events.after(1, () => this.#refill());
  }

  /** @returns whether it is one of our own, and new */
  #add(row: number): boolean {
    if (this.#known.has(row)) return false;
    const isOwn = this.#isOwn(row);
    // Others' are forgotten with the next reading; ours are tried once.
    if (isOwn) this.#known.add(row);
    const stock = isOwn ? this.#own : this.#others;
    const place = Math.floor(this.#random() * (stock.length + 1));
    stock.push(row);
    [stock[place], stock[stock.length - 1]] = [row, stock[place] as number];
    return isOwn;
  }

  #isOwn(row: number): boolean {
    const { preference, tasks } = this.#settings;
    if (preference === 'own-share') return ownerOf(row, tasks) === this.#place;
    return preference !== 'own-shards' || this.#pool.shardOf(row) % tasks === this.#place;
  }

  #fill(): void {
    while (this.#inFlight < this.#settings.task.lanes && this.#queue.length > 0) {
      this.#inFlight += 1;
      this.#commit(this.#queue.splice(0, this.#batch), 0);
    }
  }

  #commit(group: Student[], attempt: number): void {
    const { callMs, unitMs } = this.#settings.task;
    this.counts.calls += 1;
    this.#work(callMs + unitMs * group.length, () =>
      this.#database.transact(
        group.map(({ row }) => row),
        (outcome) => this.#settle(group, attempt, outcome),
      ),
    );
  }

  #settle(group: Student[], attempt: number, outcome: Outcome): void {
    if (outcome.ended === 'throttled') {
      this.counts.throttled += 1;
      this.#batch = Math.max(1, this.#batch >> 1);
      const wait = this.#random() * Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** attempt);
      this.#events.after(wait, () => this.#commit(group, attempt + 1));
      return;
    }
    if (outcome.ended === 'committed') {
      this.#batch = Math.min(this.#settings.task.group, this.#batch + 1);
      for (const student of group) this.#done(student, true);
      this.#free();
      return;
    }
    const innocent: Student[] = [];
    group.forEach((student, index) => {
      if (outcome.verdicts[index] === 'none') {
        innocent.push(student);
        return;
      }
      this.counts.conflicts += 1;
      student.lost += 1;
      this.#give(student);
    });
    if (innocent.length > 0) this.#commit(innocent, 0);
    else this.#free();
  }

  #free(): void {
    this.#inFlight -= 1;
    this.#fill();
  }
}
