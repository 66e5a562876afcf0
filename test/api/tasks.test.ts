// Listing, looking, cancelling, retrying, explaining: one's own tasks and nobody else's.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskBody, TaskListReply } from '../../shared/contracts/http.ts';
import type { CancelManyReply, TaskSummaryListReply } from '../../shared/contracts/task-lists.ts';
import type { ExplainReply } from '../../shared/contracts/workers.ts';
import type { WorkerNudge } from '../../shared/model/event.ts';
import type { Task } from '../../shared/model/task.ts';
import { assignTask, finishTask, type Step, startTask } from '../../shared/model/task-life.ts';
import { makeRegistration, makeTask } from '../support/tasks.ts';
import { waitFor } from '../support/wait-for.ts';
import { countTasks, openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

let test: TestApi;
let admin: Person;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  test = await openTestApi();
  admin = await test.signUp('root');
  alice = await test.signUp('alice');
  bob = await test.signUp('bob');
});
afterAll(() => test?.close());

type Reply = TaskBody & TaskListReply & ExplainReply & Refused;
const call = (method: string, path: string, as: Person, body?: unknown) =>
  test.call<Reply>(method, path, { as, body });

async function submitted(as: Person, over: object = {}): Promise<string> {
  const { status, body } = await call('POST', '/api/tasks', as, { docker_image: 'a', ...over });
  expect(status).toBe(201);
  return body.task_id;
}

/** Moves the stored record on, as scheduler and runner would. */
async function moved(id: string, step: (task: Task) => Step): Promise<Task> {
  const task = await test.store.tasks.get(id);
  const next = task && step(task);
  if (!next?.ok || !(await test.store.tasks.commit(next.task))) throw new Error(`${id} could not be moved`);
  return next.task;
}
const at = { attempt: 1, workerId: 'w1', now: 5 };
const placed = (id: string) => moved(id, (task) => assignTask(task, { workerId: 'w1', term: 1, now: 5 }));
const running = async (id: string) => {
  await placed(id);
  return moved(id, (task) => startTask(task, { ...at, containerId: 'c', imageId: null, gpuIds: [] }));
};
const completed = async (id: string) => {
  await running(id);
  const outcome = { kind: 'completed', exitCode: 0, message: null } as const;
  return moved(id, (task) => finishTask(task, { ...at, dice: 0, outcome }));
};

