// Uploads in several goes over tus 1.0.0: cut, gone on with elsewhere, checked, refused, given up, swept.

import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FileBody } from '../../../shared/contracts/files.ts';
import type { ErrorBody } from '../../../shared/contracts/http.ts';
import { encodeMetadata, type UploadBody } from '../../../shared/contracts/uploads.ts';
import { AppError } from '../../../shared/errors.ts';
import { WRITER_LEASE_MS } from '../../../shared/model/upload.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { Person } from '../harness.ts';
import { BYTE_STORES, type FileStage, openFileStage } from './stage.ts';

const MB = 1_048_576;
const DAY_MS = 24 * 3_600_000;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const digest = (algorithm: string, bytes: Buffer) =>
  `${algorithm} ${createHash(algorithm).update(bytes).digest('base64')}`;

describe.each(BYTE_STORES)('an upload in several goes, its bytes in %s', (kind) => {
  let stage: FileStage;
  let alice: Person;
  /** Added to the clock of the API. */
  let later = 0;
  const kept = new Set<string>();

  beforeAll(async () => {
    const clock = { now: () => Date.now() + later, monotonic: () => performance.now() };
    stage = await openFileStage(kind, { env: { FILE_MAX_MB: '64' }, clock });
    ({ alice } = stage);
    const { write, remove } = stage.files;
    stage.files.write = async (id, ...rest) => {
      const written = await write(id, ...rest);
      kept.add(id);
      return written;
    };
    stage.files.remove = async (ids) => {
      await remove(ids);
      for (const id of ids) kept.delete(id);
    };
  });
  afterAll(() => stage?.close());
  beforeEach(() => {
    later = 0;
  });

  const call = (
    method: string,
    path: string,
    headers: Record<string, string> = {},
    { as = alice as Person | null, body = undefined as Buffer | undefined, at = stage.url } = {},
  ) =>
    fetch(`${at}${path}`, {
      method,
      headers: {
        'tus-resumable': '1.0.0',
        ...(as ? { authorization: `Bearer ${as.token}` } : {}),
        ...headers,
      },
      ...(body ? { body: new Uint8Array(body) } : {}),
    });
  const begin = async (path: string, size: number, more: Record<string, string> = {}) => {
    const { sha256: sum, ...headers } = more;
    const metadata = encodeMetadata({ path, sha256: sum });
    const reply = await call('POST', '/api/uploads', {
      'upload-length': String(size),
      'upload-metadata': metadata,
      ...headers,
    });
    expect(reply.status).toBe(201);
    return reply.headers.get('location') ?? '';
  };
  const send = (
    where: string,
    offset: number,
    body: Buffer,
    headers: Record<string, string> = {},
    at = stage.url,
  ) =>
    call(
      'PATCH',
      where,
      { 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset), ...headers },
      { body, at },
    );
  const offsetAt = async (where: string, at = stage.url) => {
    const reply = await call('HEAD', where, {}, { at });
    return reply.status === 200 ? Number(reply.headers.get('upload-offset')) : reply.status;
  };
  const fileAt = async (path: string) => {
    const reply = await stage.fetch(alice, 'GET', `/api/files/${path}`);
    return reply.status === 200 ? Buffer.from(await reply.arrayBuffer()) : reply.status;
  };
  const recordOf = async (where: string) => (await stage.test.store.uploads.get(where.split('/').at(-1)!))!;
  /** Sends the head and these bytes of a longer body, and stays. */
  const hold = async (
    where: string,
    offset: number,
    size: number,
    bytes: Buffer,
    at = stage.url,
  ): Promise<Socket> => {
    const { hostname, port } = new URL(at);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(
      `PATCH ${where} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${alice.token}\r\ntus-resumable: 1.0.0\r\n` +
        `content-type: application/offset+octet-stream\r\nupload-offset: ${offset}\r\ncontent-length: ${size - offset}\r\n\r\n`,
    );
    socket.write(bytes);
    await waitFor(async () => (await recordOf(where)).writer, { what: 'the upload to be written' });
    return socket;
  };
  const told = async (reply: Response): Promise<[number, string]> => [
    reply.status,
    ((await reply.json()) as ErrorBody).code,
  ];

  it('becomes a file with its last byte, and says so to whoever asks again', async () => {
    const bytes = randomBytes(3 * MB + 17);
    const before = kept.size;
    const where = await begin('in/a b/ü.csv', bytes.length);
    expect(await offsetAt(where)).toBe(0);
    const first = await send(where, 0, bytes.subarray(0, MB));
    expect([first.status, first.headers.get('upload-offset')]).toEqual([204, String(MB)]);
    expect(first.headers.get('tus-resumable')).toBe('1.0.0');
    expect(await fileAt('in/a b/ü.csv')).toBe(404);
    const state = async () => (await (await stage.fetch(alice, 'GET', where)).json()) as UploadBody;
    expect(await state()).toMatchObject({
      offset: MB,
      state: 'waiting',
      content_type: 'text/csv',
      sha256: null,
    });
    const last = await send(where, MB, bytes.subarray(MB));
    expect([last.status, last.headers.get('etag')]).toEqual([204, `"${sha256(bytes)}"`]);
    expect(last.headers.get('content-location')).toBe('/api/files/in/a%20b/%C3%BC.csv');
    expect(sha256((await fileAt('in/a b/ü.csv')) as Buffer)).toBe(sha256(bytes));
    expect(await state()).toMatchObject({ offset: bytes.length, state: 'completed', sha256: sha256(bytes) });
    expect((await send(where, bytes.length, Buffer.alloc(0))).status).toBe(204);
    expect(kept.size).toBe(before + 1);
    const list = await stage.fetch(alice, 'GET', '/api/files?limit=1000');
    const { files } = (await list.json()) as { files: FileBody[] };
    expect(files.find(({ path }) => path === 'in/a b/ü.csv')).toMatchObject({
      size_bytes: bytes.length,
      task_id: null,
    });
  });

  it('goes on after a cut, at another copy of the API', async () => {
    const bytes = randomBytes(3 * MB);
    const where = await begin('cut.bin', bytes.length, { sha256: sha256(bytes) });
    const socket = await hold(where, 0, bytes.length, bytes.subarray(0, 2 * MB + 5));
    await waitFor(() => socket.writableLength === 0 || null, { what: 'the bytes to be on their way' });
    socket.destroy();
    await waitFor(async () => (await recordOf(where)).writer === null, { what: 'the break to be seen' });
    const copy = await stage.test.copy();
    const at = await copy.api.start();
    const offset = await offsetAt(where, at);
    expect(offset).toBeGreaterThan(0);
    expect(offset).toBeLessThanOrEqual(2 * MB + 5);
    expect((await send(where, offset, bytes.subarray(offset), {}, at)).status).toBe(204);
    expect(sha256((await fileAt('cut.bin')) as Buffer)).toBe(sha256(bytes));
    await copy.close();
  });

  // The rest does not depend on where the bytes are, and is tried where it is quick.
  if (kind !== 'disk') return;

  it('keeps what has come when the copy that takes it is stopped', async () => {
    const bytes = randomBytes(2 * MB);
    const where = await begin('stopped.bin', bytes.length);
    const copy = await stage.test.copy();
    const socket = await hold(where, 0, bytes.length, bytes.subarray(0, MB), await copy.api.start());
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    await copy.close();
    expect(answer).toMatch(/^HTTP\/1.1 503 /);
    const offset = await offsetAt(where);
    expect((await recordOf(where)).writer).toBeNull();
    expect((await send(where, offset, bytes.subarray(offset))).status).toBe(204);
    expect(sha256((await fileAt('stopped.bin')) as Buffer)).toBe(sha256(bytes));
  });

  it('is written by one at a time, until that one shows no life any more', async () => {
    const bytes = randomBytes(MB);
    const where = await begin('two.bin', bytes.length);
    const silent = await hold(where, 0, bytes.length, Buffer.from('wrong'));
    expect(await told(await send(where, 0, bytes))).toEqual([409, 'conflict']);
    later = WRITER_LEASE_MS + 1;
    expect((await send(where, 0, bytes)).status).toBe(204);
    let answer = '';
    silent.on('data', (chunk) => {
      answer += chunk;
    });
    silent.write(Buffer.alloc(bytes.length - 5));
    await waitFor(() => /^HTTP\/1.1 409 /.test(answer), { what: 'the overruled one to be refused' });
    silent.destroy();
    expect(sha256((await fileAt('two.bin')) as Buffer)).toBe(sha256(bytes));
  });

  it('is finished by whoever finds it half finished', async () => {
    const bytes = randomBytes(MB);
    const { uploads, files } = stage.test.store;
    const put = files.put.bind(files);
    const commit = uploads.commit.bind(uploads);
    const away = new AppError('store_unavailable', 'no answer', { retryable: true });
    for (const [name, breakIt] of [
      ['before its record', () => (files.put = () => Promise.reject(away))],
      [
        'after its record',
        () => (uploads.commit = (next) => (next.result === null ? commit(next) : Promise.reject(away))),
      ],
    ] as const) {
      const where = await begin(name, bytes.length, { 'if-none-match': '*' });
      breakIt();
      expect((await send(where, 0, bytes)).status).toBe(503);
      files.put = put;
      uploads.commit = commit;
      expect(await offsetAt(where)).toBe(bytes.length);
      expect((await send(where, bytes.length, Buffer.alloc(0))).status).toBe(204);
      expect(sha256((await fileAt(name)) as Buffer)).toBe(sha256(bytes));
    }
  });

  it('with other bytes than its checksum leaves what was there', async () => {
    const before = kept.size;
    const bytes = randomBytes(100);
    expect((await stage.fetch(alice, 'PUT', '/api/files/sum', { body: 'old' })).status).toBe(201);
    const where = await begin('sum', 100, { sha256: sha256(bytes) });
    expect(await told(await send(where, 0, randomBytes(100)))).toEqual([460, 'checksum_mismatch']);
    expect(await offsetAt(where)).toBe(404);
    expect((await fileAt('sum')).toString()).toBe('old');
    const again = await begin('sum', 100);
    await send(again, 0, bytes.subarray(0, 50));
    const late = { 'x-checksum-sha256': sha256(Buffer.from('other')) };
    expect((await send(again, 50, bytes.subarray(50), late)).status).toBe(460);
    const third = await begin('sum', 100);
    expect((await send(third, 0, bytes, { 'x-checksum-sha256': sha256(bytes) })).status).toBe(204);
    expect(kept.size).toBe(before + 1);
  });

  it.each(['sha1', 'sha256'])('takes pieces that are checked by themselves with %s', async (algorithm) => {
    const bytes = randomBytes(2 * MB);
    const where = await begin(`pieces-${algorithm}`, bytes.length);
    const piece = bytes.subarray(0, MB);
    const wrong = { 'upload-checksum': digest(algorithm, bytes) };
    expect(await told(await send(where, 0, piece, wrong))).toEqual([460, 'checksum_mismatch']);
    expect(await offsetAt(where)).toBe(0);
    expect((await send(where, 0, piece, { 'upload-checksum': digest(algorithm, piece) })).status).toBe(204);
    const rest = bytes.subarray(MB);
    expect((await send(where, MB, rest, { 'upload-checksum': digest(algorithm, rest) })).status).toBe(204);
    expect(sha256((await fileAt(`pieces-${algorithm}`)) as Buffer)).toBe(sha256(bytes));
  });

  it('is refused at another place, and with more bytes than were announced', async () => {
    const where = await begin('place', 10);
    expect(await told(await send(where, 5, Buffer.from('x')))).toEqual([409, 'conflict']);
    expect((await send(where, 0, Buffer.alloc(4))).status).toBe(204);
    expect(await told(await send(where, 0, Buffer.from('x')))).toEqual([409, 'conflict']);
    expect(await told(await send(where, 4, Buffer.alloc(7)))).toEqual([413, 'too_large']);
    expect(await fileAt('place')).toBe(404);
  });

  it('is forgotten with its bytes when it is given up or nobody goes on for a day', async () => {
    const before = kept.size;
    const [given, left, done] = [await begin('x', 10), await begin('y', 10), await begin('z', 1)];
    for (const where of [given, left]) await send(where, 0, Buffer.from('half'));
    await send(done, 0, Buffer.from('z'));
    expect((await call('DELETE', given)).status).toBe(204);
    expect((await call('DELETE', given)).status).toBe(404);
    const { uploads } = stage.test.store;
    const there = await recordOf(left);
    expect(Math.abs(there.expiresAt - Date.now() - DAY_MS)).toBeLessThan(60_000);
    for (const where of [left, done]) {
      const record = await recordOf(where);
      await uploads.commit({ ...record, expiresAt: Date.now() - 1, revision: record.revision + 1 });
    }
    expect(await offsetAt(left)).toBe(404);
    // A copy that starts sweeps.
    const copy = await stage.test.copy();
    await waitFor(
      async () => (await stage.test.store.uploads.listExpired(Date.now() + later, 9)).length === 0,
      {
        what: 'the sweep',
      },
    );
    await copy.close();
    expect(kept.size).toBe(before + 1);
    expect((await fileAt('z')).toString()).toBe('z');
  });
});
