import { z } from 'zod';
import { type Answer, call } from '../../../support/client.ts';

interface PublishedResponse {
  readonly headers?: Record<string, unknown>;
  readonly content?: Record<string, { schema: unknown; examples?: Record<string, unknown> }>;
}

export interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: string[];
  readonly security?: Record<string, string[]>[];
  // biome-ignore lint/suspicious/noExplicitAny: a document of somebody else's shape
  readonly parameters?: any[];
  // biome-ignore lint/suspicious/noExplicitAny: the same
  readonly requestBody?: any;
  readonly responses: Record<string, PublishedResponse>;
}

export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { title: string; version: string; description: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: Record<string, Record<string, unknown>> & {
    // biome-ignore lint/suspicious/noExplicitAny: JSON schemas
    readonly schemas: Record<string, any>;
  };
}

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** What a broker publishes of itself, and what its answers are held against. */
export class PublishedContract {
  readonly document: OpenApiDocument;
  readonly #schemas = new Map<string, z.ZodType>();

  constructor(document: OpenApiDocument) {
    this.document = document;
  }

  static async of(url: string, basePath = '/v1'): Promise<PublishedContract> {
    return new PublishedContract((await call('GET', `${url}${basePath}/openapi.json`)).body);
  }

  /** The operation that a request is for, by its path as sent; undefined for a path that is not published. */
  operation(method: string, path: string): Operation | undefined {
    const [pathname = ''] = path.split('?');
    for (const [template, operations] of Object.entries(this.document.paths)) {
      const pattern = new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
      if (pattern.test(pathname)) return operations[method.toLowerCase()];
    }
    return undefined;
  }

  /** Everything in which an answer differs from what is published. */
  differences(method: string, path: string, answer: Answer): string[] {
    return [
      ...this.#ofEveryAnswer(answer),
      ...(this.#isError(path, answer) ? this.#ofAnError(answer) : []),
      ...this.#ofTheOperation(method, path, answer),
    ];
  }

  /** Whether a value fits a schema of the document. */
  fits(schema: unknown, value: unknown): boolean {
    return this.#validator(schema).safeParse(value).success;
  }

  #ofEveryAnswer({ headers }: Answer): string[] {
    const problems: string[] = [];
    if (!REQUEST_ID.test(headers.get('x-request-id') ?? '')) problems.push('it has no X-Request-ID');
    if (headers.get('x-content-type-options') !== 'nosniff') problems.push('its type may be guessed');
    return problems;
  }

  /** Readiness has a body of its own for "no". */
  #isError(path: string, { status, body }: Answer): boolean {
    return status >= 400 && path !== '/readyz' && body !== '';
  }

  #ofAnError({ headers, body }: Answer): string[] {
    const problems = this.#mismatch({ $ref: '#/components/schemas/Error' }, body);
    if (headers.get('content-type') !== 'application/json; charset=utf-8') problems.push('it is not JSON');
    if (body?.error?.request_id !== headers.get('x-request-id')) problems.push('it has two request ids');
    const seconds = headers.get('retry-after');
    if ((body?.error?.retry_after ?? null) !== (seconds === null ? null : Number(seconds)))
      problems.push('Retry-After and retry_after are not the same');
    return problems;
  }

  #ofTheOperation(method: string, path: string, { status, headers, body }: Answer): string[] {
    const operation = this.operation(method, path);
    if (operation === undefined) return [];
    const response = operation.responses[status];
    if (response === undefined) return [`${method} ${path} is not said to answer ${status}`];
    const type = headers.get('content-type')?.split(';')[0] ?? '';
    const media = response.content?.[type];
    if (media === undefined) return [`${status} is not said to be ${type}`];
    const problems = type === 'application/json' ? this.#mismatch(media.schema, body) : [];
    const code = body?.error?.code;
    if (code !== undefined && !(code in (media.examples ?? {})))
      problems.push(`${status} is not said to be ${code}`);
    return problems;
  }

  #mismatch(schema: unknown, body: unknown): string[] {
    const result = this.#validator(schema).safeParse(body);
    return (result.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  }

  #validator(schema: unknown): z.ZodType {
    const text = JSON.stringify(schema);
    let validator = this.#schemas.get(text);
    if (validator === undefined) {
      const whole = JSON.stringify({ ...JSON.parse(text), $defs: this.document.components.schemas });
      validator = z.fromJSONSchema(JSON.parse(whole.replaceAll('#/components/schemas/', '#/$defs/')));
      this.#schemas.set(text, validator);
    }
    return validator;
  }
}
