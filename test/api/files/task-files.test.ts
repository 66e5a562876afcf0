// The files a task left: whose, of which attempt, in pages; deleting them; what a browser is told about them.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FileBody, TaskFileListReply } from '../../../shared/contracts/files.ts';
import type { Task } from '../../../shared/model/task.ts';
import { newId, newTaskId } from '../../../shared/platform/ids.ts';
import { makeTask } from '../../support/tasks.ts';
import type { Person } from '../harness.ts';
import { type FileStage, openFileStage } from './stage.ts';

let stage: FileStage;
let alice: Person;

beforeAll(async () => {
  stage = await openFileStage();
  ({ alice } = stage);
});
afterAll(() => stage?.close());

const ask = (path: string, method = 'GET', as: Person = alice) =>
  stage.fetch(as, method, `/api/tasks/${path}`);
const list = async (task: Task, query = ''): Promise<TaskFileListReply> => {
  const reply = await ask(`${task.id}/files${query}`);
  expect(reply.status).toBe(200);
  return (await reply.json()) as TaskFileListReply;
};
const paths = ({ files }: TaskFileListReply) => files.map(({ path }) => path);

describe('the list of a task’s files', () => {
  it('tells of each file what it is', async () => {
    const task = await stage.task(alice);
    const file = await stage.leave(task, 'out/model.txt', 'weights');
    expect(await list(task)).toEqual({
      files: [
        {
          path: 'out/model.txt',
          task_id: task.id,
          attempt: 1,
          size_bytes: 7,
          content_type: 'text/plain',
          sha256: file.sha256,
          created_at: '2026-01-02T03:04:06.000Z',
        } satisfies FileBody,
      ],
      total: { files: 1, bytes: 7 },
      attempt: 1,
      next_cursor: null,
    });
  });

  it('is of the last attempt that has run, unless another is named', async () => {
    const task = await stage.task(alice, { attempts: 2 });
    await stage.leave(task, 'log', 'first', 1);
    await stage.leave(task, 'log', 'second!', 2);
    await stage.leave(task, 'more', 'x', 2);
    expect(await list(task)).toMatchObject({ attempt: 2, total: { files: 2, bytes: 8 } });
    expect(await list(task, '?attempt=1')).toMatchObject({ attempt: 1, total: { files: 1, bytes: 5 } });
    expect(await (await ask(`${task.id}/files/log`)).text()).toBe('second!');
    expect(await (await ask(`${task.id}/files/log?attempt=1`)).text()).toBe('first');
    expect((await ask(`${task.id}/files/more?attempt=1`)).status).toBe(404);
    for (const path of ['files', 'files/log', 'archive']) {
      expect((await ask(`${task.id}/${path}?attempt=3`)).status).toBe(404);
    }
  });

  it('is of the attempt before while the next one waits', async () => {
    const task = await stage.task(alice, { attempts: 1 });
    await stage.leave(task, 'log', 'first');
    const waits: Task = { ...task, id: newTaskId(), state: 'queued', attempt: 2, finishedAt: null };
    await stage.test.store.tasks.insert([waits]);
    await stage.leave(waits, 'log', 'first', 1);
    expect(await list(waits)).toMatchObject({ attempt: 1, total: { files: 1 } });
  });

  it('is empty for a task that has not run', async () => {
    const task = makeTask({}, { ownerId: alice.id, ownerName: 'alice' });
    await stage.test.store.tasks.insert([task]);
    expect(await list(task)).toEqual({
      files: [],
      total: { files: 0, bytes: 0 },
      attempt: null,
      next_cursor: null,
    });
    expect((await ask(`${task.id}/files/x`)).status).toBe(404);
    expect((await ask(`${task.id}/archive`)).status).toBe(200);
  });

  it('comes in pages, in order of path, however long it is', async () => {
    const task = await stage.task(alice);
    const names = Array.from({ length: 10_000 }, (_, n) => `d${n % 7}/file-${String(n).padStart(5, '0')}`);
    await stage.test.store.files.put(
      names.map((path) => ({
        id: newId('file'),
        ownerId: alice.id,
        taskId: task.id,
        attempt: 1,
        path,
        sizeBytes: 3,
        contentType: 'text/plain',
        sha256: '0'.repeat(64),
        createdAt: 1,
      })),
    );
    const seen: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const page: TaskFileListReply = await list(
        task,
        `?limit=1000${cursor === null ? '' : `&cursor=${cursor}`}`,
      );
      expect(page.total).toEqual({ files: 10_000, bytes: 30_000 });
      seen.push(...paths(page));
      cursor = page.next_cursor;
      pages += 1;
    } while (cursor !== null);
    expect(pages).toBe(10);
    expect(seen).toEqual([...names].sort());
    expect((await list(task)).files).toHaveLength(100);
  });

  it.each(['limit=0', 'limit=1001', 'attempt=0', 'attempt=x', 'cursor=nonsense', 'user=alice'])(
    'refuses %s',
    async (query) => {
      const task = await stage.task(alice);
      expect((await ask(`${task.id}/files?${query}`)).status).toBe(400);
    },
  );
});

