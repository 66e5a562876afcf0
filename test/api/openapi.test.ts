// The document of the API and the page that shows it.

import { createConfig, lintFromString } from '@redocly/openapi-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentPath, isCall, openApiDocument } from '../../api/openapi/document.ts';
import { DocumentCheck } from '../support/document-check.ts';
import { openTestApi, type TestApi } from './harness.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: string[];
  readonly security: object[];
  readonly parameters: { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly requestBody?: { readonly content: Record<string, { schema?: object }> };
  readonly responses: Record<
    string,
    { readonly $ref?: string; readonly content?: object; readonly headers?: object }
  >;
}

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, { properties?: Record<string, object> }> };
}

let test: TestApi;
let document: Document;

beforeAll(async () => {
  test = await openTestApi();
  document = (await test.call<Document>('GET', '/openapi.json')).body;
});
afterAll(() => test?.close());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

describe('the document', () => {
  it('is OpenAPI 3.1 without a fault', async () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const config = await createConfig({
      extends: ['recommended'],
      rules: {
        // It is served by each cluster under its own address; and an open call has no refusals of its own.
        'no-server-example.com': 'off',
        'operation-4xx-response': 'off',
      },
    });
    const problems = await lintFromString({ source: JSON.stringify(document), config });
    expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual(
      [],
    );
  });

  it('has every call of the server, and no other', () => {
    const calls = test.api.server.table().filter((route) => isCall(route));
    expect(calls.length).toBeGreaterThan(60);
    const named = operations().filter(({ method }) => method !== 'head');
    expect(named.map(({ path, method }) => `${method} ${path}`).sort()).toEqual(
      calls.map(({ path, method }) => `${method} ${documentPath(path)}`).sort(),
    );
  });

  it('says of each call what it is, who may call it, what it takes and what it answers', () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, method, operation } of operations()) {
      const what = `${method} ${path}`;
      expect(operation.summary, what).toMatch(/^\S.*\.$/);
      expect(operation.tags, what).toHaveLength(1);
      expect(Array.isArray(operation.security), what).toBe(true);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const params = operation.parameters.filter((parameter) => parameter.in === 'path');
      expect(params.map(({ name }) => name).sort(), what).toEqual(inPath.sort());
      for (const { schema } of operation.parameters)
        expect(Object.keys(schema).length, what).toBeGreaterThan(0);
      const told = Object.entries(operation.responses).filter(([status]) => Number(status) < 400);
      expect(told.length, what).toBeGreaterThan(0);
      for (const [status, { content }] of told) {
        const isBare = method === 'head' || ['201', '204', '304'].includes(status);
        if (!isBare) expect(Object.keys(content ?? {}).length, `${what} ${status}`).toBeGreaterThan(0);
      }
      for (const status of ['429', '503']) {
        const reply = operation.responses[status];
        if (reply) expect(Object.keys(reply.headers ?? {}), what).toContain('Retry-After');
      }
    }
  });

  it('does not come about while a route says nothing of itself', () => {
    test.api.server.route({ method: 'GET', path: '/api/unheard-of', handler: () => 'so' });
    expect(() => openApiDocument(test.api.server, 'test')).toThrow(
      'GET /api/unheard-of does not say what it is',
    );
  });

  it('reads bodies from the schemas that check them', () => {
    const submit = document.paths['/api/tasks']?.post?.requestBody?.content['application/json'];
    expect(submit?.schema).toEqual({ $ref: '#/components/schemas/SubmitRequest' });
    const { properties } = document.components.schemas.SubmitRequest ?? {};
    expect(properties?.priority).toMatchObject({ type: 'integer', minimum: 0, maximum: 9, default: 5 });
    expect(properties?.worker).toMatchObject({ default: '', pattern: expect.stringMatching(/^\^\$\|/) });
    const headers = document.paths['/api/tasks']?.post?.parameters.map(({ name }) => name);
    expect(headers).toContain('Idempotency-Key');
  });
});

describe('an answer that is not as in the document', () => {
  const route = { method: 'get', path: '/api/auth/me' } as const;
  const account = {
    user_id: 'u',
    username: 'alice',
    role: 'user',
    created_at: '2026-01-01T00:00:00.000Z',
    disabled: false,
    quota: {
      unfinished_tasks: null,
      upload_storage: null,
      cpu: null,
      memory: null,
      gpu: null,
      rate_limit_reads: null,
      rate_limit_writes: null,
    },
    used: { unfinished_tasks: 0, upload_storage: 0, cpu: 0, memory: 0, gpu: 0 },
  };
  let check: DocumentCheck;
  beforeAll(() => {
    check = new DocumentCheck(document);
  });
  const fault = (status: number, body: object, contentType = 'application/json; charset=utf-8') =>
    check.fault({
      route,
      method: 'get',
      status,
      contentType,
      text: JSON.stringify(body),
    });

  it('is found by its status, type, a missing field, one too many and one of another kind', () => {
    expect(fault(200, account)).toBeNull();
    expect(fault(418, account)).toContain('GET /api/auth/me 418: the document does not know this status');
    expect(fault(200, account, 'text/plain')).toContain('does not know the type text/plain');
    const { role: _, ...without } = account;
    expect(fault(200, without)).toContain("must have required property 'role'");
    expect(fault(200, { ...account, extra: 1 })).toContain('"additionalProperty":"extra"');
    expect(fault(200, { ...account, created_at: 'yesterday' })).toContain('/created_at must match format');
  });
});

describe('the page', () => {
  it('loads everything from here, under a strict policy', async () => {
    const page = await test.call<string>('GET', '/documentation');
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe-eval');
    const parts = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address ?? '');
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) {
      expect(part).toMatch(/^\//);
      const { status, headers } = await test.call('GET', part);
      expect([part, status, headers['x-content-type-options']]).toEqual([part, 200, 'nosniff']);
    }
    expect((await test.call('GET', '/documentation/package.json')).status).toBe(404);
  });
});
