// Output over Socket.io: every line once and in order, from where it was asked for, whatever happens meanwhile.

import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { taskRoom } from '../../../shared/contracts/live.ts';
import type { Task } from '../../../shared/model/task.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openTestApi, type Person, type TestApi } from '../harness.ts';
import { Ear, Mover, seqs } from './stage.ts';

let here: TestApi;
let there: TestApi;
let hereUrl: string;
let thereUrl: string;
let alice: Person;
let mover: Mover;
const ears: Ear[] = [];

beforeAll(async () => {
  here = await openTestApi();
  there = await openTestApi({ beside: here });
  hereUrl = await here.api.start();
  thereUrl = await there.api.start();
  alice = await here.signUp('alice');
  mover = new Mover(here);
});
afterEach(() => {
  for (const { client } of ears.splice(0)) client.disconnect();
});
afterAll(async () => {
  await there?.close();
  await here?.close();
});

async function come(url: string): Promise<Ear> {
  const ear = new Ear(url, alice.token);
  ears.push(ear);
  return ear.connected();
}

async function follow(url: string, task: Task, logs: object = {}): Promise<Ear> {
  const ear = await come(url);
  expect(await ear.ask({ room: taskRoom(task.id), logs })).toMatchObject({ ok: true });
  return ear;
}

const hasLines = (ear: Ear, count: number) =>
  waitFor(() => ear.lines().length >= count, {
    what: `${count} lines; there are ${ear.lines().length}`,
    deadlineMs: 30_000,
  });

describe('a follower', () => {
  it('gets what is there, what comes, and the end', async () => {
    const task = await mover.running(alice);
    await mover.write(task, 1, 5);
    const ear = await follow(thereUrl, task);
    await hasLines(ear, 5);
    await mover.write(task, 6, 8);
    await hasLines(ear, 8);
    await mover.write(task, 9, 9);
    await mover.end(task);
    expect(await ear.heard('task:log-end')).toEqual([{ task_id: task.id, attempt: 1 }]);
    expect(ear.lines()).toEqual(seqs(1, 1, 9));
    expect(ear.of('task:log')[0]).toMatchObject({
      task_id: task.id,
      attempt: 1,
      lines: expect.arrayContaining([
        { seq: 1, ts: '2023-11-14T22:13:20.000Z', stream: 'stdout', line: 'line 1' },
      ]),
    });
  });

  it('begins where it asks to', async () => {
    const task = await mover.running(alice);
    await mover.write(task, 1, 100);
    await mover.end(task);
    const asks: [logs: object, first: number][] = [
      [{}, 1],
      [{ from: 98 }, 98],
      [{ from: 101 }, 101],
      [{ tail: 3 }, 98],
      [{ tail: 0 }, 101],
      [{ attempt: 1, from: 51 }, 51],
      [{ after: { attempt: 1, seq: 60 } }, 61],
      [{ after: { attempt: 1, seq: 0 } }, 1],
    ];
    for (const [logs, first] of asks) {
      const ear = await follow(hereUrl, task, logs);
      await ear.heard('task:log-end');
      expect(ear.lines(), JSON.stringify(logs)).toEqual(seqs(1, first, 100));
    }
  });

  it('reads on through later attempts, also when it was cut off in an earlier one', async () => {
    const first = await mover.running(alice);
    await mover.write(first, 1, 4);
    const ear = await follow(thereUrl, first);
    const only = await follow(thereUrl, first, { attempt: 1 });
    await hasLines(ear, 4);
    const waiting = await mover.lose(first);
    const second = await mover.start(waiting);
    await mover.write(second, 1, 3);
    await hasLines(ear, 7);
    await mover.end(second);
    expect(await ear.heard('task:log-end')).toEqual([{ task_id: first.id, attempt: 2 }]);
    expect(ear.lines()).toEqual([...seqs(1, 1, 4), ...seqs(2, 1, 3)]);
    expect(await only.heard('task:log-end')).toEqual([{ task_id: first.id, attempt: 1 }]);
    expect(only.lines()).toEqual(seqs(1, 1, 4));

    const back = await follow(hereUrl, first, { after: { attempt: 1, seq: 2 } });
    await back.heard('task:log-end');
    expect(back.lines()).toEqual([...seqs(1, 3, 4), ...seqs(2, 1, 3)]);
    const plain = await follow(hereUrl, first, {});
    await plain.heard('task:log-end');
    expect(plain.lines()).toEqual(seqs(2, 1, 3));
  });

  it('gets output only when it asks for it, and no longer than it does', async () => {
    const task = await mover.running(alice);
    await mover.write(task, 1, 2);
    const without = await come(hereUrl);
    expect(await without.ask({ room: taskRoom(task.id) })).toMatchObject({ ok: true });
    const ear = await follow(hereUrl, task);
    const left = await follow(hereUrl, task);
    const anew = await follow(hereUrl, task);
    await hasLines(left, 2);
    await hasLines(anew, 2);
    expect(await left.ask({ room: taskRoom(task.id) }, 'unsubscribe')).toEqual({ ok: true });
    anew.said.length = 0;
    expect(await anew.ask({ room: taskRoom(task.id), logs: { from: 2 } })).toMatchObject({ ok: true });
    await mover.write(task, 3, 4);
    await mover.end(task);
    await ear.heard('task:log-end');
    await anew.heard('task:log-end');
    expect(anew.lines()).toEqual(seqs(1, 2, 4));
    expect(left.lines()).toEqual(seqs(1, 1, 2));
    expect(without.lines()).toEqual([]);
    expect(anew.of('task:log-end')).toHaveLength(1);
  });

  it('of a lot of output gets it in events of bounded size', async () => {
    const task = await mover.running(alice);
    await mover.write(task, 1, 3_000, 'short');
    await mover.write(task, 3_001, 3_100, 'y'.repeat(10_000));
    await mover.end(task);
    const ear = await follow(hereUrl, task);
    await ear.heard('task:log-end');
    expect(ear.lines()).toEqual(seqs(1, 1, 3_100));
    for (const { lines } of ear.of('task:log')) {
      expect(lines.length).toBeLessThanOrEqual(500);
      expect(JSON.stringify(lines).length).toBeLessThanOrEqual(65_536);
    }
  });

  it('is one of many who get the same, whenever they came', async () => {
    const task = await mover.running(alice);
    const followers: Ear[] = [];
    let last = 0;
    for (let round = 0; round < 20; round += 1) {
      followers.push(await follow(round % 2 === 0 ? hereUrl : thereUrl, task));
      const count = 1 + (round % 7) * 40;
      await mover.write(task, last + 1, last + count);
      last += count;
    }
    await mover.end(task);
    for (const ear of followers) {
      await ear.heard('task:log-end');
      expect(ear.lines()).toEqual(seqs(1, 1, last));
    }
  });

  it('is told when output can no longer be read', async () => {
    const task = await mover.running(alice);
    const broken = await openTestApi({
      beside: here,
      parts: ({ logs }) => ({
        logs: {
          ...logs,
          append: logs.append.bind(logs),
          position: logs.position.bind(logs),
          remove: logs.remove.bind(logs),
          read: () => Promise.reject(new Error('secret words of a disk')),
        },
      }),
    });
    onTestFinished(() => broken.close());
    await mover.write(task, 1, 5);
    const ear = await follow(await broken.api.start(), task);
    const [fault] = await ear.heard('task:log-fault');
    expect(fault).toEqual({ task_id: task.id, code: 'internal', message: expect.any(String) });
    expect(JSON.stringify(fault)).not.toContain('secret');
    expect(ear.lines()).toEqual([]);
  });
});

