// What an account may have at most: refused with the figures, all or none, exactly at the limit, also when many come at
// once; and what is given back counts again.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { AccountBody } from '../../shared/contracts/users.ts';
import { requestCancel } from '../../shared/model/task-life.ts';
import { NO_QUOTA } from '../../shared/model/user.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

const MB = 2 ** 20;

let test: TestApi;
let url: string;
let admin: Person;

beforeAll(async () => {
  test = await openTestApi();
  url = await test.api.start();
  admin = await test.join('root', { role: 'admin' });
});
afterAll(() => test?.close());

const used = async (as: Person) => (await test.call<AccountBody>('GET', '/api/auth/me', { as })).body.used;

describe('a quota of unfinished tasks', () => {
  const limited = (name: string, unfinishedTasks: number) =>
    test.join(name, { quota: { ...NO_QUOTA, unfinishedTasks } });
  const submit = (as: Person, headers = {}) =>
    test.call<TaskBody & Refused>('POST', '/api/tasks', { as, body: { docker_image: 'a' }, headers });
  const batch = (as: Person, count: number, headers = {}) =>
    test.call<{ tasks: TaskBody[] } & Refused>('POST', '/api/tasks/batch', {
      as,
      body: { tasks: Array.from({ length: count }, () => ({ docker_image: 'a' })) },
      headers,
    });
  const retry = (as: Person, id: string) =>
    test.call<TaskBody & Refused>('POST', `/api/tasks/${id}/retry`, { as });

  it('holds for one, for a batch and for a retry, and says what is used and what to do', async () => {
    const amy = await limited('amy', 3);
    expect(await batch(amy, 4)).toMatchObject({
      status: 403,
      body: {
        code: 'quota_exceeded',
        message: expect.stringMatching(
          /^amy may have at most 3 unfinished tasks, 0 are there and 4 would come: wait until .*, cancel some, or ask an admin/,
        ),
        details: [{ field: 'unfinished_tasks' }],
      },
    });
    expect((await used(amy)).unfinished_tasks).toBe(0);
    const { body } = await batch(amy, 2);
    const id = body.tasks[0]?.task_id ?? '';
    expect((await submit(amy)).status).toBe(201);
    expect((await submit(amy)).body).toMatchObject({ code: 'quota_exceeded' });
    expect((await batch(amy, 1)).body).toMatchObject({ code: 'quota_exceeded' });
    // It is the owner's quota, whoever asks.
    for (const by of [amy, admin])
      expect((await retry(by, id)).body).toMatchObject({ code: 'quota_exceeded' });
    expect((await submit(admin)).status).toBe(201);
    expect((await used(amy)).unfinished_tasks).toBe(3);
    const task = await test.store.tasks.get(id);
    const cancelled = task && requestCancel(task, { requestedBy: 'amy', force: false, now: 1 });
    if (!cancelled?.ok) throw new Error('not cancelled');
    expect(await test.store.tasks.commit(cancelled.task)).toBe(true);
    expect((await retry(amy, id)).status).toBe(201);
    expect((await submit(amy)).status).toBe(403);
  });

  it('lets a repetition through that adds nothing', async () => {
    const ben = await limited('ben', 3);
    const [one, two] = [{ 'idempotency-key': 'one' }, { 'idempotency-key': 'two' }];
    const first = await batch(ben, 2, two);
    expect((await submit(ben, one)).status).toBe(201);
    const again = await batch(ben, 2, two);
    expect(again).toMatchObject({ status: 201, headers: { 'idempotent-replay': 'true' } });
    expect(again.body).toEqual(first.body);
    expect((await submit(ben, one)).status).toBe(201);
    expect((await submit(ben, { 'idempotency-key': 'three' })).status).toBe(403);
  });

  it('is not passed, however many submit at once on however many copies', async () => {
    const cat = await limited('cat', 7);
    const second = await openTestApi({ beside: test });
    const body = { docker_image: 'a' };
    const replies = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        (n % 2 ? test : second).call('POST', '/api/tasks', { as: cat, body }),
      ),
    );
    await second.close();
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(7);
    expect(replies.filter(({ status }) => status === 403)).toHaveLength(23);
    expect((await used(cat)).unfinished_tasks).toBe(7);
  });

  it('holds for admins when it is set on them, and can be lifted', async () => {
    const boss = await test.join('boss', { role: 'admin' });
    const set = async (unfinished_tasks: number | null) => {
      const quota = { quota: { unfinished_tasks } };
      expect((await test.call('PATCH', '/api/users/boss', { as: admin, body: quota })).status).toBe(200);
    };
    await set(0);
    expect((await submit(boss)).body).toMatchObject({ code: 'quota_exceeded' });
    await set(null);
    expect((await submit(boss)).status).toBe(201);
  });
});

