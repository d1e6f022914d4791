import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { BrokerError } from '../../domain/errors.ts';

export type CredentialKind = 'track' | 'admin';

/** Whom a token stands for. The name is for logs and limits; the token itself is kept nowhere. */
export interface Credential {
  readonly name: string;
  readonly kind: CredentialKind;
}

export interface CredentialSource {
  /** The credential of a token, or undefined for an unknown one. */
  identify(token: string): Credential | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    credential: Credential | undefined;
  }
  interface FastifyInstance {
    /** An `onRequest` hook that lets in only known credentials. */
    authenticate(request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
    /** An `onRequest` hook for after it, that lets in only those of one kind. */
    allowOnly(kind: CredentialKind): (request: FastifyRequest) => Promise<void>;
  }
}

/** Fixed tokens, compared in a time that tells nothing of them. */
export class StaticCredentials implements CredentialSource {
  readonly #known: readonly { digest: Buffer; credential: Credential }[];

  constructor(tokens: readonly { token: string; credential: Credential }[]) {
    this.#known = tokens.map(({ token, credential }) => ({ digest: digest(token), credential }));
  }

  /** Digests are of one length, and every known one is looked at, whichever fits. */
  identify(token: string): Credential | undefined {
    const given = digest(token);
    let found: Credential | undefined;
    for (const { digest: known, credential } of this.#known) {
      if (timingSafeEqual(given, known)) found = credential;
    }
    return found;
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Longer ones are not looked at. */
const TOKEN_MAX_LENGTH = 8_192;
const BEARER = /^bearer +([\x21-\x7e]+) *$/i;

export interface AuthenticationOptions {
  readonly credentials: CredentialSource;
  /** Told of each failure. @returns true when it has answered itself, as there were too many from one address */
  readonly onFailure: (request: FastifyRequest, reply: FastifyReply) => Promise<boolean>;
}

/** Who calls. Checked before anything else about a request is believed. */
export const authentication = fastifyPlugin(
  async (app: FastifyInstance, { credentials, onFailure }: AuthenticationOptions) => {
    app.decorateRequest('credential', undefined);
    app.decorate('authenticate', async (request, reply) => {
      const credential = identify(credentials, request.headers.authorization);
      if (credential === undefined) {
        if (await onFailure(request, reply)) return reply;
        reply.header('www-authenticate', 'Bearer');
        throw new BrokerError(
          'UNAUTHORIZED',
          'A valid credential is required: "Authorization: Bearer <token>"',
        );
      }
      request.credential = credential;
      request.activity.actor = credential.name;
    });
    app.decorate('allowOnly', (kind: CredentialKind) => async (request) => {
      if (request.credential?.kind === kind) return;
      throw new BrokerError('FORBIDDEN', `This route needs a credential of the kind "${kind}"`);
    });
  },
  { name: 'authentication', dependencies: ['activity'] },
);

function identify(credentials: CredentialSource, header: string | undefined): Credential | undefined {
  if (header === undefined || header.length > TOKEN_MAX_LENGTH) return undefined;
  const token = BEARER.exec(header)?.[1];
  return token === undefined ? undefined : credentials.identify(token);
}
