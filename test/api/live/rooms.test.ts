// Rooms of tasks over Socket.io, on two API copies of one cluster.

import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { taskRoom } from '../../../shared/contracts/live.ts';
import type { Task } from '../../../shared/model/task.ts';
import { systemClock } from '../../../shared/platform/clock.ts';
import { newTaskId } from '../../../shared/platform/ids.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openTestApi, type Person, type TestApi } from '../harness.ts';
import { Ear, Mover } from './stage.ts';

let here: TestApi;
let there: TestApi;
let hereUrl: string;
let thereUrl: string;
let root: Person;
let alice: Person;
let bob: Person;
let mover: Mover;
const ears: Ear[] = [];

beforeAll(async () => {
  here = await openTestApi();
  there = await openTestApi({ beside: here });
  hereUrl = await here.api.start();
  thereUrl = await there.api.start();
  root = await here.signUp('root');
  alice = await here.signUp('alice');
  bob = await here.signUp('bob');
  mover = new Mover(here);
});
afterEach(() => {
  for (const { client } of ears.splice(0)) client.disconnect();
});
afterAll(async () => {
  await there?.close();
  await here?.close();
});

async function listen(url: string, who: Person | null): Promise<Ear> {
  const ear = new Ear(url, who?.token ?? null);
  ears.push(ear);
  return ear.connected();
}

async function watch(url: string, who: Person, room: string): Promise<Ear> {
  const ear = await listen(url, who);
  expect(await ear.ask({ room })).toMatchObject({ ok: true });
  return ear;
}

const statesOf = (ear: Ear, task: Task) =>
  ear
    .of('task')
    .filter((event) => event.task_id === task.id)
    .map(({ status }) => status);

