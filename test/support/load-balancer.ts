import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Between two checks of a target; two that fail take it out, two that succeed put it in. */
const CHECK_EVERY_MS = 500;

/** There is no haproxy on this machine. The message says how to get one. */
export class ProxyMissingError extends Error {
  override readonly name = 'ProxyMissingError';
}

/** @throws ProxyMissingError */
export function requireProxy(): void {
  try {
    execFileSync('haproxy', ['-v'], { stdio: 'ignore' });
  } catch (error) {
    throw new ProxyMissingError('haproxy is missing: apt-get install -y haproxy', { cause: error });
  }
}

/** haproxy, with the habits of an AWS application load balancer. */
export class LoadBalancer {
  readonly url: string;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(url: string, folder: string, child: ChildProcess) {
    this.url = url;
    this.#folder = folder;
    this.#child = child;
  }

  /** @param targets ports that may listen now, later or no longer; none is sent anything before it is registered */
  static async start(port: number, targets: readonly number[]): Promise<LoadBalancer> {
    requireProxy();
    const folder = mkdtempSync(join(tmpdir(), 'sandbox-broker-proxy-'));
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, configuration(port, targets, join(folder, 'control')));
    const child = spawn('haproxy', ['-db', '-q', '-f', file], { stdio: 'inherit' });
    const balancer = new LoadBalancer(`http://127.0.0.1:${port}`, folder, child);
    while (!(await balancer.#command('show info').catch(() => ''))) {
      if (child.exitCode !== null) throw new Error('haproxy ended at once');
      await sleep(50);
    }
    return balancer;
  }

  /** Resolves when a target has shown that it is ready, and is sent requests. */
  async register(port: number): Promise<void> {
    for (let healthy = 0; healthy < 2; ) {
      await sleep(CHECK_EVERY_MS);
      const status = await fetch(`http://127.0.0.1:${port}/readyz`).then(
        (response) => response.status,
        () => 0,
      );
      healthy = status === 200 ? healthy + 1 : 0;
    }
    await this.#set('enable', port);
  }

  /** It is sent nothing new. */
  deregister(port: number): Promise<void> {
    return this.#set('disable', port);
  }

  /** For when this process ends without having time for more. */
  kill(): void {
    this.#child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await once(this.#child, 'close');
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #set(state: 'enable' | 'disable', port: number): Promise<void> {
    for (const backend of ['brokers', 'anyone']) {
      const complaint = (await this.#command(`${state} server ${backend}/broker-${port}`)).trim();
      if (complaint !== '') throw new Error(`haproxy: ${complaint}`);
    }
  }

  async #command(line: string): Promise<string> {
    const socket = connect(join(this.#folder, 'control'));
    await once(socket, 'connect');
    socket.end(`${line}\n`);
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    return answer;
  }
}

/**
 * As an application load balancer: idle connections are cut after 60 s on both sides, connections to targets are
 * kept and shared by clients, no request is ever sent twice, and a target whose check fails gets no new requests
 * while those that it has are waited for. When the checks of all fail, all get requests.
 */
function configuration(port: number, targets: readonly number[], control: string): string {
  const servers = targets.map((target) => `  server broker-${target} 127.0.0.1:${target}`).join('\n');
  return `
global
  nbthread 1
  stats socket ${control} level admin

defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 60s
  timeout http-request 60s
  timeout check 3s
  retries 0
  no option redispatch
  option http-keep-alive
  http-reuse always

frontend front
  bind 127.0.0.1:${port}
  use_backend anyone if { nbsrv(brokers) eq 0 }
  default_backend brokers

backend brokers
  balance roundrobin
  option forwardfor
  option httpchk GET /readyz
  http-check expect status 200
  default-server check inter ${CHECK_EVERY_MS}ms fall 2 rise 2 disabled
${servers}

backend anyone
  balance roundrobin
  option forwardfor
  default-server disabled
${servers}
`;
}
