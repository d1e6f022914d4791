import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * A process of its own that does one thing at a time for us and stays warm meanwhile, so that its processor
 * time can be told apart from everybody else's.
 */
export class WorkerProcess<Order, Result> {
  readonly #child: ChildProcess;

  /** @param entry a module that answers each message with `{ result }` or `{ error }` */
  constructor(entry: URL, environment: Readonly<Record<string, string | undefined>> = process.env) {
    this.#child = fork(fileURLToPath(entry), { serialization: 'advanced', env: { ...environment } });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  run(order: Order): Promise<Result> {
    return new Promise((resolve, reject) => {
      const child = this.#child;
      const onExit = (code: number | null) => reject(new Error(`A worker process ended with ${code}`));
      child.once('exit', onExit);
      child.once('message', (message: { result?: Result; error?: string }) => {
        child.off('exit', onExit);
        if (message.error === undefined) resolve(message.result as Result);
        else reject(new Error(message.error));
      });
      child.send(order as object);
    });
  }

  stop(): void {
    this.#child.disconnect();
  }
}
