import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from '../../../src/app.ts';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { call } from '../../support/client.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf } from './support/api.ts';
import type { OpenApiDocument, Operation } from './support/published-contract.ts';

let table: TestTable;
let broker: TestBroker;
let api: Api;
let document: OpenApiDocument;

beforeAll(async () => {
  table = await makeTable();
  broker = await startBroker(table.environment);
  api = await apiOf(broker.url);
  document = api.contract.document;
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

const operations = (): { route: string; operation: Operation }[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      route: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  );

/** What a `$ref` of this document leads to. */
function resolve(reference: string): unknown {
  expect(reference).toMatch(/^#\//);
  return reference
    .slice(2)
    .split('/')
    .reduce((part, name) => (part as Record<string, unknown> | undefined)?.[name], document as unknown);
}

const parametersOf = ({ parameters = [] }: Operation) =>
  parameters.map((parameter) => (parameter.$ref === undefined ? parameter : resolve(parameter.$ref)));

/** The routes of a tree as Fastify prints it, four characters a level. */
function routesIn(tree: string): string[] {
  const branch: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', segment = '', methods = ''] = /^(.*[├└]── )(\S+)(?: \((.+)\))?/.exec(line) ?? [];
    branch.splice(Math.max(0, indent.length / 4 - 1), branch.length, segment);
    const path = branch.join('').replace(/:(\w+)/g, '{$1}');
    return methods.split(', ').flatMap((method) => (/^(HEAD)?$/.test(method) ? [] : [`${method} ${path}`]));
  });
}

describe('GET /v1/openapi.json', () => {
  test('is OpenAPI 3.1 with a title, a version and an introduction', async () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toEqual({
      title: 'Sandbox Broker',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      description: expect.stringContaining('X-Instruqt-Sandbox-ID'),
    });
  });

  test.each([
    'POST /v1/allocate',
    'POST /v1/sandboxes/{sandbox_id}/mark-for-deletion',
    'GET /v1/sandboxes/{sandbox_id}',
    'GET /v1/admin/sandboxes',
    'GET /v1/admin/sandboxes/{sandbox_id}',
    'GET /v1/admin/stats',
    'POST /v1/admin/bulk-delete',
    'POST /v1/admin/sandboxes/{sandbox_id}/retry-deletion',
    'POST /v1/admin/sandboxes/{sandbox_id}/quarantine',
    'POST /v1/admin/sandboxes/{sandbox_id}/restore',
    'POST /v1/admin/sandboxes/{sandbox_id}/release',
    'POST /v1/admin/sync',
    'POST /v1/admin/cleanup',
    'POST /v1/admin/auto-delete-stale',
    'GET /v1/admin/jobs',
    'POST /v1/admin/jobs/{job}/pause',
    'POST /v1/admin/jobs/{job}/resume',
    'POST /v1/admin/jobs/{job}/run',
    'GET /healthz',
    'GET /readyz',
    'GET /metrics',
  ])('has %s', (route) => {
    expect(operations().map((each) => each.route)).toContain(route);
  });

  test('resolves every reference, and has no schema that nothing refers to', () => {
    const text = JSON.stringify(document);
    const references = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] as string));
    expect([...references].filter((reference) => resolve(reference) === undefined)).toEqual([]);
    const unused = Object.keys(document.components.schemas).filter(
      (name) => !references.has(`#/components/schemas/${name}`),
    );
    expect(unused).toEqual([]);
  });

  test('is valid by the schema that the OpenAPI Initiative publishes for 3.1', async () => {
    const { valid, errors } = await new Validator().validate({ ...document });
    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });

  test('has an id of its own, a summary and a known tag for every operation', () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(ids).not.toContain(undefined);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = (document as unknown as { tags: { name: string }[] }).tags.map(({ name }) => name);
    for (const { route, operation } of operations()) {
      expect(operation.summary, route).toMatch(/^[A-Z].{5,}/);
      expect(
        operation.tags?.every((tag) => tags.includes(tag)),
        route,
      ).toBe(true);
      expect(operation.tags, route).toHaveLength(1);
    }
  });

  test('names every route there is, but for its own', async () => {
    const app = await buildApp(broker.container, { isStopping: () => false });
    await app.ready();
    const routes = routesIn(app.printRoutes({ commonPrefix: false }));
    await app.close();
    const own = /^GET (\/v1\/openapi\.json|(\/v1)?\/docs(\/.*)?)$/;
    const published = operations().map(({ route }) => route);
    expect(routes.filter((route) => !own.test(route)).sort()).toEqual(published.sort());
  });

  test('declares each path parameter once, as required, and no other', () => {
    for (const { route, operation } of operations()) {
      const named = [...route.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const declared = parametersOf(operation).filter((parameter) => parameter.in === 'path');
      expect(
        declared.map(({ name }) => name),
        route,
      ).toEqual(named);
      expect(
        declared.every(({ required }) => required === true),
        route,
      ).toBe(true);
    }
  });

  test('describes every header, and spells it as the contract does', () => {
    const names = new Set<string>();
    for (const { route, operation } of operations()) {
      for (const parameter of parametersOf(operation).filter((each) => each.in === 'header')) {
        names.add(parameter.name);
        expect(parameter.description, `${route} ${parameter.name}`).toBeTruthy();
      }
    }
    expect([...names].sort()).toEqual([
      'Idempotency-Key',
      'X-Instruqt-Sandbox-ID',
      'X-Instruqt-Track-ID',
      'X-Request-ID',
      'X-Sandbox-Name-Prefix',
      'X-Track-ID',
    ]);
  });

  test('says which of the two tokens each route behind a credential takes', () => {
    for (const { route, operation } of operations()) {
      const path = route.split(' ')[1] as string;
      const scheme = path.startsWith('/v1/admin/') ? 'adminToken' : 'trackToken';
      if (path.startsWith('/v1/')) expect(operation.security, route).toEqual([{ [scheme]: [] }]);
      else expect(operation.security, route).toBeUndefined();
    }
    expect(document.components.securitySchemes).toMatchObject({
      trackToken: { type: 'http', scheme: 'bearer' },
      adminToken: { type: 'http', scheme: 'bearer' },
    });
  });

  test('has for every answer a description and a schema, and for every error an example of each code that fits the schema', () => {
    for (const { route, operation } of operations()) {
      for (const [status, response] of Object.entries(operation.responses)) {
        const about = `${route} ${status}`;
        expect((response as { description?: string }).description, about).toMatch(/\w{3}/);
        expect((response as { description?: string }).description, about).not.toBe('Default Response');
        const media = response.content?.['application/json'];
        if (route === 'GET /metrics') continue;
        expect(media?.schema, about).toBeDefined();
        if (Number(status) < 400 || route === 'GET /readyz') continue;
        const examples = Object.entries(media?.examples ?? {});
        expect(examples.length, about).toBeGreaterThan(0);
        for (const [code, example] of examples) {
          const { value } = example as { value: { error: { code: string } } };
          expect(value.error.code, about).toBe(code);
          expect(api.contract.fits({ $ref: '#/components/schemas/Error' }, value), about).toBe(true);
        }
      }
    }
  });

  test('has for every schema that an answer refers to an example that fits it', () => {
    const named = new Set<string>();
    for (const { operation } of operations()) {
      for (const response of Object.values(operation.responses)) {
        const { $ref } = (response.content?.['application/json']?.schema ?? {}) as { $ref?: string };
        if ($ref !== undefined) named.add($ref);
      }
    }
    expect(named.size).toBeGreaterThan(8);
    for (const $ref of named) {
      const { examples = [] } = resolve($ref) as { examples?: unknown[] };
      expect(examples.length, $ref).toBeGreaterThan(0);
      for (const example of examples) expect(api.contract.fits({ $ref }, example), $ref).toBe(true);
    }
  });

  test('requires no body, as none of the routes does', () => {
    for (const { route, operation } of operations()) {
      if (operation.requestBody !== undefined) expect(operation.requestBody.required, route).toBe(false);
    }
  });

  test('publishes the limits that are enforced: 1 to 256 characters for an id, 1 to 100 for limit, a year for a grace period', async () => {
    const header = parametersOf(document.paths['/v1/allocate']?.post as Operation).find(
      ({ name }) => name === 'Idempotency-Key',
    );
    expect(header.schema).toMatchObject({ type: 'string', minLength: 1, maxLength: 256 });
    const limit = parametersOf(document.paths['/v1/admin/sandboxes']?.get as Operation).find(
      ({ name }) => name === 'limit',
    );
    expect(limit.schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 100, default: 50 });
    const [hours] = parametersOf(document.paths['/v1/admin/auto-delete-stale']?.post as Operation);
    expect(hours).toMatchObject({
      name: 'grace_period_hours',
      schema: { type: 'number', minimum: 0, maximum: 8_760 },
    });
  });

  test('says of a reason that it must not be blank, as is enforced', () => {
    const body = JSON.stringify(document.paths['/v1/admin/bulk-delete']?.post?.requestBody);
    expect(body).toContain(JSON.stringify({ maxLength: 500, pattern: '\\S' }).slice(1, -1));
  });

  test('holds no bound that only says how large a number can be', () => {
    expect(JSON.stringify(document)).not.toContain(String(Number.MAX_SAFE_INTEGER));
  });
});

