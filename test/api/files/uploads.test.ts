// Uploads: kept whole or not at all, replaced, checked, refused; whose they are; any bytes of any type.

import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FileBody, FileListReply } from '../../../shared/contracts/files.ts';
import type { ErrorBody } from '../../../shared/contracts/http.ts';
import { AppError } from '../../../shared/errors.ts';
import type { FileStore } from '../../../shared/ports/file-store.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { Person } from '../harness.ts';
import { type FetchOptions, type FileStage, openFileStage } from './stage.ts';

let stage: FileStage;
let alice: Person;
const written = new Set<string>();
let write: FileStore['write'];

beforeAll(async () => {
  stage = await openFileStage('disk', { env: { FILE_MAX_MB: '1' } });
  ({ alice } = stage);
  const { write: inner, remove } = stage.files;
  write = async (id, ...rest) => {
    const kept = await inner(id, ...rest);
    written.add(id);
    return kept;
  };
  stage.files.write = write;
  stage.files.remove = async (ids) => {
    await remove(ids);
    for (const id of ids) written.delete(id);
  };
});
afterEach(() => {
  stage.files.write = write;
});
afterAll(() => stage?.close());

type Content = NonNullable<FetchOptions['body']>;

const MAX_BYTES = 1_048_576;
const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
const put = (path: string, body: Content, headers: Record<string, string> = {}, as: Person | null = alice) =>
  stage.fetch(as, 'PUT', `/api/files/${path}`, { body, headers });
const get = (path: string, as: Person = alice) => stage.fetch(as, 'GET', `/api/files/${path}`);
const refused = async (response: Response): Promise<[number, string]> => [
  response.status,
  ((await response.json()) as ErrorBody).code,
];
/** A body of unknown length. */
const streamOf = (bytes: number) =>
  new ReadableStream<Uint8Array>({
    pull(sink) {
      if (bytes <= 0) return sink.close();
      const piece = Math.min(bytes, 65_536);
      bytes -= piece;
      sink.enqueue(new Uint8Array(piece));
    },
  });