describe('a list', () => {
  const list = (as: Person, query = '') => call('GET', `/api/tasks${query}`, as);
  const ids = ({ body }: { body: TaskListReply }) => body.tasks.map(({ task_id }) => task_id);

  it('shows users their own, admins all, newest first', async () => {
    const mine = await submitted(alice, { tag: 'list' });
    const theirs = await submitted(bob, { tag: 'list' });
    expect(ids(await list(alice, '?tag=list'))).toEqual([mine]);
    expect(ids(await list(bob, '?tag=list'))).toEqual([theirs]);
    expect(ids(await list(admin, '?tag=list'))).toEqual([theirs, mine]);
    expect(ids(await list(admin, '?tag=list&user=Alice'))).toEqual([mine]);
    expect(ids(await list(alice, '?tag=list&user=ALICE'))).toEqual([mine]);
    expect(ids(await list(admin, '?user=nobody-at-all'))).toEqual([]);
  });

  it('of someone else is refused', async () => {
    for (const name of ['bob', 'nobody-at-all']) {
      expect(await list(alice, `?user=${name}`)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
  });

  it('filters by state, worker and text', async () => {
    const waits = await submitted(alice, { tag: 'filter', name: 'Needle in hay' });
    const runs = await submitted(alice, { tag: 'filter' });
    const done = await submitted(alice, { tag: 'filter' });
    await running(runs);
    await completed(done);
    expect(ids(await list(alice, '?tag=filter&status=queued'))).toEqual([waits]);
    expect(ids(await list(alice, '?tag=filter&status=completed,running'))).toEqual([done, runs]);
    expect(ids(await list(alice, '?tag=filter&worker=w1'))).toEqual([done, runs]);
    expect(ids(await list(alice, '?q=NEEDLE'))).toEqual([waits]);
  });

  it('goes on from its cursor to the end, whatever is added meanwhile', async () => {
    const all: string[] = [];
    for (let n = 0; n < 7; n += 1) all.unshift(await submitted(alice, { tag: 'pages' }));
    const seen: string[] = [];
    let cursor: string | null = '';
    let pages = 0;
    while (cursor !== null) {
      const page: Awaited<ReturnType<typeof list>> = await list(
        alice,
        `?tag=pages&limit=3${cursor && `&cursor=${cursor}`}`,
      );
      expect(page.status).toBe(200);
      seen.push(...ids(page));
      cursor = page.body.next_cursor;
      pages += 1;
      await submitted(alice, { tag: 'pages' });
    }
    expect(seen).toEqual(all);
    expect(pages).toBe(3);
  });

  it('in short has the same tasks by the same filters, as the whole records tell of them', async () => {
    const waits = await submitted(alice, { tag: 'short', name: 'n', cpu_required: 0.25, gpu_required: 1 });
    const done = await submitted(alice, { tag: 'short' });
    await submitted(bob, { tag: 'short' });
    await completed(done);
    const whole = (await list(alice, '?tag=short')).body.tasks;
    const short = await list(alice, '?tag=short&view=summary');
    expect(ids(short)).toEqual([done, waits]);
    for (const [n, row] of (short.body as unknown as TaskSummaryListReply).tasks.entries()) {
      const { revision, ...rest } = row;
      expect(whole[n]).toMatchObject(rest);
      expect(revision).toBe((await test.store.tasks.get(row.task_id))?.revision);
    }
    expect(short.text).not.toContain('attempts');
    const first = await list(alice, '?tag=short&view=summary&limit=1');
    expect(ids(await list(alice, `?tag=short&view=summary&cursor=${first.body.next_cursor}`))).toEqual([
      waits,
    ]);
    expect(await list(alice, '?user=bob&view=summary')).toMatchObject({ status: 403 });
    expect(ids(await list(admin, '?user=nobody-at-all&view=summary'))).toEqual([]);
  });

  it.each([
    ['?limit=0', 'limit'],
    ['?limit=1001', 'limit'],
    ['?limit=many', 'limit'],
    ['?status=sleeping', 'status'],
    ['?cursor=next', 'cursor'],
    ['?view=short', 'view'],
    ['?colour=red', 'colour'],
    ['?tag=a&tag=b', 'tag'],
  ])('refuses %s', async (query, field) => {
    expect(await list(alice, query)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', details: [{ field }] },
    });
  });
});

describe('someone else’s task', () => {
  it.each([
    ['GET', ''],
    ['POST', '/cancel'],
    ['DELETE', ''],
    ['POST', '/retry'],
    ['GET', '/explain'],
    ['GET', '/logs'],
    ['GET', '/logs?follow=true'],
  ])('does not exist for %s {id}%s, just as one that is nowhere', async (method, rest) => {
    const id = await submitted(alice);
    const before = await test.store.tasks.get(id);
    const count = await countTasks(test.store);
    const theirs = await call(method, `/api/tasks/${id}${rest}`, bob);
    const nowhere = makeTask().id;
    const missing = await call(method, `/api/tasks/${nowhere}${rest}`, bob);
    expect(theirs).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(theirs.text.replaceAll(id, nowhere)).toBe(missing.text);
    expect(await test.store.tasks.get(id)).toEqual(before);
    expect(await countTasks(test.store)).toBe(count);
  });

  it.each([['1'], ['task-x'], ['..%2f..%2fetc'], ['%00']])('nor can %s be one', async (id) => {
    const reply = await call('GET', `/api/tasks/${id}`, bob);
    expect(reply).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', details: [{ field: 'id' }] },
    });
  });
});

