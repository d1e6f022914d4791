import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestOf,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { inject, onTestFinished } from 'vitest';
import type { Random } from '../../src/domain/clock.ts';
import { LaggingIndexes } from './lagging-indexes.ts';
import { conflictAnswer, type Fault, type FaultRule, keysOf, type WireCall } from './wire-faults.ts';

export interface DynamoDbProxy {
  /** What to set DDB_ENDPOINT_URL to. */
  readonly url: string;
  readonly engineUrl: string;
  /** Every call that came, struck or not. */
  readonly calls: readonly WireCall[];
  /** Those that the engine has answered, in that order. */
  readonly answered: readonly WireCall[];
  /** Of tables that are created through a proxy with `laggingIndexes`. */
  readonly indexes: LaggingIndexes;
  /** The first rule that fits a call strikes it. @returns what ends the rule */
  add(rule: FaultRule): () => void;
  /** How many calls have been struck. */
  readonly struck: number;
  clear(): void;
  close(): void;
}

export interface DynamoDbProxyOptions {
  readonly random?: Random;
  /** Whether indexes can be made to lag: each write then costs a second one. */
  readonly laggingIndexes?: boolean;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Stands between brokers and an engine, and does to their calls what the rules say. */
export async function startDynamoDbProxy(
  engineUrl: string,
  { random = Math.random, laggingIndexes = false }: DynamoDbProxyOptions = {},
): Promise<DynamoDbProxy> {
  const agent = new Agent({ keepAlive: true, maxSockets: 128 });
  const indexes = new LaggingIndexes(engineUrl);
  const calls: WireCall[] = [];
  const answered: WireCall[] = [];
  let rules: { rule: FaultRule; seen: number; struck: number }[] = [];
  let struck = 0;

  const faultFor = (call: WireCall): Fault | undefined => {
    for (const entry of rules) {
      const { on, fault, times = Number.POSITIVE_INFINITY, after = 0, probability = 1 } = entry.rule;
      if (!on(call) || entry.struck >= times || random() >= probability) continue;
      entry.seen += 1;
      if (entry.seen <= after) continue;
      entry.struck += 1;
      struck += 1;
      return typeof fault === 'function' ? fault(call) : fault;
    }
    return undefined;
  };

  const forward = async (incoming: IncomingMessage, call: WireCall, body: Buffer): Promise<Answer> => {
    const table = await indexes.tableFor(call);
    const sent =
      table === undefined ? body : Buffer.from(JSON.stringify({ ...call.input, TableName: table }));
    const headers = { ...incoming.headers, 'content-length': String(sent.length) };
    const passed = requestOf(`${engineUrl}${incoming.url}`, {
      agent,
      method: incoming.method ?? 'POST',
      headers,
    }).end(sent);
    const [answer] = (await once(passed, 'response')) as [IncomingMessage];
    const whole = { status: answer.statusCode ?? 502, headers: answer.headers, body: await bytesOf(answer) };
    if (laggingIndexes) await indexes.happened(call);
    answered.push(call);
    return whole;
  };

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = await bytesOf(incoming);
    const call = readCall(incoming, body);
    calls.push(call);
    const fault = faultFor(call);
    switch (fault?.is) {
      case undefined:
        give(outgoing, await forward(incoming, call, body));
        return;
      case 'answered':
        giveJson(outgoing, fault.status, fault.body);
        return;
      case 'conflict':
        giveJson(outgoing, 400, conflictAnswer(call, fault.on));
        return;
      case 'reset':
      case 'silence':
        if (fault.when === 'after') await forward(incoming, call, body);
        if (fault.is === 'reset') outgoing.socket?.destroy();
        return;
      case 'late':
        await fault.until;
        give(outgoing, await forward(incoming, call, body));
    }
  };

  // Either side may hang up at any time.
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    engineUrl,
    calls,
    answered,
    indexes,
    get struck() {
      return struck;
    },
    add: (rule) => {
      const entry = { rule, seen: 0, struck: 0 };
      rules.push(entry);
      return () => {
        rules = rules.filter((each) => each !== entry);
      };
    },
    clear: () => {
      rules = [];
    },
    close: () => {
      server.closeAllConnections();
      server.close();
      agent.destroy();
      indexes.close();
    },
  };
}

/** A proxy in front of the engine of the run, for one test. */
export async function proxyOfTest(options: DynamoDbProxyOptions = {}): Promise<DynamoDbProxy> {
  const proxy = await startDynamoDbProxy(inject('engineUrl'), options);
  onTestFinished(() => proxy.close());
  return proxy;
}

function readCall(incoming: IncomingMessage, body: Buffer): WireCall {
  const operation = String(incoming.headers['x-amz-target']).split('.')[1] ?? '';
  const input = body.length === 0 ? {} : JSON.parse(body.toString());
  return { operation, input, keys: keysOf(input) };
}

function give(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  outgoing.writeHead(status, headers).end(body);
}

function giveJson(outgoing: ServerResponse, status: number, body: Record<string, unknown>): void {
  outgoing.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
