import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { keepOutOfLogs } from './watched-log.ts';

export interface SecretsManagerServer {
  readonly url: string;
  /** Secrets read so far, `id stage` each. */
  readonly reads: string[];
  /** Stores a version; the one that was current becomes the previous one. */
  rotate(id: string, text: string): void;
  /** Ends the rotation: the previous version is good no more. */
  forgetPrevious(id: string): void;
  /** From now on every call fails with this status; 200 mends it. */
  failWith(status: number): void;
  /** From now on nothing is answered about this secret. */
  hang(id: string): void;
  /** Calls that wait for an answer. */
  waiting(): number;
  /** From now on connections are refused. */
  stop(): void;
}

/**
 * Secrets Manager's `GetSecretValue` over HTTP, as the AWS SDK calls it.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export async function secretsManagerOfTest(): Promise<SecretsManagerServer> {
  const versions = new Map<string, { AWSCURRENT?: string; AWSPREVIOUS?: string }>();
  const reads: string[] = [];
  const hanging = new Set<string>();
  let status = 200;
  let waiting = 0;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const refuse = (code: number, type: string) => {
      response.writeHead(code, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify({ __type: type, Message: type }));
    };
    if (request.headers['x-amz-target'] !== 'secretsmanager.GetSecretValue')
      return refuse(400, 'UnknownOperation');
    const { SecretId: id, VersionStage: stage = 'AWSCURRENT' } = JSON.parse(body);
    reads.push(`${id} ${stage}`);
    if (hanging.has(id)) {
      waiting += 1;
      response.once('close', () => {
        waiting -= 1;
      });
      return;
    }
    if (status !== 200) return refuse(status, 'InternalServiceError');
    const text = versions.get(id)?.[stage as 'AWSCURRENT' | 'AWSPREVIOUS'];
    if (text === undefined) return refuse(400, 'ResourceNotFoundException');
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify({ ARN: `arn:${id}`, Name: id, SecretString: text, VersionStages: [stage] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(stop);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reads,
    rotate: (id, text) => {
      keepOutOfLogs(text);
      const current = versions.get(id)?.AWSCURRENT;
      versions.set(id, { AWSCURRENT: text, ...(current === undefined ? {} : { AWSPREVIOUS: current }) });
    },
    forgetPrevious: (id) => {
      const current = versions.get(id)?.AWSCURRENT;
      if (current !== undefined) versions.set(id, { AWSCURRENT: current });
    },
    failWith: (given) => {
      status = given;
    },
    hang: (id) => {
      hanging.add(id);
    },
    waiting: () => waiting,
    stop,
  };
}
