import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Credential, CredentialKind, CredentialSource } from '../../credentials/credential.ts';
import { BrokerError } from '../../domain/errors.ts';

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

/** Longer ones are not looked at. */
const TOKEN_MAX_LENGTH = 8_192;
const BEARER = /^bearer +([\x21-\x7e]+) *$/i;

export interface AuthenticationOptions {
  readonly credentials: CredentialSource;
  /** Whether one that is known has to be answered as if it were not, just now. */
  readonly isHeldBack: (request: FastifyRequest, credential: Credential) => boolean | Promise<boolean>;
  /** Told of each failure. @returns true when it has answered itself, as there were too many from one address */
  readonly onFailure: (request: FastifyRequest, reply: FastifyReply) => Promise<boolean>;
}

/** Who calls. Checked before anything else about a request is believed. */
export const authentication = fastifyPlugin(
  async (app: FastifyInstance, { credentials, isHeldBack, onFailure }: AuthenticationOptions) => {
    app.decorateRequest('credential', undefined);
    app.decorate('authenticate', async (request, reply) => {
      // Whatever the answer: it is for whoever has this credential.
      reply.header('cache-control', 'no-store');
      const known = identify(credentials, request.headers.authorization);
      const credential = known instanceof Promise ? await known : known;
      const held = credential === undefined || isHeldBack(request, credential);
      if (held instanceof Promise ? await held : held) {
        if (await onFailure(request, reply)) return reply;
      }
      // One that was held back is good where there are failures left after all: a window has ended meanwhile.
      if (credential === undefined) {
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

function identify(
  credentials: CredentialSource,
  header: string | undefined,
): ReturnType<CredentialSource['identify']> {
  if (header === undefined || header.length > TOKEN_MAX_LENGTH) return undefined;
  const token = BEARER.exec(header)?.[1];
  return token === undefined ? undefined : credentials.identify(token);
}