describe('cancelling', () => {
  it('ends a waiting task at once and takes it out of the queue', async () => {
    const id = await submitted(alice);
    await waitFor(async () => (await test.redis.intake.page(0, 1_000)).includes(id), {
      what: 'the task to be in the intake queue',
    });
    const reply = await call('POST', `/api/tasks/${id}/cancel`, alice);
    expect(reply).toMatchObject({ status: 202, body: { status: 'cancelled', cancel_requested: true } });
    expect(reply.body.message).toContain('alice');
    await waitFor(async () => !(await test.redis.intake.page(0, 1_000)).includes(id), {
      what: 'the task to leave the intake queue',
    });
  });

  it('writes the wish into a placed task and tells its worker', async () => {
    const nudges: WorkerNudge[] = [];
    const off = await test.redis.bus.onNudge('w1', (nudge) => void nudges.push(nudge));
    const id = await submitted(alice);
    await running(id);
    const first = await call('POST', `/api/tasks/${id}/cancel`, alice, {});
    expect(first).toMatchObject({ status: 202, body: { status: 'running', cancel_requested: true } });
    await waitFor(() => nudges.length === 1, { what: 'the nudge' });
    expect(nudges).toEqual([{ type: 'cancel', taskId: id }]);

    const revision = (await test.store.tasks.get(id))?.revision;
    expect((await call('DELETE', `/api/tasks/${id}`, alice)).status).toBe(202);
    expect((await test.store.tasks.get(id))?.revision).toBe(revision);
    await call('POST', `/api/tasks/${id}/cancel`, admin, { force: true });
    expect((await test.store.tasks.get(id))?.cancel).toMatchObject({ force: true, requestedBy: 'alice' });
    await off();
  });

  it('of what has ended is refused with its state', async () => {
    const id = await submitted(alice);
    await completed(id);
    for (const [method, rest] of [
      ['POST', '/cancel'],
      ['DELETE', ''],
    ] as const) {
      expect(await call(method, `/api/tasks/${id}${rest}`, alice)).toMatchObject({
        status: 409,
        body: { code: 'conflict', message: expect.stringContaining('completed') },
      });
    }
  });

  it('wins over a scheduler and a runner that write at the same time', async () => {
    const id = await submitted(alice);
    const [, reply] = await Promise.all([
      running(id).catch(() => undefined),
      call('POST', `/api/tasks/${id}/cancel`, alice),
    ]);
    expect(reply.status).toBe(202);
    expect((await test.store.tasks.get(id))?.cancel).not.toBeNull();
  });

  it('of many takes each for itself and says how each is then', async () => {
    const events: string[] = [];
    const off = await test.redis.bus.subscribe((event) => {
      if (event.type === 'task' && event.state === 'cancelled') events.push(event.taskId);
    });
    const waits = [await submitted(alice), await submitted(alice)];
    const runs = await submitted(alice);
    const done = await submitted(alice);
    const theirs = await submitted(bob);
    await running(runs);
    await completed(done);
    const task_ids = [done, ...waits, runs, theirs, runs];
    const reply = await call('POST', '/api/tasks/cancel', alice, { task_ids });
    expect(reply.status).toBe(202);
    const { tasks, unknown } = reply.body as unknown as CancelManyReply;
    expect(unknown).toEqual([theirs]);
    const told = tasks.map(({ task_id, status, cancel_requested }) => [task_id, status, cancel_requested]);
    expect(told.sort()).toEqual(
      [
        [waits[0], 'cancelled', true],
        [waits[1], 'cancelled', true],
        [runs, 'running', true],
        [done, 'completed', false],
      ].sort(),
    );
    await waitFor(() => waits.every((id) => events.includes(id)), { what: 'the events' });
    await off();
    expect((await test.store.tasks.get(theirs))?.cancel).toBeNull();
    expect((await test.store.tasks.get(runs))?.cancel).toMatchObject({ force: false });
    await call('POST', '/api/tasks/cancel', admin, { task_ids: [runs, theirs], force: true });
    expect((await test.store.tasks.get(runs))?.cancel).toMatchObject({ force: true });
    expect((await test.store.tasks.get(theirs))?.state).toBe('cancelled');
  });

  it.each([
    [{ task_ids: [] }, 'task_ids'],
    [{}, 'task_ids'],
    [{ task_ids: ['x'] }, 'task_ids.0'],
    [{ task_ids: Array.from({ length: 1_001 }, () => makeTask().id) }, 'task_ids'],
    [{ task_ids: [makeTask().id], force: 'yes' }, 'force'],
  ])('of many refuses what is none (%#)', async (body, field) => {
    expect(await call('POST', '/api/tasks/cancel', alice, body)).toMatchObject({
      status: 400,
      body: { details: [{ field }] },
    });
  });

  it.each([
    [{ force: 'yes' }, 'force'],
    [{ now: true }, 'now'],
  ])('refuses %j', async (body, field) => {
    const id = await submitted(alice);
    expect(await call('POST', `/api/tasks/${id}/cancel`, alice, body)).toMatchObject({
      status: 400,
      body: { details: [{ field }] },
    });
    expect((await test.store.tasks.get(id))?.state).toBe('queued');
  });
});

