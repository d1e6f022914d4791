import type { FastifyBaseLogger } from 'fastify';
import type { Logger } from 'pino';

type Entry = Parameters<Logger['info']>;

/**
 * The logger of one request, whose lines have its id. Most requests write nothing with it: so the child logger
 * behind it is made when the first line is.
 */
export class RequestLogger {
  readonly #parent: FastifyBaseLogger;
  readonly #bindings: Record<string, unknown>;
  #made: FastifyBaseLogger | undefined;

  constructor(parent: FastifyBaseLogger, bindings: Record<string, unknown>) {
    this.#parent = parent;
    this.#bindings = bindings;
  }

  get level(): string {
    return this.#parent.level;
  }

  child(...options: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger {
    return this.#own.child(...options);
  }

  trace(...entry: Entry): void {
    this.#own.trace(...entry);
  }

  debug(...entry: Entry): void {
    this.#own.debug(...entry);
  }

  info(...entry: Entry): void {
    this.#own.info(...entry);
  }

  warn(...entry: Entry): void {
    this.#own.warn(...entry);
  }

  error(...entry: Entry): void {
    this.#own.error(...entry);
  }

  fatal(...entry: Entry): void {
    this.#own.fatal(...entry);
  }

  silent(): void {}

  get #own(): FastifyBaseLogger {
    this.#made ??= this.#parent.child(this.#bindings);
    return this.#made;
  }
}
