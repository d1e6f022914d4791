import type { SwaggerTransform, SwaggerTransformObject } from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { errorExamples, errorResponses } from './errors.ts';
import { headerName } from './header-names.ts';

/** The parts of the document that are touched here. */
interface Operation {
  operationId?: string;
  security?: unknown[];
  parameters?: (Parameter | Reference)[];
  requestBody?: { required: boolean };
  responses: Record<string, Response>;
  [OPTIONAL_BODY]?: true;
}
interface Parameter {
  in: string;
  name: string;
}
interface Reference {
  $ref: string;
}
interface Response {
  description: string;
  headers?: Record<string, Reference>;
  content?: Record<string, { schema: { $ref?: string }; examples?: unknown }>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: Record<'schemas' | 'headers' | 'parameters', Record<string, unknown>>;
}

/** Between the two transformations: the plugin declares every body to be required. */
const OPTIONAL_BODY = 'x-optional-body';

/** What the plugin says of an answer that refers to a schema. */
const NO_DESCRIPTION = 'Default Response';

const ERROR_SCHEMA = '#/components/schemas/Error';

const REQUEST_ID_FORM = '^[A-Za-z0-9._-]{1,128}$';
const requestIdSchema = { type: 'string', pattern: REQUEST_ID_FORM };
const REQUEST_ID_EXAMPLE = '0f8fad5b-d9cb-469f-a165-70867728950e';

const PARAMETERS = {
  RequestId: {
    in: 'header',
    name: 'X-Request-ID',
    required: false,
    description: `Echoed in the answer, an error body and the log. One that does not match \`${REQUEST_ID_FORM}\` is replaced, not refused.`,
    schema: { type: 'string' },
    example: REQUEST_ID_EXAMPLE,
  },
};

const HEADERS = {
  RequestId: {
    description: 'The id of the request: its own where it sent a harmless one, else a new one',
    required: true,
    schema: requestIdSchema,
    example: REQUEST_ID_EXAMPLE,
  },
  RetryAfter: {
    description: 'Seconds after which the same request may succeed',
    schema: { type: 'integer', minimum: 1 },
    example: 30,
  },
  RateLimitLimit: {
    description: 'Requests in a window of the limit that is nearest to its end',
    schema: { type: 'integer' },
    example: 120,
  },
  RateLimitRemaining: {
    description: 'Requests left of it',
    schema: { type: 'integer', minimum: 0 },
    example: 119,
  },
  RateLimitReset: { description: 'Seconds until its window ends', schema: { type: 'integer' }, example: 60 },
  Challenge: { description: 'How to authenticate', schema: { type: 'string' }, example: 'Bearer' },
};

/** What any route may answer to a body, those that take none among them. */
const BODY_RESPONSES = errorResponses('VALIDATION_ERROR', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE');

/** One route, as the plugin for zod describes it, with the name that it has in the log. */
export const describeRoute: SwaggerTransform = (route) => {
  const { schema } = route as Parameters<typeof jsonSchemaTransform>[0];
  const takesBody = schema?.security !== undefined && route.route.method === 'POST';
  const described = jsonSchemaTransform({
    ...(route as Parameters<typeof jsonSchemaTransform>[0]),
    schema: takesBody
      ? { ...schema, response: { ...BODY_RESPONSES, ...(schema.response as object) } }
      : schema,
  });
  const body = schema?.body;
  const action = route.route.config?.action;
  return {
    ...described,
    schema: {
      ...described.schema,
      ...(action === undefined ? {} : { operationId: action }),
      ...(body instanceof z.ZodType && body.safeParse(undefined).success ? { [OPTIONAL_BODY]: true } : {}),
    },
  };
};

/** What the generated document lacks: headers under their own names, those of answers, an example an error. */
export const finishDocument: SwaggerTransformObject = (generated) => {
  const document = jsonSchemaTransformObject(generated) as unknown as Document;
  for (const operations of Object.values(document.paths)) {
    for (const operation of Object.values(operations))
      finishOperation(operation, document.components.schemas);
  }
  const { components } = document;
  components.parameters = PARAMETERS;
  components.headers = HEADERS;
  components.schemas = pick(components.schemas, namedSchemas(document.paths, components.schemas));
  return withoutTrivialBounds(document) as ReturnType<SwaggerTransformObject>;
};

function finishOperation(operation: Operation, schemas: Record<string, unknown>): void {
  const isLimited = operation.security !== undefined;
  operation.parameters = [
    ...(operation.parameters ?? []).map((parameter) =>
      'in' in parameter && parameter.in === 'header'
        ? { ...parameter, name: headerName(parameter.name) }
        : parameter,
    ),
    { $ref: '#/components/parameters/RequestId' },
  ];
  if (operation.requestBody !== undefined && operation[OPTIONAL_BODY]) operation.requestBody.required = false;
  delete operation[OPTIONAL_BODY];
  for (const [status, response] of Object.entries(operation.responses)) {
    const media = response.content?.['application/json'];
    const reference = media?.schema.$ref;
    const isError = reference === ERROR_SCHEMA;
    if (response.description === NO_DESCRIPTION && reference !== undefined)
      response.description = describedAs(schemas, reference);
    if (media !== undefined && isError) media.examples = errorExamples(response.description);
    response.headers = {
      'X-Request-ID': { $ref: '#/components/headers/RequestId' },
      ...(isError && MAY_COME_BACK.has(status) ? { 'Retry-After': header('RetryAfter') } : {}),
      ...(status === '401' ? { 'WWW-Authenticate': header('Challenge') } : {}),
      ...(isLimited && (status.startsWith('2') || status === '429')
        ? {
            'X-RateLimit-Limit': header('RateLimitLimit'),
            'X-RateLimit-Remaining': header('RateLimitRemaining'),
            'X-RateLimit-Reset': header('RateLimitReset'),
          }
        : {}),
    };
  }
}

function describedAs(schemas: Record<string, unknown>, reference: string): string {
  const schema = schemas[reference.split('/').at(-1) ?? ''] as { description?: string } | undefined;
  return schema?.description ?? NO_DESCRIPTION;
}

/** Statuses of errors that pass by themselves. */
const MAY_COME_BACK = new Set(['409', '429', '503']);

function header(name: keyof typeof HEADERS): Reference {
  return { $ref: `#/components/headers/${name}` };
}

/** The schemas that the paths use, directly or not: every one is generated in a form for input as well. */
function namedSchemas(paths: unknown, schemas: Record<string, unknown>): Set<string> {
  const names = new Set<string>();
  const follow = (part: unknown): void => {
    for (const [, name] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (name === undefined || names.has(name)) continue;
      names.add(name);
      follow(schemas[name]);
    }
  };
  // Errors of unknown routes have its shape too, in a process that has no others.
  follow([paths, { $ref: ERROR_SCHEMA }]);
  return names;
}

function pick(schemas: Record<string, unknown>, names: ReadonlySet<string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => names.has(name)));
}

/** zod bounds every integer by what a number can hold, which tells a reader nothing. */
function withoutTrivialBounds(document: Document): unknown {
  return JSON.parse(JSON.stringify(document), (key, value) =>
    (key === 'maximum' || key === 'minimum') && Math.abs(value) === Number.MAX_SAFE_INTEGER
      ? undefined
      : value,
  );
}