describe('other people', () => {
  it('find nothing, admins everything', async () => {
    const task = await stage.task(alice);
    await stage.leave(task, 'secret.txt', 'secret');
    for (const path of ['files', 'files/secret.txt', 'archive']) {
      for (const method of ['GET', 'HEAD', ...(path === 'archive' ? [] : ['DELETE'])]) {
        expect((await ask(`${task.id}/${path}`, method, stage.bob)).status).toBe(404);
      }
      expect((await ask(`${task.id}/${path}`, 'GET', stage.admin)).status).toBe(200);
      expect((await stage.fetch(null, 'GET', `/api/tasks/${task.id}/${path}`)).status).toBe(401);
    }
    expect(await (await ask(`${task.id}/files/secret.txt`)).text()).toBe('secret');
  });

  it('find no file of one task in another, or among uploads', async () => {
    const [task, other] = [await stage.task(alice), await stage.task(alice)];
    await stage.leave(task, 'a', 'x');
    expect((await ask(`${other.id}/files/a`)).status).toBe(404);
    expect((await stage.fetch(alice, 'GET', '/api/files/a')).status).toBe(404);
    expect((await ask(`task-nonsense/files/a`)).status).toBe(400);
  });
});

describe('deleting', () => {
  it('takes one file of one attempt, or all of all', async () => {
    const task = await stage.task(alice, { attempts: 2 });
    const kept: string[] = [];
    for (const attempt of [1, 2]) {
      for (const path of ['a', 'b/c']) kept.push((await stage.leave(task, path, 'x', attempt)).id);
    }
    expect((await ask(`${task.id}/files/a`, 'DELETE')).status).toBe(204);
    expect((await ask(`${task.id}/files/a`, 'DELETE')).status).toBe(404);
    expect(paths(await list(task))).toEqual(['b/c']);
    expect(paths(await list(task, '?attempt=1'))).toEqual(['a', 'b/c']);
    expect((await ask(`${task.id}/files/a?attempt=1`, 'DELETE')).status).toBe(204);
    for (let times = 0; times < 2; times += 1)
      expect((await ask(`${task.id}/files`, 'DELETE')).status).toBe(204);
    for (const attempt of [1, 2]) expect(paths(await list(task, `?attempt=${attempt}`))).toEqual([]);
    for (const id of kept) await expect(stage.files.read(id)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('takes those of one attempt when it is named, and none when a name was forgotten', async () => {
    const task = await stage.task(alice, { attempts: 2 });
    for (const attempt of [1, 2]) await stage.leave(task, 'a', 'x', attempt);
    expect((await ask(`${task.id}/files/`, 'DELETE')).status).toBe(400);
    expect((await ask(`${task.id}/files/?attempt=1`, 'DELETE')).status).toBe(400);
    expect((await ask(`${task.id}/files?attempt=1`, 'DELETE')).status).toBe(204);
    expect(paths(await list(task, '?attempt=1'))).toEqual([]);
    expect(paths(await list(task))).toEqual(['a']);
  });

  it('takes more files than one page holds', async () => {
    const task = await stage.task(alice);
    for (let n = 0; n < 520; n += 1) await stage.leave(task, `f${n}`, 'x');
    expect((await ask(`${task.id}/files`, 'DELETE')).status).toBe(204);
    expect((await list(task)).total.files).toBe(0);
  });

  it.each([
    ['cannot be removed', () => Promise.reject(new Error('no'))],
    ['take for ever', () => new Promise<void>(() => undefined)],
  ])('is done when only the bytes %s', async (_what, broken) => {
    const task = await stage.task(alice);
    await stage.leave(task, 'a', 'x');
    const { remove } = stage.files;
    stage.files.remove = broken;
    expect((await ask(`${task.id}/files/a`, 'DELETE')).status).toBe(204);
    stage.files.remove = remove;
    expect((await ask(`${task.id}/files/a`)).status).toBe(404);
  });
});

describe('a browser', () => {
  it('saves a file and never runs it, whatever it is', async () => {
    const task = await stage.task(alice);
    const file = await stage.leave(task, 'a/b/page €.html', '<script>alert(1)</script>');
    await stage.test.store.files.put([{ ...file, contentType: 'text/html' }]);
    const { headers } = await ask(`${task.id}/files/a/b/page%20%E2%82%AC.html`);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/html',
      'content-disposition': `attachment; filename="page _.html"; filename*=UTF-8''page%20%E2%82%AC.html`,
      'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'private, no-cache, no-transform',
    });
    const archive = await ask(`${task.id}/archive?format=zip`);
    expect(Object.fromEntries(archive.headers)).toMatchObject({
      'content-type': 'application/zip',
      'content-disposition': `attachment; filename="${task.id}.zip"`,
      'content-security-policy': expect.stringContaining('sandbox'),
    });
    await archive.body?.cancel();
  });

  it('gets it as it is, though it could unpack', async () => {
    const task = await stage.task(alice);
    const file = await stage.leave(task, 'long.json', 'compressible '.repeat(10_000));
    await stage.test.store.files.put([{ ...file, contentType: 'application/json' }]);
    const reply = await stage.fetch(alice, 'GET', `/api/tasks/${task.id}/files/long.json`, {
      headers: { 'accept-encoding': 'gzip, deflate, br' },
    });
    expect(reply.headers.get('content-encoding')).toBeNull();
    expect(reply.headers.get('content-length')).toBe('130000');
    await reply.body?.cancel();
  });
});
