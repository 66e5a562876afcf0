// Output over a real socket: whole, from a line on, followed to the end, given up by either side.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { taskChanged } from '../../shared/model/event.ts';
import type { LogLine } from '../../shared/model/log-line.ts';
import type { Task } from '../../shared/model/task.ts';
import { assignTask, finishTask, type Step, startTask, takeBackTask } from '../../shared/model/task-life.ts';
import { makeTask } from '../support/tasks.ts';
import { waitFor } from '../support/wait-for.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

let test: TestApi;
let url: string;
let alice: Person;

beforeAll(async () => {
  test = await openTestApi();
  alice = await test.signUp('alice');
  url = await test.api.start();
});
afterAll(() => test?.close());

const lines = (from: number, to: number, text = 'line'): LogLine[] =>
  Array.from({ length: to - from + 1 }, (_, n) => ({
    seq: from + n,
    ts: 1_700_000_000_000 + n,
    stream: (from + n) % 2 === 0 ? 'stderr' : 'stdout',
    line: `${text} ${from + n}`,
  }));
const textOf = (some: readonly LogLine[]) => some.map(({ line }) => `${line}\n`).join('');

async function queued(): Promise<Task> {
  const task = makeTask({ maxRetries: 1 }, { ownerId: alice.id, ownerName: 'alice' });
  await test.store.tasks.insert([task]);
  return task;
}

async function commit(step: Step): Promise<Task> {
  if (!step.ok) throw new Error(`refused: ${step.refusal}`);
  expect(await test.store.tasks.commit(step.task)).toBe(true);
  await test.redis.bus.publish(taskChanged(step.task));
  return step.task;
}
const place = (task: Task) => commit(assignTask(task, { workerId: 'w1', term: 1, now: 1 }));
const ref = (task: Task) => ({ attempt: task.attempt, workerId: 'w1', now: 2 });
const start = async (task: Task) =>
  commit(startTask(await place(task), { ...ref(task), containerId: 'c', imageId: null, gpuIds: [] }));
const end = (task: Task) =>
  commit(
    finishTask(task, { ...ref(task), dice: 0, outcome: { kind: 'completed', exitCode: 0, message: null } }),
  );

interface Reading {
  readonly type: string | null;
  readonly text: () => string;
  readonly ended: Promise<void>;
  readonly stop: () => void;
}

async function read(id: string, query = '', accept = '*/*'): Promise<Reading> {
  const controller = new AbortController();
  const response = await fetch(`${url}/api/tasks/${id}/logs${query}`, {
    headers: { authorization: `Bearer ${alice.token}`, accept },
    signal: AbortSignal.any([controller.signal, AbortSignal.timeout(30_000)]),
  });
  expect(response.status).toBe(200);
  let text = '';
  const decoder = new TextDecoder();
  const consume = async () => {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
  };
  return {
    type: response.headers.get('content-type'),
    text: () => text,
    ended: consume(),
    stop: () => controller.abort(),
  };
}

async function whole(id: string, query = '', accept?: string): Promise<string> {
  const reading = await read(id, query, accept);
  await reading.ended;
  return reading.text();
}

describe('output', () => {
  it('is empty for a task that waits', async () => {
    expect(await whole((await queued()).id)).toBe('');
  });

  it('comes as text, whole or from a line on', async () => {
    const task = await end(await start(await queued()));
    await test.logs.append(task.id, 1, lines(1, 2_500, 'grüße €'));
    const reading = await read(task.id);
    await reading.ended;
    expect(reading.type).toBe('text/plain; charset=utf-8');
    expect(reading.text()).toBe(textOf(lines(1, 2_500, 'grüße €')));
    expect(await whole(task.id, '?from=2499')).toBe(textOf(lines(2_499, 2_500, 'grüße €')));
    expect(await whole(task.id, '?from=2501')).toBe('');
  });

  it('comes as JSON lines when asked for in either way', async () => {
    const task = await end(await start(await queued()));
    await test.logs.append(task.id, 1, lines(1, 3));
    for (const [query, accept] of [
      ['', 'application/x-ndjson'],
      ['?format=ndjson', '*/*'],
    ] as const) {
      const reading = await read(task.id, query, accept);
      await reading.ended;
      expect(reading.type).toBe('application/x-ndjson');
      const parsed = reading
        .text()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(parsed).toMatchObject([
        { seq: 1, stream: 'stdout', line: 'line 1', ts: '2023-11-14T22:13:20.000Z' },
        { seq: 2, stream: 'stderr', line: 'line 2' },
        { seq: 3, stream: 'stdout', line: 'line 3' },
      ]);
    }
  });

  it('of an earlier attempt stays there', async () => {
    const first = await start(await queued());
    await test.logs.append(first.id, 1, lines(1, 2, 'first'));
    const again = await commit(takeBackTask(first, { ...ref(first), message: 'lost' }));
    await test.logs.append(again.id, 2, lines(1, 1, 'second'));
    expect(await whole(first.id)).toBe('second 1\n');
    expect(await whole(first.id, '?attempt=1')).toBe('first 1\nfirst 2\n');
    const reply = await test.call<Refused>('GET', `/api/tasks/${first.id}/logs?attempt=3`, { as: alice });
    expect(reply).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(reply.body.message).toContain('attempt 3');
  });

  it.each([
    ['?from=0', 'from'],
    ['?from=x', 'from'],
    ['?attempt=-1', 'attempt'],
    ['?follow=perhaps', 'follow'],
    ['?format=xml', 'format'],
  ])('refuses %s', async (query, field) => {
    const { id } = await queued();
    expect(await test.call('GET', `/api/tasks/${id}/logs${query}`, { as: alice })).toMatchObject({
      status: 400,
      body: { details: [{ field }] },
    });
  });
});