describe('a quota of upload storage', () => {
  const limited = (name: string, uploadStorageMb: number) =>
    test.join(name, { quota: { ...NO_QUOTA, uploadStorageMb } });
  const bytes = (megabytes: number) => new Uint8Array(megabytes * MB);
  const put = async (
    as: Person,
    path: string,
    body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
  ) => {
    const headers = { authorization: `Bearer ${as.token}` };
    const how = { method: 'PUT', headers, body, duplex: 'half' } as RequestInit;
    const reply = await fetch(`${url}/api/files/${path}`, how);
    return { status: reply.status, body: (await reply.json()) as Refused };
  };
  /** A body of unknown length. */
  const streamed = (megabytes: number) => {
    let left = megabytes * 16;
    return new ReadableStream<Uint8Array>({
      pull: (sink) => (left-- > 0 ? sink.enqueue(new Uint8Array(MB / 16)) : sink.close()),
    });
  };
  const begin = (as: Person, path: string, size: number) =>
    test.call<Refused>('POST', '/api/uploads', {
      as,
      headers: {
        'tus-resumable': '1.0.0',
        'upload-length': String(size),
        'upload-metadata': `path ${Buffer.from(path).toString('base64')}`,
      },
    });
  const send = (as: Person, location: unknown, size: number, offset = 0) =>
    test.call<Refused>('PATCH', String(location), {
      as,
      headers: {
        'tus-resumable': '1.0.0',
        'upload-offset': String(offset),
        'content-type': 'application/offset+octet-stream',
      },
      body: 'x'.repeat(size),
    });

  it('holds for what is announced and for what is not, and frees what is replaced or deleted', async () => {
    const dee = await limited('dee', 4);
    expect((await put(dee, 'a', bytes(3))).status).toBe(201);
    const refused = await put(dee, 'b', bytes(2));
    expect(refused).toMatchObject({
      status: 403,
      body: { code: 'quota_exceeded', details: [{ field: 'upload_storage' }] },
    });
    expect(refused.body.message).toMatch(
      /^dee may keep at most 4 MB of uploads, 3 MB are kept, this file has 2 MB: delete .*, or ask an admin/,
    );
    expect(await put(dee, 'b', streamed(2))).toMatchObject({ status: 403, body: { code: 'quota_exceeded' } });
    expect((await used(dee)).upload_storage).toBe(3);
    expect((await put(dee, 'a', streamed(4))).status).toBe(200);
    expect((await put(dee, 'b', bytes(0))).status).toBe(201);
    expect((await test.call('DELETE', '/api/files/a', { as: dee })).status).toBe(204);
    expect((await put(dee, 'b', bytes(4))).status).toBe(200);
    // A limit that comes later takes nothing away, and lets replace by less.
    const quota = { quota: { upload_storage: 1 } };
    await test.call('PATCH', '/api/users/dee', { as: admin, body: quota });
    expect((await put(dee, 'c', bytes(1))).status).toBe(403);
    expect((await put(dee, 'b', bytes(3))).status).toBe(200);
  });

  it('is not passed, however many are sent at once', async () => {
    const eli = await limited('eli', 3);
    const replies = await Promise.all(Array.from({ length: 8 }, (_, n) => put(eli, `f${n}`, bytes(1))));
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(3);
    expect((await used(eli)).upload_storage).toBe(3);
  });

  it('is asked for when an upload in several goes begins, unfinished ones included, and when it ends', async () => {
    const flo = await limited('flo', 2);
    const first = await begin(flo, 'a', MB);
    expect(first.status).toBe(201);
    const refused = await begin(flo, 'b', MB + 1);
    expect(refused).toMatchObject({ status: 403, body: { code: 'quota_exceeded' } });
    expect(refused.body.message).toMatch(
      /0 MB are kept, 1 MB are announced by unfinished ones, this file has 1.01 MB/,
    );
    // Sent whole meanwhile: nothing is promised twice, but what is there counts.
    expect((await put(flo, 'c', bytes(2))).status).toBe(201);
    expect(await send(flo, first.headers.location, MB)).toMatchObject({
      status: 403,
      body: { code: 'quota_exceeded' },
    });
    // All of it has come; with room it needs no more than a word.
    await test.call('DELETE', '/api/files/c', { as: flo });
    expect((await send(flo, first.headers.location, 0, MB)).status).toBe(204);
    expect(await used(flo)).toMatchObject({ upload_storage: 1 });
    expect((await begin(flo, 'b', MB)).status).toBe(201);
  });
});