describe('an upload', () => {
  it('is kept as it is, and told with its sum and its place', async () => {
    const content = randomBytes(300_000);
    const reply = await put('in/data%20one.bin', content);
    expect(reply.status).toBe(201);
    expect(reply.headers.get('etag')).toBe(`"${sha256(content)}"`);
    expect(reply.headers.get('location')).toBe('/api/files/in/data%20one.bin');
    expect(await reply.json()).toEqual({
      path: 'in/data one.bin',
      task_id: null,
      attempt: null,
      size_bytes: 300_000,
      content_type: 'application/octet-stream',
      sha256: sha256(content),
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    } satisfies FileBody);
    const back = await get('in/data%20one.bin');
    expect(Buffer.from(await back.arrayBuffer()).equals(content)).toBe(true);
    expect(back.headers.get('content-disposition')).toContain('data one.bin');
  });

  it.each<[string, string | undefined, string]>([
    ['a.json', 'application/json', 'application/json'],
    ['broken.json', 'application/json', 'application/json'],
    ['a.csv', undefined, 'text/csv'],
    ['b.csv', 'application/x-www-form-urlencoded', 'text/csv'],
    ['form', 'multipart/form-data; boundary=x', 'multipart/form-data; boundary=x'],
    ['page.html', 'text/html', 'text/html'],
    ['none', undefined, 'application/octet-stream'],
  ])('of any type is never parsed: %s as %s', async (path, sent, kept) => {
    const body = new TextEncoder().encode('{"not": json');
    const reply = await put(`types/${path}`, body, sent ? { 'content-type': sent } : {});
    expect(reply.status).toBe(201);
    expect(await reply.json()).toMatchObject({ content_type: kept, size_bytes: 12 });
    const back = await get(`types/${path}`);
    expect(back.headers.get('content-type')).toBe(kept);
    expect(await back.text()).toBe('{"not": json');
  });

  it('may be empty, and as large as may be', async () => {
    expect((await put('empty', '')).status).toBe(201);
    const back = await get('empty');
    expect([back.status, back.headers.get('content-length'), await back.text()]).toEqual([200, '0', '']);
    expect((await put('full', new Uint8Array(MAX_BYTES))).status).toBe(201);
  });

  it('takes the place of an earlier one, whose bytes go', async () => {
    const [first, second] = [await put('twice', 'one'), await put('twice', 'two')];
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(await (await get('twice')).text()).toBe('two');
    const there = await stage.test.store.files.list({ ownerId: alice.id }, { limit: 1_000 });
    expect([...written].sort()).toEqual(there.files.map(({ id }) => id).sort());
  });

  it('of a path that is taken is refused when it may not replace', async () => {
    const only = { 'if-none-match': '*' };
    expect((await put('once', 'one', only)).status).toBe(201);
    expect(await refused(await put('once', 'two', only))).toEqual([409, 'conflict']);
    expect(await (await get('once')).text()).toBe('one');
    expect(await refused(await put('once', 'two', { 'if-none-match': '"x"' }))).toEqual([
      400,
      'invalid_request',
    ]);
  });

  it('is checked against the sum that came with it', async () => {
    const digest = `sha-256=:${createHash('sha256').update('right').digest('base64')}:`;
    expect((await put('sum', 'right', { 'content-digest': digest })).status).toBe(201);
    expect((await put('sum', 'right', { 'x-checksum-sha256': sha256('right') })).status).toBe(200);
    const before = written.size;
    expect(await refused(await put('sum', 'wrong', { 'content-digest': digest }))).toEqual([
      400,
      'invalid_request',
    ]);
    expect(await refused(await put('sum', 'x', { 'x-checksum-sha256': 'abc' }))).toEqual([
      400,
      'invalid_request',
    ]);
    expect(await (await get('sum')).text()).toBe('right');
    expect(written.size).toBe(before);
  });

  it.each<[string, () => Content]>([
    ['says so beforehand', () => new Uint8Array(MAX_BYTES + 1)],
    ['turns out to be', () => streamOf(MAX_BYTES + 1)],
    ['never ends', () => streamOf(2 ** 33)],
  ])('that is too large and %s leaves nothing', async (_what, body) => {
    const before = written.size;
    const reply = await put('big', body());
    const { code, message } = (await reply.json()) as ErrorBody;
    expect([reply.status, code]).toEqual([413, 'too_large']);
    expect(message).toContain('at most 1 MB');
    expect((await get('big')).status).toBe(404);
    expect(written.size).toBe(before);
  });

  it('is not even asked for when it says that it is too large', async () => {
    const { hostname, port } = new URL(stage.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `PUT /api/files/big HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${alice.token}\r\n` +
        `content-length: ${2 ** 40}\r\nexpect: 100-continue\r\n\r\n`,
    );
    let said = '';
    for await (const chunk of socket) said += chunk;
    expect(said).toMatch(/^HTTP\/1.1 413 /);
  });

  it('that breaks off leaves nothing', async () => {
    const { hostname, port } = new URL(stage.url);
    let begun = false;
    let failed: unknown = null;
    stage.files.write = (...args) => {
      begun = true;
      return write(...args).catch((error) => {
        failed = error;
        throw error;
      });
    };
    const socket = connect(Number(port), hostname);
    socket.write(
      `PUT /api/files/half HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${alice.token}\r\ncontent-length: 1000\r\n\r\nhalf`,
    );
    await waitFor(() => begun, { what: 'the writing to begin' });
    socket.destroy();
    await waitFor(() => failed, { what: 'the writing to fail' });
    expect(failed).toMatchObject({ code: 'invalid_request', message: expect.stringContaining('broke off') });
    expect((await get('half')).status).toBe(404);
  });

  it.each([
    ['packed bytes', '', { 'content-encoding': 'gzip' }],
    ['a part', '', { 'content-range': 'bytes 0-0/10' }],
    ['another user', '?user=bob', {}],
  ])('of %s is refused, not taken for what it is not', async (_what, query, headers) => {
    expect(await refused(await put(`packed${query}`, 'x', headers))).toEqual([400, 'invalid_request']);
    expect((await get('packed')).status).toBe(404);
  });

  it('says when the store is away or full, and leaves no record', async () => {
    for (const [code, status] of [
      ['store_unavailable', 503],
      ['disk_full', 503],
    ] as const) {
      stage.files.write = () =>
        Promise.reject(new AppError(code, 'secret words of a vendor', { retryable: true }));
      const reply = await put('away', 'x');
      expect(reply.status).toBe(status);
      expect(reply.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(await reply.text()).not.toContain('secret');
      expect((await get('away')).status).toBe(404);
    }
  });

  it('whose record was kept although the store did not say so is there', async () => {
    const { files } = stage.test.store;
    const inner = files.put.bind(files);
    const away = new AppError('store_unavailable', 'no answer', { retryable: true });
    files.put = async (records) => {
      await inner(records);
      throw away;
    };
    expect((await put('unsure', 'x')).status).toBe(201);
    const before = written.size;
    files.put = () => Promise.reject(away);
    expect((await put('not-kept', 'x')).status).toBe(503);
    expect(written.size).toBe(before);
    files.put = inner;
    expect(await (await get('unsure')).text()).toBe('x');
    expect((await get('not-kept')).status).toBe(404);
  });

  it('needs a sign-in', async () => {
    expect(await refused(await put('x', 'x', {}, null))).toEqual([401, 'unauthenticated']);
  });
});

describe('a path', () => {
  it('is decoded once, and carries whatever a name may hold', async () => {
    const name = 'a b/50%25/#?&+;=€/%2e%2e.txt';
    const address = name.split('/').map(encodeURIComponent).join('/');
    expect(await (await put(address, 'x')).json()).toMatchObject({ path: name });
    expect(await (await get(address)).text()).toBe('x');
  });

  it.each([
    '/api/files/..%2f..%2fetc/passwd',
    '/api/files/a/..%2f..%2fb',
    '/api/files/a%2f%2e%2e%2fb',
    '/api/files/%2fetc/passwd',
    '/api/files/a//b',
    '/api/files/a%00b',
    '/api/files/a%0ab',
    '/api/files/a%5c..%5cb',
    '/api/files/%ff',
    '/api/files/%',
    `/api/files/${'x'.repeat(256)}`,
    `/api/files/${'d/'.repeat(600)}x`,
    '/api/files/',
    '/api/files/../../etc/passwd',
    '/api/files/%2e%2e/%2e%2e/etc/passwd',
    '/api/files/a/../../../b',
  ])('%s is refused', async (path) => {
    for (const method of ['PUT', 'GET', 'DELETE']) {
      if (path === '/api/files/' && method === 'GET') continue;
      const { status, text } = await stage.raw(alice, method, path);
      expect([400, 404, 405]).toContain(status);
      expect(JSON.parse(text)).toMatchObject({ statusCode: status });
    }
  });
});

describe('the space of a user', () => {
  it('is the owner’s and the admins’', async () => {
    await put('mine.txt', 'mine');
    const asBob = (method: string, path: string) => stage.fetch(stage.bob, method, path);
    for (const method of ['GET', 'HEAD', 'DELETE']) {
      expect((await asBob(method, '/api/files/mine.txt')).status).toBe(404);
      expect((await asBob(method, '/api/files/mine.txt?user=alice')).status).toBe(403);
    }
    expect((await asBob('GET', '/api/files?user=alice')).status).toBe(403);
    expect((await asBob('GET', '/api/files?user=nobody')).status).toBe(403);
    expect((await asBob('GET', '/api/files?user=BOB')).status).toBe(200);
    const asAdmin = (path: string) => stage.fetch(stage.admin, 'GET', path);
    expect(await (await asAdmin('/api/files/mine.txt?user=alice')).text()).toBe('mine');
    expect((await asAdmin('/api/files?user=nobody')).status).toBe(404);
    const list = (await (await asAdmin('/api/files?user=Alice')).json()) as FileListReply;
    expect(list.files.map(({ path }) => path)).toContain('mine.txt');
    expect(((await (await asBob('GET', '/api/files')).json()) as FileListReply).total).toEqual({
      files: 0,
      bytes: 0,
    });
  });

  it('lists uploads and outputs in order of path, page by page, with their total', async () => {
    const carol = await stage.test.signUp('carol');
    const task = await stage.task(carol);
    for (const path of ['b', 'a/x', 'c']) await put(path, path, {}, carol);
    await stage.leave(task, 'b', 'output');
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const reply = await stage.fetch(carol, 'GET', `/api/files?limit=2${query}`);
      const page = (await reply.json()) as FileListReply;
      expect(page.total).toEqual({ files: 4, bytes: 11 });
      seen.push(...page.files.map(({ path, task_id }) => `${path} ${task_id ?? 'upload'}`));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(seen).toEqual(['a/x upload', 'b upload', `b ${task.id}`, 'c upload']);
    for (const query of ['limit=0', 'limit=1001', 'cursor=nonsense', 'user=', 'x=1']) {
      expect((await stage.fetch(carol, 'GET', `/api/files?${query}`)).status).toBe(400);
    }
  });

  it('forgets a file that is deleted, bytes and all', async () => {
    await put('gone', 'x');
    const before = written.size;
    expect((await stage.fetch(alice, 'DELETE', '/api/files/gone')).status).toBe(204);
    expect(written.size).toBe(before - 1);
    for (const method of ['GET', 'DELETE']) {
      expect(await refused(await stage.fetch(alice, method, '/api/files/gone'))).toEqual([404, 'not_found']);
    }
  });

  it('holds what a task may name as input', async () => {
    await put('inputs/a.csv', 'x');
    const submit = (files: string[]) =>
      stage.test.call<ErrorBody>('POST', '/api/tasks', { as: alice, body: { docker_image: 'a', files } });
    expect((await submit(['inputs/a.csv'])).status).toBe(201);
    expect((await submit(['inputs/b.csv'])).status).toBe(400);
    const clash = await submit(['inputs', 'inputs/a.csv']);
    expect(clash).toMatchObject({ status: 400, body: { details: [{ field: 'files' }] } });
  });
});
