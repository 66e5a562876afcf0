import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileBodyOf, playFiles, sha256 } from '../test/support/played-files.ts';
import { refusal, type SmallApi, Status, startSmallApi, TASK_ID } from '../test/support/small-api.ts';
import { type Client, createClient } from './client.ts';

let api: SmallApi;
let client: Client;

beforeEach(async () => {
  api = await startSmallApi();
  client = createClient({ url: api.url, token: 'secret-token', timeoutMs: 2_000 });
});
afterEach(() => api.close());

const last = () => api.asked.at(-1);
const textOf = (body: ReadableStream<Uint8Array>) => new Response(body).text();
const streamOf = (...pieces: string[]) =>
  new ReadableStream<Uint8Array>({
    start(sink) {
      for (const piece of pieces) sink.enqueue(new TextEncoder().encode(piece));
      sink.close();
    },
  });

describe('lists', () => {
  it('ask for a page of whom and of what', async () => {
    api.on('GET /api/files', () => ({ files: [], total: { files: 0, bytes: 0 }, next_cursor: null }));
    api.on('GET /api/tasks/:id/files', () => ({ files: [], attempt: 2 }));
    await client.listFiles({ user: 'alice', limit: 5, cursor: 'c' });
    expect(last()?.query).toEqual({ user: 'alice', limit: '5', cursor: 'c' });
    expect(await client.listTaskFiles(TASK_ID, { attempt: 2 })).toMatchObject({ attempt: 2 });
    expect(last()?.query).toEqual({ attempt: '2' });
  });
});

describe('an upload', () => {
  const kept = fileBodyOf('in/a b.csv', 'hello world', { task_id: null, attempt: null });

  it.each<[string, () => Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>]>([
    ['a blob', () => new Blob(['hello world'])],
    ['bytes', () => new TextEncoder().encode('hello world')],
    ['a stream', () => streamOf('hello ', 'world')],
  ])('sends %s as it stands', async (_what, content) => {
    api.on('PUT /api/files/.+', () => new Status(201, kept));
    expect(await client.uploadFile('in/a b.csv', content())).toEqual({ file: kept, replaced: false });
    expect(last()).toMatchObject({ path: '/api/files/in/a%20b.csv', body: Buffer.from('hello world') });
    expect(last()?.headers.authorization).toBe('Bearer secret-token');
  });

  it('says type, checksum and that nothing may be replaced', async () => {
    api.on('PUT /api/files/.+', () => new Status(200, kept));
    const options = { contentType: 'text/csv', sha256: 'ab', onlyNew: true };
    expect(await client.uploadFile('a', new Blob(['x']), options)).toMatchObject({ replaced: true });
    expect(last()?.headers).toMatchObject({
      'content-type': 'text/csv',
      'x-checksum-sha256': 'ab',
      'if-none-match': '*',
    });
  });

  it('of a stream is never kept for a second sending', async () => {
    let given: RequestInit | undefined;
    const watched = createClient({
      url: api.url,
      fetch: async (_address, init) => {
        given = init;
        return Response.json(kept, { status: 201 });
      },
    });
    await watched.uploadFile('a', streamOf('x'));
    expect(given).toMatchObject({ redirect: 'error', window: null, duplex: 'half' });
  });

  it('fails as the API says, or when that is no CloudAI', async () => {
    api.on('PUT /api/files/.+', () => refusal(413, 'too_large', 'a file may have at most 1 MB'));
    await expect(client.uploadFile('a', streamOf('x'))).rejects.toMatchObject({ code: 'too_large' });
    api.on('PUT /api/files/.+', () => 'hello');
    await expect(client.uploadFile('a', streamOf('x'))).rejects.toMatchObject({ code: 'unexpected_reply' });
  });
});

