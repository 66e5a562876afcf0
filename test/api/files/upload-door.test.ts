// What uploads in several goes take and refuse at the door: versions, headers, owners, limits.

import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '../../../shared/contracts/http.ts';
import { encodeMetadata, type UploadListReply } from '../../../shared/contracts/uploads.ts';
import { MAX_OPEN_UPLOADS, uploadOffset } from '../../../shared/model/upload.ts';
import type { Person } from '../harness.ts';
import { type FileStage, openFileStage } from './stage.ts';

const MB = 1_048_576;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('the door of uploads', () => {
  let stage: FileStage;
  let alice: Person;
  beforeAll(async () => {
    stage = await openFileStage('disk', { env: { FILE_MAX_MB: '1' } });
    ({ alice } = stage);
  });
  afterAll(() => stage?.close());
  const call = (
    method: string,
    path: string,
    headers: Record<string, string> = {},
    as: Person | null = alice,
  ) => stage.fetch(as, method, path, { headers: { 'tus-resumable': '1.0.0', ...headers } });
  const length = (size: number | string) => ({ 'upload-length': String(size) });
  const named = (path: string) => ({ 'upload-metadata': encodeMetadata({ path }) });

  it('says what it speaks', async () => {
    const reply = await stage.fetch(null, 'OPTIONS', '/api/uploads');
    expect(reply.status).toBe(204);
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      'tus-resumable': '1.0.0',
      'tus-version': '1.0.0',
      'tus-extension': 'creation,expiration,checksum,termination',
      'tus-checksum-algorithm': 'sha1,sha256',
      'tus-max-size': String(MB),
    });
  });

  it('is for those who signed in, and an upload is its owner’s alone', async () => {
    expect((await call('POST', '/api/uploads', { ...length(1), ...named('a') }, null)).status).toBe(401);
    const made = await call('POST', '/api/uploads', { ...length(1), ...named('a') });
    const where = made.headers.get('location') ?? '';
    const patch = { 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' };
    for (const other of [stage.bob, stage.admin]) {
      for (const [method, headers] of [
        ['HEAD', {}],
        ['GET', {}],
        ['PATCH', patch],
        ['DELETE', {}],
      ] as const) {
        expect((await call(method, where, headers, other)).status).toBe(404);
      }
    }
    expect((await call('HEAD', where)).headers.get('upload-metadata')).toBe(named('a')['upload-metadata']);
    expect(((await (await call('GET', '/api/uploads')).json()) as UploadListReply).uploads).toHaveLength(1);
    expect((await call('POST', where, { 'x-http-method-override': 'DELETE' })).status).toBe(204);
  });

  it.each<[string, number, Record<string, string>]>([
    ['no size', 400, named('a')],
    ['a size that is none', 400, { ...length('1e3'), ...named('a') }],
    ['a size that comes later', 400, { 'upload-defer-length': '1', ...named('a') }],
    ['too large a size', 413, { ...length(MB + 1), ...named('a') }],
    ['no name', 400, length(1)],
    ['a name that leads out', 400, { ...length(1), ...named('../a') }],
    ['a name with a NUL', 400, { ...length(1), ...named('a\0b') }],
    ['metadata that is none', 400, { ...length(1), 'upload-metadata': 'path ***' }],
    [
      'a checksum that is none',
      400,
      { ...length(1), 'upload-metadata': encodeMetadata({ path: 'a', sha256: 'x' }) },
    ],
    ['another version', 412, { 'tus-resumable': '0.2.2', ...length(1), ...named('a') }],
  ])('refuses %s', async (_what, status, headers) => {
    const reply = await call('POST', '/api/uploads', headers);
    expect([reply.status, reply.headers.get('tus-resumable')]).toEqual([status, '1.0.0']);
    expect(((await reply.json()) as ErrorBody).statusCode).toBe(status);
  });

  it.each<[string, number, Record<string, string>]>([
    ['another type', 415, { 'content-type': 'text/plain', 'upload-offset': '0' }],
    ['no offset', 400, {}],
    ['packed bytes', 400, { 'upload-offset': '0', 'content-encoding': 'gzip' }],
    ['an unknown checksum', 400, { 'upload-offset': '0', 'upload-checksum': 'crc32 AAAAAA==' }],
    ['half a checksum', 400, { 'upload-offset': '0', 'upload-checksum': 'sha1 AAAA' }],
  ])('refuses a piece with %s', async (_what, status, headers) => {
    const made = await call('POST', '/api/uploads', { ...length(1), ...named('a') });
    const where = made.headers.get('location') ?? '';
    const type = { 'content-type': 'application/offset+octet-stream' };
    expect((await call('PATCH', where, { ...type, ...headers })).status).toBe(status);
    await call('DELETE', where);
  });

  it('takes an empty file, and only a new one when it is told so', async () => {
    const only = { ...length(0), ...named('empty'), 'if-none-match': '*' };
    const made = await call('POST', '/api/uploads', only);
    expect([made.status, made.headers.get('upload-offset')]).toEqual([201, '0']);
    expect((await stage.fetch(alice, 'GET', '/api/files/empty')).headers.get('content-length')).toBe('0');
    expect((await call('POST', '/api/uploads', only)).status).toBe(409);
  });

  it('lets a user have a hundred unfinished ones', async () => {
    const made = await Promise.all(
      Array.from({ length: MAX_OPEN_UPLOADS }, (_, n) =>
        call('POST', '/api/uploads', { ...length(1), ...named(`many/${n}`) }, stage.bob),
      ),
    );
    expect(made.map(({ status }) => status)).toEqual(made.map(() => 201));
    const more = { ...length(1), ...named('more') };
    expect((await call('POST', '/api/uploads', more, stage.bob)).status).toBe(409);
    expect((await call('POST', '/api/uploads', more)).status).toBe(201);
    await call('DELETE', made[0]?.headers.get('location') ?? '', {}, stage.bob);
    expect((await call('POST', '/api/uploads', more, stage.bob)).status).toBe(201);
  });

  it('keeps a large body in parts, and joins them in order', async () => {
    const large = await openFileStage('disk', { env: { FILE_MAX_MB: '64' } });
    const bytes = randomBytes(17 * MB);
    const made = await large.fetch(large.alice, 'POST', '/api/uploads', {
      headers: { 'tus-resumable': '1.0.0', ...length(bytes.length + 1), ...named('large') },
    });
    const where = made.headers.get('location') ?? '';
    const sendAt = (offset: number, body: Buffer) =>
      large.fetch(large.alice, 'PATCH', where, {
        headers: {
          'tus-resumable': '1.0.0',
          'content-type': 'application/offset+octet-stream',
          'upload-offset': String(offset),
        },
        body: new Uint8Array(body),
      });
    expect((await sendAt(0, bytes)).status).toBe(204);
    const record = await large.test.store.uploads.get(where.split('/').at(-1)!);
    expect(record?.parts.map(({ sizeBytes }) => sizeBytes / MB)).toEqual([16, 1]);
    expect(uploadOffset(record!)).toBe(bytes.length);
    expect((await sendAt(bytes.length, Buffer.from('!'))).status).toBe(204);
    const back = await large.fetch(large.alice, 'GET', '/api/files/large');
    expect(sha256(Buffer.from(await back.arrayBuffer()))).toBe(
      sha256(Buffer.concat([bytes, Buffer.from('!')])),
    );
    await large.close();
  });
});
