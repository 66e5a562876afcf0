// Our own live client against API copies that come and go.

import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createLive, type Live, type LiveOptions, type LiveState } from '../../../client/live.ts';
import type { RoomListener } from '../../../client/live-room.ts';
import type { LogStart } from '../../../client/log-cursor.ts';
import { type SocketRefusal, taskRoom } from '../../../shared/contracts/live.ts';
import type { Task } from '../../../shared/model/task.ts';
import { newTaskId } from '../../../shared/platform/ids.ts';
import { freePort } from '../../support/cluster.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openTestApi, type Person, type TestApi } from '../harness.ts';
import { Mover, type Said, seqs } from './stage.ts';

let api: TestApi;
let url: string;
let alice: Person;
let mover: Mover;
const ends: (() => void)[] = [];

beforeAll(async () => {
  api = await openTestApi();
  url = await api.api.start();
  alice = await api.signUp('alice');
  mover = new Mover(api);
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
});
afterAll(() => api?.close());

interface Opened {
  readonly live: Live;
  readonly states: [state: LiveState, code: string | undefined][];
}

function open(over: Partial<LiveOptions> = {}): Opened {
  const states: Opened['states'] = [];
  const live = createLive({
    url,
    token: alice.token,
    onState: (state, fault: SocketRefusal | null) => states.push([state, fault?.code]),
    ...over,
  });
  ends.push(() => live.close());
  return { live, states };
}

const EVENTS = [
  'telemetry',
  'task',
  'record',
  'progress',
  'usage',
  'partial',
  'lines',
  'logsEnded',
  'standing',
  'resumed',
  'refused',
  'delayed',
] as const satisfies readonly (keyof RoomListener)[];

class Heard {
  readonly said: Said[] = [];
  readonly listener: RoomListener = Object.fromEntries(
    EVENTS.map((event) => [event, (body: unknown) => this.said.push({ event, body })]),
  );

  of(event: (typeof EVENTS)[number]): Said['body'][] {
    return this.said.filter((one) => one.event === event).map(({ body }) => body);
  }

  lines(): string[] {
    return this.of('lines').flatMap(({ attempt, lines }) =>
      lines.map(({ seq }: { seq: number }) => `${attempt}:${seq}`),
    );
  }

  until(event: (typeof EVENTS)[number], count = 1): Promise<Said['body'][]> {
    return waitFor(() => this.of(event).length >= count && this.of(event), {
      what: `${count} × ${event}; heard: ${this.said.map((one) => one.event).join(' ')}`,
      deadlineMs: 30_000,
    });
  }
}

function follow(live: Live, task: Task, logs: LogStart = {}): Heard {
  const heard = new Heard();
  live.subscribe(`task:${task.id}`, heard.listener, logs);
  return heard;
}

