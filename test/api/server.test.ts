// What holds for every call: the shape of errors, headers, limits, the dashboard, and a stop that lets go.

import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError, ERROR_CODES } from '../../shared/errors.ts';
import { makeTask } from '../support/tasks.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

let test: TestApi;
let alice: Person;

beforeAll(async () => {
  test = await openTestApi();
  alice = await test.signUp('alice');
});
afterAll(() => test?.close());

describe('an error', () => {
  const task = makeTask().id;
  it.each<[string, string, number, string]>([
    ['GET', '/api/nowhere', 404, 'not_found'],
    ['GET', '/nowhere', 404, 'not_found'],
    ['POST', '/nowhere', 404, 'not_found'],
    ['PUT', '/api/tasks', 405, 'invalid_request'],
    ['GET', '/api/auth/login', 405, 'invalid_request'],
    ['PATCH', `/api/tasks/${task}`, 405, 'invalid_request'],
    ['GET', '/%', 400, 'invalid_request'],
    ['OPTIONS', '/api/tasks', 405, 'invalid_request'],
  ])('of %s %s is %i %s in the one shape', async (method, path, status, code) => {
    const reply = await test.call<Refused>(method, path, { as: alice });
    expect(reply.status).toBe(status);
    expect(reply.body).toEqual({
      statusCode: status,
      error: expect.any(String),
      code,
      message: expect.any(String),
      details: [],
    });
    expect(ERROR_CODES).toContain(reply.body.code);
    expect(reply.headers['x-request-id']).toMatch(/^req-/);
    expect(reply.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('of a wrong method says which are right', async () => {
    const reply = await test.call<Refused>('PUT', '/api/tasks', { as: alice });
    expect(reply.headers.allow).toBe('GET, POST');
    expect(reply.body.message).toContain('GET, POST, not PUT');
  });

  it('that nobody expected shows nothing of its inside', async () => {
    const broken = await openTestApi({
      parts: ({ presence, store }) => ({
        presence,
        store: {
          tasks: store.tasks,
          users: store.users,
          files: store.files,
          uploads: store.uploads,
          history: store.history,
          registrations: store.registrations,
          webhooks: store.webhooks,
          audit: store.audit,
          workers: new Proxy(store.workers, {
            get: () => () => Promise.reject(new TypeError('secret inside of /srv/code.ts')),
          }),
          nextTerm: () => store.nextTerm(),
          copies: store.copies,
          generation: () => store.generation(),
          ping: () => Promise.reject(new AppError('store_unavailable', 'the store does not answer')),
          close: () => store.close(),
        },
      }),
    });
    try {
      const reply = await broken.call<Refused>('GET', '/workers');
      expect(reply).toMatchObject({ status: 500, body: { code: 'internal', details: [] } });
      expect(reply.text).not.toMatch(/secret|inside|TypeError/);
      expect(await broken.call('GET', '/readyz')).toMatchObject({
        status: 503,
        body: { checks: { store: { ok: false, message: 'the store does not answer' } } },
      });
    } finally {
      await broken.close();
    }
  });

  it('of a body of 64 KB where a small one belongs is 413', async () => {
    const body = { username: 'x'.repeat(70_000), password: 'x' };
    expect(await test.call('POST', '/api/auth/login', { body })).toMatchObject({
      status: 413,
      body: { code: 'too_large' },
    });
  });
});

describe('headers', () => {
  it('keep a harmless request id and replace any other', async () => {
    const ask = async (given: string) =>
      (await test.call('GET', '/healthz', { headers: { 'x-request-id': given } })).headers['x-request-id'];
    expect(await ask('trace-1.a')).toBe('trace-1.a');
    expect(await ask('a b')).toMatch(/^req-/);
    expect(await ask('x'.repeat(100))).toMatch(/^req-/);
  });

  it('are safe on every kind of reply', async () => {
    for (const path of ['/healthz', '/', '/nowhere', '/api/tasks', '/queues']) {
      const { headers } = await test.call('GET', path);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'permissions-policy': expect.stringContaining('camera=()'),
        'cross-origin-opener-policy': 'same-origin',
      });
      expect(headers['strict-transport-security']).toBeUndefined();
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['set-cookie']).toBeUndefined();
    }
  });

  it('let no other site read replies', async () => {
    const { headers } = await test.call('GET', '/telemetry', {
      headers: { origin: 'https://elsewhere.example' },
    });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('the dashboard', () => {
  it('says how to build it while it is not built', async () => {
    const reply = await test.call<string>('GET', '/');
    expect(reply.status).toBe(200);
    expect(reply.headers['content-type']).toContain('text/html');
    expect(reply.text).toContain('npm run build');
  });

  it('is served once it is there, with its own routes and lasting assets, and no file beside it', async () => {
    const web = test.config.webDir;
    await mkdir(`${web}/assets`, { recursive: true });
    await writeFile(`${web}/index.html`, '<!doctype html>the dashboard');
    await writeFile(`${web}/assets/app-1a2b.js`, 'export {};');
    await writeFile(`${web}/.secret`, 'hidden');
    await writeFile(`${web}/../beside.txt`, 'outside');
    const html = { accept: 'text/html,application/xhtml+xml' };

    for (const path of ['/', '/tasks/task-1', '/index.html']) {
      const page = await test.call<string>('GET', path, { headers: html });
      expect({ path, status: page.status }).toEqual({ path, status: 200 });
      expect(page.text).toContain('the dashboard');
      expect(page.headers['cache-control']).toBe('no-cache');
      expect(page.headers['content-security-policy']).toContain("script-src 'self'");
      // Pictures in files are shown from memory; scripts and documents from there never are.
      expect(page.headers['content-security-policy']).toContain("img-src 'self' data: blob:;");
      expect(String(page.headers['content-security-policy']).split('blob:')).toHaveLength(2);
    }
    const asset = await test.call('GET', '/assets/app-1a2b.js');
    expect(asset.status).toBe(200);
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(asset.headers['content-type']).toMatch(/javascript/);
    const known = await test.call('GET', '/', { headers: { 'if-none-match': String(asset.headers.etag) } });
    expect(known.status).toBe(200);
    const same = await test.call('GET', '/assets/app-1a2b.js', {
      headers: { 'if-none-match': String(asset.headers.etag) },
    });
    expect(same.status).toBe(304);

    const source = `export const much = '${'a'.repeat(2_000)}';`;
    await writeFile(`${web}/assets/much-3c4d.js`, source);
    await writeFile(`${web}/assets/much-3c4d.js.br`, 'packed by the build, br');
    await writeFile(`${web}/assets/much-3c4d.js.gz`, 'packed by the build, gz');
    for (const [accepted, encoding, text] of [
      ['gzip, deflate, br', 'br', 'packed by the build, br'],
      ['br;q=0, gzip', 'gzip', 'packed by the build, gz'],
      ['identity', undefined, source],
    ] as const) {
      const packed = await test.call('GET', '/assets/much-3c4d.js', {
        headers: { 'accept-encoding': accepted },
      });
      expect(packed.text).toBe(text);
      expect(packed.headers['content-encoding']).toBe(encoding);
      expect(packed.headers['content-type']).toMatch(/javascript/);
      expect(packed.headers['content-length']).toBe(text.length);
      expect(packed.headers.vary).toBe('accept-encoding');
      expect(packed.headers['cache-control']).toContain('immutable');
      expect(packed.headers['content-security-policy']).toContain("script-src 'self'");
      const again = { 'accept-encoding': accepted, 'if-none-match': String(packed.headers.etag) };
      expect((await test.call('GET', '/assets/much-3c4d.js', { headers: again })).status).toBe(304);
    }

    for (const path of [
      '/.secret',
      '/../beside.txt',
      '/..%2fbeside.txt',
      '/assets/..%2f..%2fbeside.txt',
      `/${encodeURIComponent(resolve(web, '../beside.txt'))}`,
      '/assets',
      '/assets/gone.js',
      '/api/nowhere',
      '/api',
    ]) {
      const reply = await test.call<Refused>('GET', path, { headers: path === '/assets' ? {} : html });
      expect({ path, status: reply.status, code: reply.body.code }).toEqual({
        path,
        status: 404,
        code: 'not_found',
      });
    }
  });
});

describe('stopping', () => {
  it('lets a request that is under way finish', async () => {
    const other = await openTestApi();
    const arrived = new Promise<void>((done) => {
      other.api.server.ext('onPreHandler', (_request, h) => {
        done();
        return h.continue;
      });
    });
    const url = await other.api.start();
    const asked = fetch(`${url}/api/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'alice', password: 'secure123' }),
    });
    // The hash takes a while; the stop comes in the middle of it.
    await arrived;
    await other.close();
    expect((await asked).status).toBe(201);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });
});