describe('retrying', () => {
  it('makes a new task of the same spec, also its secrets, for the same owner', async () => {
    const id = await submitted(alice, { name: 'mine', env: { KEY: 'hunter2' }, secrets: ['KEY'] });
    await completed(id);
    const reply = await call('POST', `/api/tasks/${id}/retry`, admin);
    expect(reply).toMatchObject({
      status: 201,
      body: { status: 'queued', user: 'alice', name: 'mine', attempt: 1 },
    });
    expect(reply.body.task_id).not.toBe(id);
    expect(reply.text).not.toContain('hunter2');
    expect((await test.store.tasks.get(reply.body.task_id))?.spec.env).toEqual({ KEY: 'hunter2' });
    expect((await test.store.tasks.get(id))?.state).toBe('completed');
  });
});

describe('an explanation', () => {
  it('names what is missing on each worker and the place in the backlog', async () => {
    await test.store.workers.register(makeRegistration({ id: 'small' }));
    await test.store.workers.register(makeRegistration({ id: 'resting' }));
    await test.store.workers.setMaintenance('resting', 'cordoned');
    const id = await submitted(alice, { cpu_required: 1_000, priority: 9 });
    const { status, body } = await call('GET', `/api/tasks/${id}/explain`, alice);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      task_id: id,
      status: 'queued',
      feasible: false,
      fits_now: false,
      position: 1,
    });
    const small = body.workers.find(({ worker_id }) => worker_id === 'small');
    expect(small).toMatchObject({
      state: 'ready',
      fits_now: false,
      fits_when_empty: false,
      excluded_by: null,
    });
    expect(small?.missing).toEqual([
      { dimension: 'cpu', unit: 'cores', required: 1_000, available: 4, missing: 996 },
    ]);
    expect(body.workers.find(({ worker_id }) => worker_id === 'resting')).toMatchObject({
      excluded_by: 'cordoned',
    });
    expect(body.summary.length).toBeGreaterThan(10);
  });

  it('of a task that waits for no one has no place', async () => {
    const id = await submitted(alice);
    await completed(id);
    const { body } = await call('GET', `/api/tasks/${id}/explain`, alice);
    expect(body).toMatchObject({ status: 'completed', position: null });
    expect(body.summary).toMatch(/completed/i);
  });

  it('knows the worker that was asked for', async () => {
    const id = await submitted(alice, { worker: 'worker-nowhere' });
    const { body } = await call('GET', `/api/tasks/${id}/explain`, alice);
    expect(body.summary).toContain('worker-nowhere');
    expect(body.workers.map(({ excluded_by }) => excluded_by)).toContain('other_worker_requested');
  });
});