describe('The documentation page', () => {
  test('is at /v1/docs, and /docs leads there', async () => {
    const redirection = await api.call('GET', '/docs');
    expect([redirection.status, redirection.headers.get('location')]).toEqual([302, '/v1/docs']);
    const page = await api.call('GET', '/v1/docs');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.body).toContain('<title>Sandbox Broker</title>');
  });

  test('may load all that it refers to under its own policy, and nothing from elsewhere', async () => {
    const page = await api.call('GET', '/v1/docs');
    const policy = page.headers.get('content-security-policy') ?? '';
    const own = [...String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] as string);
    expect(own.length).toBeGreaterThan(4);
    for (const path of own) {
      expect(path).toMatch(/^\/v1\/docs\/static\//);
      expect((await call('GET', broker.url + path)).status, path).toBe(200);
    }
    expect(String(page.body)).not.toMatch(/<script(?![^>]*src)|<style|onload=/);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toMatch(/unsafe-eval|script-src[^;]*unsafe|https?:/);
    // On a broker without TLS the page would ask for its own scripts in vain.
    expect(policy).not.toContain('upgrade-insecure-requests');
  });

  test('shows the published document', async () => {
    const { body } = await call('GET', `${broker.url}/v1/docs/json`);
    expect(body).toEqual(document);
  });
});