describe('a download', () => {
  const content = 'the bytes of a file';
  const file = fileBodyOf('out/#1?.txt', content);

  it('gives the bytes and what they are', async () => {
    playFiles(api, { [file.path]: content });
    const { body, ...facts } = await client.downloadFile(file);
    expect(facts).toEqual({ start: 0, sizeBytes: 19, sha256: sha256(content), contentType: 'text/plain' });
    expect(await textOf(body)).toBe(content);
    expect(last()).toMatchObject({
      path: `/api/tasks/${TASK_ID}/files/out/%231%3F.txt`,
      query: { attempt: '1' },
    });
    expect(client.fileUrl(file)).toBe(`${api.url}/api/tasks/${TASK_ID}/files/out/%231%3F.txt?attempt=1`);
    expect(client.fileUrl({ path: 'in/a' })).toBe(`${api.url}/api/files/in/a`);
  });

  it('goes on from a byte of the same version', async () => {
    playFiles(api, { [file.path]: content });
    const part = await client.downloadFile(file, { from: 4, sha256: file.sha256 });
    expect(part).toMatchObject({ start: 4, sizeBytes: 19 });
    expect(await textOf(part.body)).toBe(content.slice(4));
    const other = await client.downloadFile(file, { from: 4, sha256: sha256('another version') });
    expect(other).toMatchObject({ start: 0, sizeBytes: 19 });
    expect(await textOf(other.body)).toBe(content);
  });

  it('fails when it breaks off, and is let go when the reader has enough', async () => {
    const played = playFiles(api, { [file.path]: content });
    played.cutAfter = 3;
    const cut = await client.downloadFile(file);
    await expect(textOf(cut.body)).rejects.toMatchObject({ name: 'ConnectionError', kind: 'unreachable' });
    let closed = false;
    api.on('GET /api/tasks/:id/files/.+', (_asked, reply) => {
      reply
        .writeHead(200, { etag: `"${file.sha256}"`, 'content-length': 1_000_000 })
        .write('x'.repeat(1_000));
      reply.once('close', () => {
        closed = true;
      });
    });
    const long = await client.downloadFile(file);
    await long.body.cancel();
    await expect.poll(() => closed).toBe(true);
  });

  it('is given up by the caller', async () => {
    const stop = new AbortController();
    api.on('GET /api/tasks/:id/files/.+', (_asked, reply) => {
      reply.writeHead(200, { etag: `"${file.sha256}"`, 'content-length': 19 }).write('the ');
    });
    const { body } = await client.downloadFile(file, { signal: stop.signal });
    const end = textOf(body);
    stop.abort(new Error('enough'));
    await expect(end).rejects.toThrow('enough');
  });

  it.each<[string, number, Record<string, string | number>]>([
    ['no tag', 200, { 'content-length': 19 }],
    ['no length', 200, { etag: `"${file.sha256}"` }],
    ['another part', 206, { etag: `"${file.sha256}"`, 'content-range': 'bytes 7-18/19' }],
  ])('is none with %s', async (_what, status, headers) => {
    api.on(
      'GET /api/tasks/:id/files/.+',
      (_asked, reply) => void reply.writeHead(status, headers).end('x'.repeat(19)),
    );
    const asked = client.downloadFile(file, { from: status === 206 ? 4 : 0 });
    await expect(asked).rejects.toMatchObject({ code: 'unexpected_reply' });
  });

  it('says what the API says', async () => {
    api.on('GET /api/tasks/:id/files/.+', () =>
      refusal(416, 'range_not_satisfiable', 'the file has 19 bytes'),
    );
    await expect(client.downloadFile(file, { from: 19 })).rejects.toMatchObject({ status: 416 });
  });
});

describe('an archive', () => {
  it('is a stream, or an address', async () => {
    api.on('GET /api/tasks/:id/archive', (_asked, reply) => {
      reply.writeHead(200, { 'content-type': 'application/zip' }).end('PK');
    });
    expect(await textOf(await client.downloadArchive(TASK_ID, { format: 'zip', attempt: 2 }))).toBe('PK');
    expect(last()?.query).toEqual({ format: 'zip', attempt: '2' });
    expect(client.archiveUrl(TASK_ID, { format: 'zip' })).toBe(
      `${api.url}/api/tasks/${TASK_ID}/archive?format=zip`,
    );
  });
});

describe('deleting', () => {
  it('means an upload, a file of a task, or all of them', async () => {
    api.on('DELETE /api/.+', () => new Status(204, null));
    await client.deleteFile({ path: 'in/a' });
    await client.deleteFile({ path: 'out/a', task_id: TASK_ID, attempt: 1 });
    await client.deleteTaskFiles(TASK_ID);
    await client.deleteFile({ path: 'in/b' }, { user: 'alice' });
    expect(api.asked.at(-1)?.query).toEqual({ user: 'alice' });
    expect(api.asked.map(({ path }) => path)).toEqual([
      '/api/files/in/a',
      `/api/tasks/${TASK_ID}/files/out/a`,
      `/api/tasks/${TASK_ID}/files`,
      '/api/files/in/b',
    ]);
  });
});
