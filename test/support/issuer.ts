import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface Issuer {
  readonly url: string;
  /** How often its keys were asked for. */
  readonly requests: () => number;
  /** Makes a key, and publishes it unless told otherwise. */
  addKey(kid: string, options?: { readonly published?: boolean }): SigningKey;
  /** Answers with this status from now on; 200 serves the keys. */
  answerWith(status: number): void;
  /** Publishes this key no more. */
  withdraw(kid: string): void;
  /** Answers with a document that never ends. @returns resolves when the client has hung up on one */
  answerEndlessly(): Promise<void>;
}

/** An issuer of access tokens as Cognito is one: keys over HTTP, made for one test. */
export async function issuerOfTest(): Promise<Issuer> {
  const published: Record<string, unknown>[] = [];
  let requests = 0;
  let status = 200;
  let onHungUp: (() => void) | undefined;
  const server = createServer((_request, response) => {
    requests += 1;
    if (onHungUp !== undefined) {
      const more = () => {
        while (response.write(' '.repeat(16_384)));
      };
      response.on('drain', more).once('close', onHungUp);
      more();
      return;
    }
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys: published }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/pool`,
    requests: () => requests,
    addKey: (kid, options = {}) => {
      const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      if (options.published ?? true) {
        published.push({ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' });
      }
      return { kid, privateKey, publicKey };
    },
    answerWith: (given) => {
      status = given;
    },
    withdraw: (kid) => {
      published.splice(
        published.findIndex((key) => key.kid === kid),
        1,
      );
    },
    answerEndlessly: () =>
      new Promise((resolve) => {
        onHungUp = resolve;
      }),
  };
}

/** What Cognito writes into an access token of the client credentials grant. */
export function accessClaims(issuer: Issuer, changes: Record<string, unknown> = {}): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: issuer.url,
    sub: 'client-of-a-lab',
    client_id: 'client-of-a-lab',
    token_use: 'access',
    scope: 'sandbox-broker/allocate',
    iat: now - 10,
    exp: now + 600,
    ...changes,
  };
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token signed as RS256, whatever its header and claims say. */
export function sign(key: SigningKey, claims: object, header: object = {}): string {
  const content = `${part({ alg: 'RS256', kid: key.kid, typ: 'JWT', ...header })}.${part(claims)}`;
  return `${content}.${createSign('RSA-SHA256').update(content).sign(key.privateKey).toString('base64url')}`;
}

/** The attack that takes the public key for a shared secret. */
export function signWithPublicKey(key: SigningKey, claims: object): string {
  const content = `${part({ alg: 'HS256', kid: key.kid, typ: 'JWT' })}.${part(claims)}`;
  const secret = key.publicKey.export({ type: 'spki', format: 'pem' });
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}

export function unsigned(key: SigningKey, claims: object): string {
  return `${part({ alg: 'none', kid: key.kid, typ: 'JWT' })}.${part(claims)}.`;
}
