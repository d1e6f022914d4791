import { asTrack } from '../support/client.ts';
import { type Answer, type Call, readAnswer } from './history.ts';

/** Where a call is sent, and what it is called in the history. */
export interface Target {
  readonly name: string;
  readonly url: string;
}

/** What a caller was told, and what of it is not part of a history. */
export interface Told {
  readonly answer: Answer;
  /** Undefined where nothing came. */
  readonly status?: number;
  /** Seconds that the answer asks to wait. */
  readonly retryAfter?: number;
}

export type Asked = Pick<Call, 'kind' | 'track' | 'idempotencyKey' | 'namePrefix' | 'sandboxId'>;

/** Calls the track routes over HTTP, and remembers each call with its times and what came of it. */
export class Recorder {
  readonly calls: Call[] = [];
  readonly #timeoutMs: number;
  #lastTime = 0;

  /** @param timeoutMs after which a client gives an answer up */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Milliseconds; never the same twice. */
  now(): number {
    this.#lastTime = Math.max(this.#lastTime + 0.000_1, performance.now());
    return this.#lastTime;
  }

  async call(target: Target, asked: Asked): Promise<Answer> {
    return (await this.ask(target, asked)).answer;
  }

  /** The same, for callers that look at more than the answer. */
  async ask(target: Target, asked: Asked): Promise<Told> {
    const requestId = `call-${this.calls.length}`;
    const pending: Call = {
      ...asked,
      requestId,
      via: target.name,
      sentAt: this.now(),
      answeredAt: Number.POSITIVE_INFINITY,
      answer: { is: 'unknown', why: 'not answered' },
    };
    const place = this.calls.push(pending) - 1;
    const told = await this.#send(target, asked, requestId);
    this.calls[place] = { ...pending, answeredAt: this.now(), answer: told.answer };
    return told;
  }

  async #send(
    { url }: Target,
    { kind, track, idempotencyKey, namePrefix, sandboxId }: Asked,
    requestId: string,
  ): Promise<Told> {
    const headers = asTrack(track, {
      'x-request-id': requestId,
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      ...(namePrefix === undefined ? {} : { 'x-sandbox-name-prefix': namePrefix }),
    });
    const paths = {
      allocate: '/v1/allocate',
      release: `/v1/sandboxes/${sandboxId}/mark-for-deletion`,
      read: `/v1/sandboxes/${sandboxId}`,
    };
    let seen: Omit<Told, 'answer'> = {};
    try {
      const response = await fetch(`${url}${paths[kind]}`, {
        method: kind === 'read' ? 'GET' : 'POST',
        headers,
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      const { status } = response;
      const retryAfter = Number.parseInt(response.headers.get('retry-after') ?? '', 10);
      seen = { status, ...(Number.isNaN(retryAfter) ? {} : { retryAfter }) };
      const text = await response.text();
      return { ...seen, answer: readAnswer(kind, status, text === '' ? undefined : JSON.parse(text)) };
    } catch (error) {
      const { name, cause } = error as Error & { cause?: { code?: string } };
      return { ...seen, answer: { is: 'unknown', why: whyOf(seen.status, cause?.code ?? name) } };
    }
  }
}

/** A proxy's own error page is no JSON; its status says more. */
function whyOf(status: number | undefined, name: string): string {
  return status === undefined ? name : `${status} ${name}`;
}
