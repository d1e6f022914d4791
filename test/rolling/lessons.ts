import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LessonsReport {
  readonly requests: number;
  /** Whatever was not answered as it should be: nothing is retried here. */
  readonly failures: readonly string[];
  /** Milliseconds, in order. */
  readonly latencies: readonly number[];
  /** Sandboxes by the student who got them. */
  readonly sandboxes: ReadonlyMap<string, string>;
}

/** A student thinks between two requests. Milliseconds, at most. */
const THINKING_MS = 100;

/** Students who take a sandbox, look at it, ask again and give it back, one after the other in each seat. */
export class Lessons {
  readonly #url: string;
  readonly #token: string;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #failures: string[] = [];
  readonly #latencies: number[] = [];
  readonly #sandboxes = new Map<string, string>();
  #going = true;
  #number = 0;
  readonly #seats: Promise<void>[];

  constructor(url: string, token: string, seats: number) {
    this.#url = url;
    this.#token = token;
    this.#seats = Array.from({ length: seats }, async () => {
      while (this.#going) await this.#visit(`student-${this.#number++}`);
    });
  }

  get requests(): number {
    return this.#latencies.length;
  }

  async finish(): Promise<LessonsReport> {
    this.#going = false;
    await Promise.all(this.#seats);
    this.#agent.destroy();
    return {
      requests: this.#latencies.length,
      failures: this.#failures,
      latencies: this.#latencies.toSorted((one, other) => one - other),
      sandboxes: this.#sandboxes,
    };
  }

  async #visit(student: string): Promise<void> {
    const first = await this.#request(student, 'POST', '/v1/allocate', 201);
    const sandboxId = first?.sandbox_id;
    if (sandboxId === undefined) return;
    this.#sandboxes.set(student, sandboxId);
    await this.#request(student, 'GET', `/v1/sandboxes/${sandboxId}`, 200);
    const again = await this.#request(student, 'POST', '/v1/allocate', 200);
    if (again !== undefined && again.sandbox_id !== sandboxId)
      this.#failures.push(`${student} holds ${sandboxId} and was given ${again.sandbox_id}`);
    await this.#request(student, 'POST', `/v1/sandboxes/${sandboxId}/mark-for-deletion`, 200);
  }

  async #request(
    student: string,
    method: string,
    path: string,
    expected: number,
  ): Promise<{ sandbox_id: string } | undefined> {
    await sleep(Math.random() * THINKING_MS);
    const begun = performance.now();
    try {
      const { status, body } = await this.#send(student, method, path);
      this.#latencies.push(performance.now() - begun);
      if (status === expected) return JSON.parse(body);
      this.#failures.push(`${student} ${method} ${path}: ${status} ${body.slice(0, 200)}`);
    } catch (error) {
      this.#failures.push(`${student} ${method} ${path}: ${error}`);
    }
    return undefined;
  }

  #send(student: string, method: string, path: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${this.#token}`, 'x-instruqt-sandbox-id': student };
      const sent = request(`${this.#url}${path}`, { method, headers, agent: this.#agent }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.once('error', reject);
      });
      sent.once('error', reject);
      sent.end();
    });
  }
}