describe('the room of one task', () => {
  it('answers with the record and the newest progress', async () => {
    const task = await mover.running(alice);
    await here.redis.progress.set({
      taskId: task.id,
      attempt: 1,
      phase: 'running',
      percent: 42,
      message: 'epoch 3',
      layers: null,
      bytes: null,
      at: 1_700_000_000_000,
    });
    const ear = await listen(thereUrl, alice);
    expect(await ear.ask({ room: taskRoom(task.id) })).toEqual({
      ok: true,
      task: expect.objectContaining({ task_id: task.id, status: 'running', user: 'alice' }),
      progress: {
        task_id: task.id,
        attempt: 1,
        phase: 'running',
        percent: 42,
        message: 'epoch 3',
        layers: null,
        bytes: null,
        at: '2023-11-14T22:13:20.000Z',
      },
    });
    const other = await mover.queued(alice);
    expect(await ear.ask({ room: taskRoom(other.id) })).toMatchObject({ ok: true, progress: null });
  });

  it('shows no progress of an attempt that is over', async () => {
    const lost = await mover.lose(await mover.running(alice));
    await here.redis.progress.set({
      taskId: lost.id,
      attempt: 1,
      phase: 'running',
      percent: 42,
      message: '',
      layers: null,
      bytes: null,
      at: 1,
    });
    const ear = await listen(hereUrl, alice);
    expect(await ear.ask({ room: taskRoom(lost.id) })).toMatchObject({ ok: true, progress: null });
  });

  it('is told on one copy what another did', async () => {
    const task = await mover.queued(alice);
    const ear = await watch(thereUrl, alice, taskRoom(task.id));
    const reply = await here.call('POST', `/api/tasks/${task.id}/cancel`, { as: alice });
    expect(reply.status).toBe(202);
    expect(await ear.heard('task')).toEqual([
      {
        task_id: task.id,
        status: 'cancelled',
        attempt: 1,
        revision: 2,
        worker_id: null,
        at: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ]);
    const [record] = await ear.heard('task:record');
    expect(record.task).toMatchObject({ task_id: task.id, status: 'cancelled', cancel_requested: true });
  });

  it('gets every change once and records in order, whoever else watches', async () => {
    const task = await mover.queued(alice);
    const watchers = [
      await watch(hereUrl, alice, taskRoom(task.id)),
      await watch(thereUrl, alice, taskRoom(task.id)),
      await watch(thereUrl, root, taskRoom(task.id)),
    ];
    // In the list of all, too, and still told once.
    expect(await watchers[2]?.ask({ room: 'tasks' })).toEqual({ ok: true });
    await mover.end(await mover.start(task));
    for (const ear of watchers) {
      const records = await waitFor(
        () => {
          const all = ear.of('task:record').map((body) => body.task.status);
          return all.includes('completed') && all;
        },
        { what: 'the last record' },
      );
      expect(statesOf(ear, task)).toEqual(['assigned', 'running', 'completed']);
      const order = ['assigned', 'running', 'completed'];
      expect(records).toEqual([...records].sort((a, b) => order.indexOf(a) - order.indexOf(b)));
      expect(new Set(records).size).toBe(records.length);
    }
  });

  it('shows a change whose event was lost, a little later', async () => {
    const task = await mover.queued(alice);
    const ear = await watch(thereUrl, alice, taskRoom(task.id));
    await mover.start(task, { quiet: true });
    const [event] = await waitFor(() => ear.of('task').length > 0 && ear.of('task'), {
      what: 'the change that no event told of',
      deadlineMs: 30_000,
    });
    expect(event).toMatchObject({ status: 'running', revision: 3 });
    expect(ear.of('task:record').at(-1).task.status).toBe('running');
  });

  it('shows a change that came between the look and the joining', async () => {
    const task = await mover.queued(alice);
    const copy = await openTestApi({
      beside: here,
      parts: () => ({
        // Time stands still, so nothing is looked at just because time went by.
        clock: { ...systemClock, monotonic: () => 0 },
        progress: {
          set: async () => undefined,
          get: async () => {
            await mover.start(task, { quiet: true });
            return [];
          },
        },
      }),
    });
    onTestFinished(() => copy.close());
    const ear = await listen(await copy.api.start(), alice);
    expect(await ear.ask({ room: taskRoom(task.id) })).toMatchObject({ task: { status: 'queued' } });
    expect(await ear.heard('task:record')).toMatchObject([{ task: { status: 'running' } }]);
  });

  it('gets what a runner sends, on every copy', async () => {
    const task = await mover.running(alice);
    const watchers = [
      await watch(hereUrl, alice, taskRoom(task.id)),
      await watch(thereUrl, root, taskRoom(task.id)),
    ];
    const stranger = await watch(thereUrl, bob, 'tasks');
    const bodies = {
      'task:progress': { task_id: task.id, attempt: 1, phase: 'running', percent: 7 },
      'task:usage': { task_id: task.id, attempt: 1, cpu: 0.5, memory: 12 },
      'task:partial': { task_id: task.id, attempt: 1, stream: 'stdout', after_seq: 0, text: 'name? ' },
    };
    for (const [event, body] of Object.entries(bodies)) here.redis.rooms.emit(taskRoom(task.id), event, body);
    for (const ear of watchers) {
      for (const [event, body] of Object.entries(bodies)) expect(await ear.heard(event)).toEqual([body]);
    }
    expect(stranger.said).toEqual([]);
  });

  it('is left for good', async () => {
    const task = await mover.queued(alice);
    const ear = await watch(hereUrl, alice, taskRoom(task.id));
    const other = await watch(hereUrl, alice, taskRoom(task.id));
    expect(await ear.ask({ room: taskRoom(task.id) }, 'unsubscribe')).toEqual({ ok: true });
    expect(await ear.ask({ room: taskRoom(task.id) }, 'unsubscribe')).toEqual({ ok: true });
    await mover.place(task);
    await other.heard('task:record');
    expect(ear.said).toEqual([]);
  });

  it('exists only for its owner and for admins', async () => {
    const task = await mover.queued(alice);
    const stranger = await listen(thereUrl, bob);
    for (const id of [task.id, newTaskId()]) {
      expect(await stranger.ask({ room: taskRoom(id) })).toEqual({
        ok: false,
        error: { code: 'not_found', message: expect.stringContaining(id) },
      });
      expect(await stranger.ask({ room: taskRoom(id), logs: {} })).toMatchObject({ ok: false });
    }
    const owner = await watch(thereUrl, alice, taskRoom(task.id));
    await mover.place(task);
    await owner.heard('task:record');
    expect(stranger.said).toEqual([]);
  });
});

describe('the room of tasks', () => {
  it('tells users of theirs, and admins of all', async () => {
    const mine = await watch(thereUrl, alice, 'tasks');
    const theirs = await watch(hereUrl, bob, 'tasks');
    const all = await watch(thereUrl, root, 'tasks');
    const { body } = await here.call<{ task_id: string }>('POST', '/api/tasks', {
      as: alice,
      body: { docker_image: 'busybox' },
    });
    const task = await mover.running(bob);
    await all.heard('task', 3);
    const seen = (ear: Ear) => new Set(ear.of('task').map((event) => event.task_id));
    expect(seen(all)).toEqual(new Set([body.task_id, task.id]));
    await theirs.heard('task', 2);
    await mine.heard('task');
    expect(seen(theirs)).toEqual(new Set([task.id]));
    expect(seen(mine)).toEqual(new Set([body.task_id]));
    expect(mine.of('task')[0]).toMatchObject({ status: 'queued', revision: 1 });
  });
});

describe('a request', () => {
  it('that is malformed gets its fault, and harms nothing', async () => {
    const ear = await listen(hereUrl, alice);
    const id = newTaskId();
    const bad: unknown[] = [
      undefined,
      null,
      7,
      'telemetry',
      [],
      {},
      { room: 7 },
      { room: 'tasks:all' },
      { room: `tasks:of:${bob.id}` },
      { room: bob.id },
      { room: 'task:' },
      { room: 'task:../x' },
      { room: 'tasks', logs: {} },
      { room: 'tasks', more: 1 },
      { room: taskRoom(id), logs: { from: 0 } },
      { room: taskRoom(id), logs: { from: '1' } },
      { room: taskRoom(id), logs: { from: 1.5 } },
      { room: taskRoom(id), logs: { from: 1, tail: 1 } },
      { room: taskRoom(id), logs: { after: { attempt: 1, seq: 1 }, attempt: 1 } },
      { room: taskRoom(id), logs: { after: { seq: 1 } } },
      { room: taskRoom(id), logs: { attempt: 0 } },
      { room: taskRoom(id), logs: { tail: -1 } },
    ];
    for (const request of bad) {
      expect(await ear.ask(request), JSON.stringify(request)).toEqual({
        ok: false,
        error: { code: 'invalid_request', message: expect.stringMatching(/\w/) },
      });
      const left = await ear.ask(request, 'unsubscribe');
      expect(left.ok || left.error.code === 'invalid_request').toBe(true);
    }
    // No answer is asked for, or something is asked that nobody knows.
    ear.client.emit('subscribe');
    ear.client.emit('subscribe', { room: 'telemetry' }, 'not a function', 9);
    ear.client.emit('unsubscribe', null);
    ear.client.emit('nonsense', { a: 1 });
    ear.client.emit('task', { task_id: id });
    expect(await ear.ask({ room: 'tasks' })).toEqual({ ok: true });
  });

  it('for what is not there yet names it', async () => {
    const task = await mover.queued(alice);
    const ear = await listen(hereUrl, alice);
    expect(await ear.ask({ room: taskRoom(task.id), logs: { attempt: 2 } })).toEqual({
      ok: false,
      error: { code: 'not_found', message: expect.stringContaining('attempt 2') },
    });
  });

  it('too large cuts its sender off, and nobody else', async () => {
    const other = await listen(hereUrl, bob);
    const ear = await listen(hereUrl, alice);
    ear.client.emit('subscribe', { room: 'x'.repeat(70_000) });
    expect(await ear.gone()).toMatch(/transport|parse/);
    expect(await other.ask({ room: 'tasks' })).toEqual({ ok: true });
  });

  it('beyond the limits of a socket is refused', async () => {
    const ear = await listen(hereUrl, alice);
    const tasks = await Promise.all(Array.from({ length: 200 }, () => mover.queued(alice)));
    const replies = await Promise.all(tasks.map(({ id }) => ear.ask({ room: taskRoom(id) })));
    expect(replies.filter(({ ok }) => ok)).toHaveLength(200);
    expect(await ear.ask({ room: 'tasks' })).toEqual({
      ok: false,
      error: { code: 'rate_limited', message: expect.stringContaining('200') },
    });
    // Again is not one more.
    expect(await ear.ask({ room: taskRoom(tasks[0]?.id ?? '') })).toMatchObject({ ok: true });
    expect(await ear.ask({ room: taskRoom(tasks[0]?.id ?? '') }, 'unsubscribe')).toEqual({ ok: true });
    expect(await ear.ask({ room: 'tasks' })).toEqual({ ok: true });
    const flood = await Promise.all(Array.from({ length: 600 }, () => ear.ask({ room: 'telemetry' })));
    expect(new Set(flood.map((reply) => reply.ok || reply.error.code))).toContain('rate_limited');
  });
});
