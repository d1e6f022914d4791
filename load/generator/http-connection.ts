import { connect, type Socket } from 'node:net';

/** One answer: all that the generator looks at. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

const HEAD_END = '\r\n\r\n';
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;

/**
 * One keep-alive connection with one request on it at a time, as a lab script or a load balancer has it.
 *
 * Made for measuring: it knows just so much HTTP/1.1 as our own server answers with (a status, a
 * Content-Length, a body), because every microsecond that the generator takes on the same two cores is one
 * that the broker and the engine do not have. It costs about a third of what `undici` does.
 */
export class HttpConnection {
  readonly #port: number;
  readonly #host: string;
  #socket: Socket | undefined;
  #connecting: Promise<void> | undefined;
  #received = '';
  #resolve: ((answer: HttpAnswer) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  constructor(origin: string) {
    const { hostname, port } = new URL(origin);
    this.#host = hostname;
    this.#port = Number(port);
  }

  /** Connects; `request` does so by itself, in its own time. */
  open(): Promise<void> {
    this.#connecting ??= new Promise((resolve, reject) => {
      const socket = connect({ port: this.#port, host: this.#host, noDelay: true });
      socket.setEncoding('latin1');
      socket.once('connect', () => {
        this.#socket = socket;
        resolve();
      });
      socket.on('data', (text: unknown) => this.#receive(text as string));
      socket.once('error', (error) => {
        reject(error);
        this.#fail(error);
      });
      socket.once('close', () => {
        this.#socket = undefined;
        this.#connecting = undefined;
        this.#fail(new Error('The connection was closed before the answer'));
      });
    });
    return this.#connecting;
  }

  /** @param message a whole request, head and body */
  async request(message: string): Promise<HttpAnswer> {
    if (this.#socket === undefined) await this.open();
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#socket?.write(message, 'latin1');
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #receive(text: string): void {
    this.#received = this.#received === '' ? text : this.#received + text;
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const head = this.#received.slice(0, headEnd);
    const length = Number(CONTENT_LENGTH.exec(head)?.[1] ?? 0);
    const bodyStart = headEnd + HEAD_END.length;
    if (this.#received.length < bodyStart + length) return;
    const answer = {
      status: Number(head.slice(9, 12)),
      body: this.#received.slice(bodyStart, bodyStart + length),
    };
    this.#received = this.#received.slice(bodyStart + length);
    const resolve = this.#resolve;
    this.#resolve = undefined;
    this.#reject = undefined;
    resolve?.(answer);
  }

  #fail(error: Error): void {
    this.#received = '';
    const reject = this.#reject;
    this.#resolve = undefined;
    this.#reject = undefined;
    reject?.(error);
  }
}