describe('the live client', () => {
  it('tells of a task from its record to the end of its output', async () => {
    const { live, states } = open();
    const task = await mover.running(alice);
    await mover.write(task, 1, 3);
    const heard = follow(live, task);
    await waitFor(() => heard.lines().length === 3, { what: 'three lines' });
    expect(heard.of('record')[0]).toMatchObject({ task_id: task.id, status: 'running' });
    expect(heard.of('progress')).toEqual([null]);
    api.redis.rooms.emit(taskRoom(task.id), 'task:progress', { task_id: task.id, percent: 5 });
    api.redis.rooms.emit(taskRoom(task.id), 'task:usage', { task_id: task.id, cpu: 5 });
    api.redis.rooms.emit(taskRoom(task.id), 'task:partial', { task_id: task.id, text: 'a' });
    expect((await heard.until('progress', 2))[1]).toMatchObject({ percent: 5 });
    expect(await heard.until('usage')).toMatchObject([{ cpu: 5 }]);
    expect(await heard.until('partial')).toMatchObject([{ text: 'a' }]);
    await mover.end(task);
    expect(await heard.until('logsEnded')).toEqual([{ task_id: task.id, attempt: 1 }]);
    await waitFor(() => heard.of('record').at(-1).status === 'completed', { what: 'the last record' });
    expect(heard.of('task').at(-1)).toMatchObject({ status: 'completed' });
    expect(states).toEqual([['connected', undefined]]);
    expect(heard.of('standing')).toHaveLength(1);
    expect(heard.of('resumed')).toEqual([]);
    live.close();
    expect(states.at(-1)).toEqual(['ended', undefined]);
  });

  it('shares rooms among listeners, and leaves them with the last', async () => {
    const { live } = open();
    const task = await mover.queued(alice);
    const [one, two, all] = [new Heard(), new Heard(), new Heard()];
    const endOne = live.subscribe(`task:${task.id}`, one.listener);
    const endTwo = live.subscribe(`task:${task.id}`, two.listener, {});
    expect(() => live.subscribe(`task:${task.id}`, {}, {})).toThrow(/followed/);
    live.subscribe('tasks', all.listener);
    await two.until('record');
    const placed = await mover.place(task);
    await one.until('task');
    await two.until('task');
    await all.until('task');
    endTwo();
    endTwo();
    const running = await mover.start(placed);
    await one.until('task', 2);
    expect(two.of('task')).toHaveLength(1);
    endOne();
    await mover.end(running);
    await all.until('task', 3);
    expect(one.of('task')).toHaveLength(2);
    // A new follower begins anew.
    const again = follow(live, task);
    await again.until('logsEnded');
    expect(again.of('record')[0]).toMatchObject({ status: 'completed' });
  });

  it('shows the cluster', async () => {
    const { live } = open({ token: undefined });
    const heard = new Heard();
    const end = live.subscribe('telemetry', heard.listener);
    await heard.until('telemetry', 2);
    end();
    expect(heard.of('telemetry')[0]).toMatchObject({ tasks_by_state: expect.anything() });
  });

  it('says what it may not see, once', async () => {
    const { live } = open();
    const heard = new Heard();
    live.subscribe(`task:${newTaskId()}`, heard.listener, {});
    expect(await heard.until('refused')).toEqual([{ code: 'not_found', message: expect.any(String) }]);
    const nobody = open({ token: undefined });
    const other = new Heard();
    nobody.live.subscribe('tasks', other.listener);
    expect(await other.until('refused')).toMatchObject([{ code: 'unauthenticated' }]);
  });

  it('ends when its token is not good, and says so', async () => {
    const { live, states } = open({ token: 'nonsense' });
    await waitFor(() => live.state === 'ended', { what: 'the end' });
    expect(states).toEqual([['ended', 'unauthenticated']]);
    expect(live.fault?.message).toContain('malformed');
  });

  it('ends with its API token, or goes on with the next one it is given', async () => {
    const create = async () =>
      (
        await api.call<{ token: string; token_id: string }>('POST', '/api/auth/tokens', {
          as: alice,
          body: { name: 'script' },
        })
      ).body;
    const [first, second] = [await create(), await create()];
    const stiff = open({ token: first.token });
    let token = first.token;
    const supple = open({ token: () => token });
    const heard = new Heard();
    supple.live.subscribe('tasks', heard.listener);
    for (const { live } of [stiff, supple]) {
      await waitFor(() => live.state === 'connected', { what: 'a connection' });
    }
    token = second.token;
    await api.call('DELETE', `/api/auth/tokens/${first.token_id}`, { as: alice });
    await waitFor(() => stiff.live.state === 'ended', { what: 'the end' });
    expect(stiff.live.fault).toEqual({
      code: 'unauthenticated',
      message: expect.stringContaining('taken back'),
    });
    await heard.until('resumed');
    expect(supple.live.state).toBe('connected');
  });
});

describe('when the API copy restarts', () => {
  it('the client comes back by itself and gets every line once, and the state as it is then', async () => {
    const env = { PORT: String(await freePort()) };
    let copy = await openTestApi({ beside: api, env });
    onTestFinished(() => copy.close());
    const { live, states } = open({ url: await copy.api.start() });
    const first = await mover.running(alice);
    const heard = follow(live, first);
    const list = new Heard();
    live.subscribe('tasks', list.listener);
    await mover.write(first, 1, 100);
    await waitFor(() => heard.lines().length === 100, { what: 'the first lines' });

    await copy.close();
    await waitFor(() => live.state === 'reconnecting', { what: 'the client to notice' });
    await mover.write(first, 101, 150);
    const second = await mover.start(await mover.lose(first));
    await mover.write(second, 1, 60);
    copy = await openTestApi({ beside: api, env });
    await copy.api.start();

    await list.until('resumed');
    await list.until('standing', 2);
    await mover.write(second, 61, 80);
    await mover.end(second);
    expect(await heard.until('logsEnded')).toEqual([{ task_id: first.id, attempt: 2 }]);
    expect(heard.lines()).toEqual([...seqs(1, 1, 150), ...seqs(2, 1, 80)]);
    await waitFor(() => heard.of('record').at(-1).status === 'completed', { what: 'the last record' });
    // It is told once more why there is no way back yet, when an attempt falls into the time without a copy.
    const entered = states.map(([state]) => state).filter((state, at, all) => state !== all[at - 1]);
    expect(entered).toEqual(['connected', 'reconnecting', 'connected']);
  });

  it('again and again while a task writes, nothing is lost or repeated', async () => {
    const env = { PORT: String(await freePort()) };
    let copy = await openTestApi({ beside: api, env });
    onTestFinished(() => copy.close());
    const { live } = open({ url: await copy.api.start() });
    const task = await mover.running(alice);
    const heard = follow(live, task);
    let last = 0;
    let writing = true;
    const writer = (async () => {
      while (writing) {
        await mover.write(task, last + 1, last + 37);
        last += 37;
      }
    })();
    for (let round = 0; round < 3; round += 1) {
      const before = heard.lines().length;
      await waitFor(() => heard.lines().length > before + 200, { what: 'more lines', deadlineMs: 30_000 });
      await copy.close();
      copy = await openTestApi({ beside: api, env });
      await copy.api.start();
    }
    writing = false;
    await writer;
    await mover.end(task);
    await heard.until('logsEnded');
    expect(heard.lines()).toEqual(seqs(1, 1, last));
  });
});