describe('a follower that does not read', () => {
  /** The TCP connection below: paused, it is a client that has gone deaf. */
  // biome-ignore lint/suspicious/noExplicitAny: deep inside the client of others.
  const pipeOf = (ear: Ear) => (ear.client.io.engine.transport as any).ws._socket;

  it('costs a bounded amount of memory, holds up nobody, and gets every line when it reads on', async () => {
    const task = await mover.running(alice);
    const slow = await follow(hereUrl, task);
    const quick = await follow(hereUrl, task);
    await mover.write(task, 1, 10);
    await hasLines(slow, 10);
    pipeOf(slow).pause();
    // Half a megabyte at a time, until the system takes no more for the connection, and then for a while.
    let last = 10;
    let most = 0;
    for (let full = 0; full < 20; ) {
      await mover.write(task, last + 1, last + 125, 'z'.repeat(4_000));
      last += 125;
      await hasLines(quick, last);
      const { unsent } = here.api.liveLoad;
      most = Math.max(most, unsent);
      if (unsent > 64 * 1_024) full += 1;
      expect(last).toBeLessThan(50_000);
    }
    expect(most).toBeLessThan(512 * 1_024);
    expect(slow.lines().length).toBeLessThan(last);
    await mover.end(task);
    await quick.heard('task:log-end');
    pipeOf(slow).resume();
    await slow.heard('task:log-end');
    expect(slow.lines()).toEqual(seqs(1, 1, last));
    expect(quick.lines()).toEqual(seqs(1, 1, last));
    expect(slow.reason).toBeNull();
  });

  it('and is sent too much else is closed, and comes back to where it was', async () => {
    const task = await mover.running(alice);
    const ear = await follow(hereUrl, task);
    await mover.write(task, 1, 10);
    await hasLines(ear, 10);
    pipeOf(ear).pause();
    const body = { task_id: task.id, attempt: 1, stream: 'stdout', after_seq: 10, text: 'p'.repeat(50_000) };
    await waitFor(
      () => {
        here.redis.rooms.emit(taskRoom(task.id), 'task:partial', body);
        return here.api.liveLoad.sockets === 0;
      },
      { what: 'the deaf socket to be closed', everyMs: 1, deadlineMs: 60_000 },
    );
    pipeOf(ear).resume();
    await waitFor(() => ear.reason !== null, { what: 'the client to notice' });
    await ear.connected();
    await mover.write(task, 11, 12);
    expect(
      await ear.ask({ room: taskRoom(task.id), logs: { after: { attempt: 1, seq: 10 } } }),
    ).toMatchObject({ ok: true });
    await hasLines(ear, 12);
    expect(ear.lines()).toEqual(seqs(1, 1, 12));
  });
});
