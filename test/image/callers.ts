import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface CallerReport {
  /** Sandboxes that were answered, one for each caller. */
  readonly sandboxes: readonly string[];
  /** Whatever else happened to a request. */
  readonly failures: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Seconds between two checks of readiness, and how many must fail before no request is sent any more. */
const CHECK_EVERY_MS = 200;
const CHECKS_TO_FAIL = 2;

/**
 * Students who come through a load balancer: connections are kept, one request after the other, until the target
 * says that it is no longer ready. What is in flight then is waited for.
 */
export class Callers {
  readonly #url: string;
  readonly #token: string;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #sandboxes: string[] = [];
  readonly #failures: string[] = [];
  #inFlight = 0;
  #next = 0;
  #ready = true;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get answered(): number {
    return this.#sandboxes.length;
  }

  /** @returns when the target has left and the last answer has come */
  async run(atOnce: number): Promise<CallerReport> {
    await Promise.all([this.#watch(), ...Array.from({ length: atOnce }, () => this.#ask())]);
    this.#agent.destroy();
    return { sandboxes: this.#sandboxes, failures: this.#failures };
  }

  async #watch(): Promise<void> {
    for (let failed = 0; failed < CHECKS_TO_FAIL; ) {
      await sleep(CHECK_EVERY_MS);
      const { status } = await this.#call('GET', '/readyz', {}).catch(() => ({ status: 0 }));
      failed = status === 200 ? 0 : failed + 1;
    }
    this.#ready = false;
  }

  async #ask(): Promise<void> {
    while (this.#ready) {
      const student = `student-${this.#next++}`;
      this.#inFlight += 1;
      try {
        const { status, body } = await this.#call('POST', '/v1/allocate', {
          authorization: `Bearer ${this.#token}`,
          'x-instruqt-sandbox-id': student,
        });
        if (status === 201) this.#sandboxes.push(JSON.parse(body).sandbox_id);
        else this.#failures.push(`${student}: ${status} ${body}`);
      } catch (error) {
        this.#failures.push(`${student}: ${error}`);
      }
      this.#inFlight -= 1;
    }
  }

  #call(method: string, path: string, headers: Record<string, string>): Promise<Answer> {
    return new Promise((resolve, reject) => {
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
