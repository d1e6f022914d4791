import type { HttpAnswer } from './http-connection.ts';
import type { LoadResult } from './protocol.ts';

const SANDBOX_ID = '"sandbox_id":"';

/** Notes answers in arrays of numbers that grow by doubling: a soak has half a million of them. */
export class Recorder {
  #size = 0;
  #statuses = new Uint16Array(4_096);
  #latencies = new Float64Array(4_096);
  #answeredAt = new Float64Array(4_096);
  readonly #owners = new Set<string>();
  readonly #servedTwice: string[] = [];
  readonly #served: string[] = [];
  readonly #faults: Record<string, number> = {};
  readonly #cpu = process.cpuUsage();
  readonly #began = performance.now();
  #last = 0;

  /** Since the recording began. */
  now(): number {
    return performance.now() - this.#began;
  }

  answer(caller: string, answer: HttpAnswer, sentAt: number): void {
    this.#add(answer.status, sentAt);
    if (answer.status !== 201) return;
    this.#served.push(caller);
    const start = answer.body.indexOf(SANDBOX_ID) + SANDBOX_ID.length;
    const sandboxId = answer.body.slice(start, answer.body.indexOf('"', start));
    if (this.#owners.has(sandboxId)) this.#servedTwice.push(sandboxId);
    this.#owners.add(sandboxId);
  }

  fault(error: unknown, sentAt: number): void {
    this.#add(0, sentAt);
    const { code, message } = error as { code?: string; message?: string };
    const name = code ?? message ?? String(error);
    this.#faults[name] = (this.#faults[name] ?? 0) + 1;
  }

  result(): LoadResult {
    const cpu = process.cpuUsage(this.#cpu);
    return {
      elapsedMs: this.#last,
      statuses: this.#statuses.slice(0, this.#size),
      latenciesMs: this.#latencies.slice(0, this.#size),
      answeredAtMs: this.#answeredAt.slice(0, this.#size),
      servedTwice: this.#servedTwice,
      served: this.#served,
      faults: this.#faults,
      processorMs: (cpu.user + cpu.system) / 1000,
    };
  }

  #add(status: number, sentAt: number): void {
    if (this.#size === this.#statuses.length) this.#grow();
    const now = this.now();
    this.#statuses[this.#size] = status;
    this.#latencies[this.#size] = now - sentAt;
    this.#answeredAt[this.#size] = now;
    this.#size += 1;
    this.#last = now;
  }

  #grow(): void {
    const grown = <Values extends Uint16Array | Float64Array>(old: Values, larger: Values): Values => {
      larger.set(old);
      return larger;
    };
    const size = this.#size * 2;
    this.#statuses = grown(this.#statuses, new Uint16Array(size));
    this.#latencies = grown(this.#latencies, new Float64Array(size));
    this.#answeredAt = grown(this.#answeredAt, new Float64Array(size));
  }
}
