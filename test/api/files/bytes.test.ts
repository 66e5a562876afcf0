// Bytes over a real socket from both kinds of file store: whole, in part, in archives, cut off by either side.

import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Task } from '../../../shared/model/task.ts';
import type { ByteRange } from '../../../shared/ports/file-store.ts';
import { tempDir } from '../../support/servers.ts';
import { readTree, unpack } from '../../support/unpack.ts';
import { waitFor } from '../../support/wait-for.ts';
import { BYTE_STORES, type FileStage, openFileStage } from './stage.ts';

/** As the stage has it. */
const WRITTEN_AT = Date.parse('2026-01-02T03:04:06.000Z');

describe.each(BYTE_STORES)('files on %s', (kind) => {
  let stage: FileStage;
  let task: Task;
  let read: FileStage['files']['read'];
  const content = randomBytes(700_001);
  const etag = `"${createHash('sha256').update(content).digest('hex')}"`;

  beforeAll(async () => {
    stage = await openFileStage(kind);
    ({ read } = stage.files);
    task = await stage.task(stage.alice);
    await stage.leave(task, 'data.bin', content);
    await stage.leave(task, 'empty', '');
  });
  afterEach(() => {
    stage.files.read = read;
  });
  afterAll(() => stage?.close());

  const get = (headers: Record<string, string> = {}, method = 'GET', path = 'data.bin') =>
    stage.fetch(stage.alice, method, `/api/tasks/${task.id}/files/${path}`, { headers });
  const bytesOf = async (reply: Response) => Buffer.from(await reply.arrayBuffer());
  /** Which bytes the store is asked for. */
  const asked: (ByteRange | undefined)[] = [];
  const watchReads = () => {
    asked.length = 0;
    stage.files.read = (id, range) => {
      asked.push(range);
      return read(id, range);
    };
  };

  it('come whole, with all that is known of them', async () => {
    const reply = await get();
    expect(reply.status).toBe(200);
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      'content-length': '700001',
      'accept-ranges': 'bytes',
      'last-modified': 'Fri, 02 Jan 2026 03:04:06 GMT',
      etag,
    });
    expect((await bytesOf(reply)).equals(content)).toBe(true);
  });

  it('are described without being read', async () => {
    watchReads();
    const reply = await get({}, 'HEAD');
    expect([reply.status, reply.headers.get('content-length'), reply.headers.get('etag')]).toEqual([
      200,
      '700001',
      etag,
    ]);
    const known = await get({ 'if-none-match': `W/${etag}` });
    expect([known.status, known.headers.get('etag'), await known.text()]).toEqual([304, etag, '']);
    expect((await get({ 'if-none-match': '*' }, 'HEAD')).status).toBe(304);
    expect(asked).toEqual([]);
  });

  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=262144-', 262_144, 700_001],
    ['bytes=-1', 700_000, 700_001],
    ['bytes=300000-399999', 300_000, 400_000],
    ['bytes=699999-9999999', 699_999, 700_001],
    ['bytes=-9999999', 0, 700_001],
  ])('come in part: %s', async (range, start, end) => {
    watchReads();
    const reply = await get({ range });
    expect(reply.status).toBe(206);
    expect(reply.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/700001`);
    expect(reply.headers.get('content-length')).toBe(String(end - start));
    expect((await bytesOf(reply)).equals(content.subarray(start, end))).toBe(true);
    // Nothing but these is read.
    expect(asked).toEqual([end - start === 700_001 ? undefined : { start, end }]);
  });

  it('come in any part', async () => {
    const place = fc.nat(content.length - 1);
    await fc.assert(
      fc.asyncProperty(place, place, async (one, other) => {
        const [first, last] = [Math.min(one, other), Math.max(one, other)];
        const part = await bytesOf(await get({ range: `bytes=${first}-${last}` }));
        expect(part.equals(content.subarray(first, last + 1))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('come whole where a part makes no sense, and not at all where there is none', async () => {
    for (const headers of [
      { range: 'bytes=0-4,10-14' },
      { range: 'lines=1-2' },
      { range: 'bytes=0-4', 'if-range': '"another version"' },
    ]) {
      const reply = await get(headers);
      expect([reply.status, (await bytesOf(reply)).length]).toEqual([200, 700_001]);
    }
    const reply = await get({ range: 'bytes=700001-' });
    expect([reply.status, reply.headers.get('content-range')]).toEqual([416, 'bytes */700001']);
    expect(await reply.json()).toMatchObject({ statusCode: 416, code: 'range_not_satisfiable' });
    expect((await get({ range: 'bytes=0-4', 'if-range': etag })).status).toBe(206);
  });

  it('may be none', async () => {
    const reply = await get({}, 'GET', 'empty');
    expect([reply.status, reply.headers.get('content-length'), await reply.text()]).toEqual([200, '0', '']);
    expect((await get({ range: 'bytes=0-' }, 'GET', 'empty')).status).toBe(416);
  });

  it('make a round trip through an upload', async () => {
    const put = await stage.fetch(stage.alice, 'PUT', '/api/files/up.bin', { body: content });
    expect([put.status, put.headers.get('etag')]).toEqual([201, etag]);
    const back = await stage.fetch(stage.alice, 'GET', '/api/files/up.bin');
    expect((await bytesOf(back)).equals(content)).toBe(true);
  });

  it('that are gone, or fewer than were promised, never look whole', async () => {
    const file = await stage.leave(task, 'broken', 'x'.repeat(100_000));
    const cut = (headers = {}) => get(headers, 'GET', 'broken').then(bytesOf);
    stage.files.read = async () => Readable.from([Buffer.alloc(50_000)]);
    await expect(cut()).rejects.toThrow();
    await expect(cut({ range: 'bytes=0-59999' })).rejects.toThrow();
    stage.files.read = async () => Readable.from([Buffer.alloc(200_000)]);
    await expect(cut()).rejects.toThrow();
    stage.files.read = read;
    await stage.files.remove([file.id]);
    expect((await get({}, 'GET', 'broken')).status).toBe(404);
    await stage.test.store.files.remove([file.id]);
  });

  it('are read no further when the reader leaves', async () => {
    let given: Readable | null = null;
    stage.files.read = async () => {
      given = Readable.from(endless(), { objectMode: false });
      return given;
    };
    await stage.leave(task, 'long', Buffer.alloc(1_000_000));
    const file = await stage.test.store.files.find({
      ownerId: stage.alice.id,
      taskId: task.id,
      attempt: 1,
      path: 'long',
    });
    if (!file) throw new Error('the file is not there');
    await stage.test.store.files.put([{ ...file, sizeBytes: 2 ** 40 }]);
    const stop = new AbortController();
    const path = `/api/tasks/${task.id}/files/long`;
    const reply = await stage.fetch(stage.alice, 'GET', path, { signal: stop.signal });
    await reply.body?.getReader().read();
    stop.abort();
    await waitFor(() => given?.destroyed, { what: 'the reading to end' });
    await stage.test.store.files.remove([file.id]);
  });

  describe('in an archive', () => {
    const names = [
      'a.txt',
      'deep/er/data.bin',
      'grüße €/😀 "quoted".txt',
      'c:drive',
      'empty',
      `long/${'n'.repeat(200)}`,
    ];
    let packed: Task;
    const contents = new Map<string, Buffer>();

    beforeAll(async () => {
      packed = await stage.task(stage.alice);
      for (const name of names) {
        const bytes =
          name === 'empty' ? Buffer.alloc(0) : name.endsWith('.bin') ? content : Buffer.from(name);
        contents.set(name, bytes);
        await stage.leave(packed, name, bytes);
      }
    });

    const archive = (query: string, signal?: AbortSignal) =>
      stage.fetch(stage.alice, 'GET', `/api/tasks/${packed.id}/archive${query}`, signal ? { signal } : {});

    it.each([
      ['', 'tar.gz'],
      ['?format=tar.gz&attempt=1', 'tar.gz'],
      ['?format=zip', 'zip'],
    ] as const)('%s are what they were', async (query, format) => {
      const folder = await tempDir();
      const reply = await archive(query);
      expect(reply.status).toBe(200);
      const archived = await bytesOf(reply);
      await writeFile(`${folder.path}/archive`, archived);
      await mkdir(`${folder.path}/in`);
      await unpack(`${folder.path}/archive`, format, `${folder.path}/in`);
      const tree = await readTree(`${folder.path}/in`);
      const expected = names.map((name) => (format === 'zip' ? name.replace(/^c:/, 'c%3A') : name)).sort();
      expect([...tree.keys()].sort()).toEqual(expected);
      for (const [name, bytes] of contents) {
        const found = tree.get(name) ?? tree.get(name.replace(/^c:/, 'c%3A'));
        expect(found?.content.equals(bytes)).toBe(true);
        if (format === 'tar.gz') expect(found?.modifiedAt).toBe(WRITTEN_AT);
      }
      // Not every unzip keeps the time, so it is looked for in the archive: once per file in its index.
      if (format === 'zip') expect(occurrences(archived, infoZipTime(WRITTEN_AT))).toBe(names.length);
      await folder.remove();
    });

    it.each(['tar.gz', 'zip'])('%s never end well when one cannot be read', async (format) => {
      for (const broken of [
        async () => Promise.reject(new Error('the store is away')),
        async () => Readable.from([Buffer.alloc(10)]),
        async () => Readable.from(failing(), { objectMode: false }),
      ]) {
        let count = 0;
        stage.files.read = (id, range) => {
          count += 1;
          return count === 2 ? broken() : read(id, range);
        };
        const reply = await archive(`?format=${format}`);
        await expect(reply.arrayBuffer()).rejects.toThrow();
      }
    });

    it.each(['tar.gz', 'zip'])('%s are read no further when the reader leaves', async (format) => {
      const given: Readable[] = [];
      stage.files.read = async () => {
        const one = Readable.from(endless(), { objectMode: false });
        given.push(one);
        return one;
      };
      const large = await stage.task(stage.alice);
      for (const path of ['a', 'b']) {
        const file = await stage.leave(large, path, 'x');
        await stage.test.store.files.put([{ ...file, sizeBytes: 2 ** 33 }]);
      }
      const stop = new AbortController();
      const path = `/api/tasks/${large.id}/archive?format=${format}`;
      const reply = await stage.fetch(stage.alice, 'GET', path, { signal: stop.signal });
      await reply.body?.getReader().read();
      stop.abort();
      await waitFor(() => given[0]?.destroyed, { what: 'the reading to end' });
      expect(given).toHaveLength(1);
    });
  });
});

/** The extra field of an entry that holds its time as seconds since the epoch. */
function infoZipTime(ms: number): Buffer {
  const field = Buffer.from([0x55, 0x54, 5, 0, 3, 0, 0, 0, 0]);
  field.writeUInt32LE(ms / 1_000, 5);
  return field;
}

function occurrences(bytes: Buffer, of: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(of); at >= 0; at = bytes.indexOf(of, at + 1)) count += 1;
  return count;
}

async function* endless() {
  for (;;) yield randomBytes(65_536);
}

async function* failing() {
  yield Buffer.alloc(3);
  throw new Error('the disk broke');
}