describe('following', () => {
  it('waits for a task to start, gives lines as they come, and ends after the last one', async () => {
    const task = await queued();
    const reading = await read(task.id, '?follow=true');
    const started = await start(task);
    await test.logs.append(task.id, 1, lines(1, 2));
    await waitFor(() => reading.text() === 'line 1\nline 2\n', { what: 'the first lines' });
    await test.logs.append(task.id, 1, lines(3, 1_800));
    await end(started);
    await reading.ended;
    expect(reading.text()).toBe(textOf(lines(1, 1_800)));
  });

  it('goes on into the next attempt, unless one was named', async () => {
    const first = await start(await queued());
    await test.logs.append(first.id, 1, lines(1, 2, 'first'));
    const all = await read(first.id, '?follow=true');
    const one = await read(first.id, '?follow=true&attempt=1');
    await waitFor(() => all.text().includes('first 2'), { what: 'the first attempt' });
    const again = await commit(takeBackTask(first, { ...ref(first), message: 'lost' }));
    await one.ended;
    expect(one.text()).toBe('first 1\nfirst 2\n');
    const second = await start(again);
    await test.logs.append(first.id, 2, lines(1, 2, 'second'));
    await end(second);
    await all.ended;
    expect(all.text()).toBe('first 1\nfirst 2\nsecond 1\nsecond 2\n');
  });

  it('of an ended task ends at once', async () => {
    const task = await end(await start(await queued()));
    await test.logs.append(task.id, 1, lines(1, 3));
    expect(await whole(task.id, '?follow=true&from=3')).toBe('line 3\n');
  });

  it('ends without any event, by looking', async () => {
    const deaf = await openTestApi({
      parts: ({ bus }) => ({
        bus: {
          publish: (event) => bus.publish(event),
          publishMany: (events) => bus.publishMany(events),
          subscribe: () => Promise.reject(new Error('no events here')),
          nudge: (workerId, nudge) => bus.nudge(workerId, nudge),
          onNudge: (workerId, handler) => bus.onNudge(workerId, handler),
        },
      }),
    });
    try {
      const someone = await deaf.signUp('alice');
      const task = makeTask({}, { ownerId: someone.id });
      await deaf.store.tasks.insert([task]);
      const reply = deaf.call('GET', `/api/tasks/${task.id}/logs?follow=true`, { as: someone });
      expect((await deaf.call('POST', `/api/tasks/${task.id}/cancel`, { as: someone })).status).toBe(202);
      expect(await reply).toMatchObject({ status: 200, text: '' });
    } finally {
      await deaf.close();
    }
  });

  it('stops reading when the reader goes away', async () => {
    let reads = 0;
    const counting = await openTestApi({
      parts: ({ logs }) => ({
        logs: {
          append: (...args) => logs.append(...args),
          read: (...args) => {
            reads += 1;
            return logs.read(...args);
          },
          position: (...args) => logs.position(...args),
          remove: (...args) => logs.remove(...args),
        },
      }),
    });
    try {
      const someone = await counting.signUp('alice');
      const task = makeTask({}, { ownerId: someone.id });
      await counting.store.tasks.insert([task]);
      const controller = new AbortController();
      const response = await fetch(`${await counting.api.start()}/api/tasks/${task.id}/logs?follow=true`, {
        headers: { authorization: `Bearer ${someone.token}` },
        signal: controller.signal,
      });
      expect(response.status).toBe(200);
      await waitFor(() => reads >= 3, { what: 'the follower to look a few times' });
      controller.abort();
      let before = -1;
      await waitFor(
        () => {
          const still = reads === before;
          before = reads;
          return still;
        },
        { what: 'the follower to stop looking', everyMs: 700 },
      );
    } finally {
      await counting.close();
    }
  });

  it('is ended in good order when the API stops', async () => {
    const other = await openTestApi();
    const someone = await other.signUp('alice');
    const task = makeTask({}, { ownerId: someone.id });
    await other.store.tasks.insert([task]);
    await other.logs.append(task.id, 1, lines(1, 1));
    const response = await fetch(`${await other.api.start()}/api/tasks/${task.id}/logs?follow=true`, {
      headers: { authorization: `Bearer ${someone.token}` },
    });
    const [first, rest] = response.body?.tee() ?? [];
    await first?.getReader().read();
    const begin = performance.now();
    const text = new Response(rest).text();
    await other.close();
    expect(await text).toBe('line 1\n');
    expect(performance.now() - begin).toBeLessThan(4_000);
  });

  it('too many at once is refused', async () => {
    const { id } = await queued();
    const open = await Promise.all(Array.from({ length: 100 }, () => read(id, '?follow=true')));
    const reply = await test.call<Refused>('GET', `/api/tasks/${id}/logs?follow=true`, { as: alice });
    expect(reply).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    await test.call('POST', `/api/tasks/${id}/cancel`, { as: alice });
    await Promise.all(open.map(({ ended }) => ended));
    expect((await test.call('GET', `/api/tasks/${id}/logs?follow=true`, { as: alice })).status).toBe(200);
  });
});
