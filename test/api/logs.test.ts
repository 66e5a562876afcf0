// Output over a real socket: whole, from a line on, followed to the end, given up by either side.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonLines } from '../support/curl.ts';
import { makeTask } from '../support/tasks.ts';
import { waitFor } from '../support/wait-for.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';
import { lines, OutputStage, textOf } from './output-stage.ts';

let test: TestApi;
let url: string;
let alice: Person;
let stage: OutputStage;

beforeAll(async () => {
  test = await openTestApi();
  alice = await test.signUp('alice');
  stage = new OutputStage(test, alice);
  url = await test.api.start();
});
afterAll(() => test?.close());

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
    expect(await whole((await stage.queued()).id)).toBe('');
  });

  it('comes as text, whole or from a line on', async () => {
    const task = await stage.ended(await stage.started());
    await test.logs.append(task.id, 1, lines(1, 2_500, 'grüße €'));
    const reading = await read(task.id);
    await reading.ended;
    expect(reading.type).toBe('text/plain; charset=utf-8');
    expect(reading.text()).toBe(textOf(lines(1, 2_500, 'grüße €')));
    expect(await whole(task.id, '?from=2499')).toBe(textOf(lines(2_499, 2_500, 'grüße €')));
    expect(await whole(task.id, '?from=2501')).toBe('');
  });

  it('comes as JSON lines when asked for in either way', async () => {
    const task = await stage.ended(await stage.started());
    await test.logs.append(task.id, 1, lines(1, 3));
    for (const [query, accept] of [
      ['', 'application/x-ndjson'],
      ['?format=ndjson', '*/*'],
    ] as const) {
      const reading = await read(task.id, query, accept);
      await reading.ended;
      expect(reading.type).toBe('application/x-ndjson');
      expect(jsonLines(reading.text())).toMatchObject([
        { seq: 1, stream: 'stdout', line: 'line 1', ts: '2023-11-14T22:13:20.000Z', attempt: 1 },
        { seq: 2, stream: 'stderr', line: 'line 2', attempt: 1 },
        { seq: 3, stream: 'stdout', line: 'line 3', attempt: 1 },
      ]);
    }
  });

  it('of an earlier attempt stays there', async () => {
    const first = await stage.started();
    await test.logs.append(first.id, 1, lines(1, 2, 'first'));
    const again = await stage.takenBack(first);
    await test.logs.append(again.id, 2, lines(1, 1, 'second'));
    expect(await whole(first.id)).toBe('second 1\n');
    expect(await whole(first.id, '?attempt=1')).toBe('first 1\nfirst 2\n');
    const reply = await test.call<Refused>('GET', `/api/tasks/${first.id}/logs?attempt=3`, { as: alice });
    expect(reply).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(reply.body.message).toContain('attempt 3');
  });

  it('comes from the last lines on, of both streams or one', async () => {
    const task = await stage.ended(await stage.started());
    await test.logs.append(task.id, 1, [
      ...lines(1, 1_500),
      ...lines(1_501, 3_500).map((line) => ({ ...line, stream: 'stdout' as const })),
    ]);
    const ofStream = (stream: string) => lines(1, 1_500).filter((line) => line.stream === stream);
    expect(await whole(task.id, '?tail=2')).toBe(textOf(lines(3_499, 3_500)));
    expect(await whole(task.id, '?tail=9000')).toBe(textOf(lines(1, 3_500)));
    expect(await whole(task.id, '?tail=0')).toBe('');
    expect(await whole(task.id, '?from=7&limit=2')).toBe(textOf(lines(7, 8)));
    expect(await whole(task.id, '?tail=9&limit=3')).toBe(textOf(lines(3_492, 3_494)));
    expect(await whole(task.id, '?from=3400&limit=3000')).toBe(textOf(lines(3_400, 3_500)));
    expect(await whole(task.id, '?stream=stderr&limit=2')).toBe(textOf(ofStream('stderr').slice(0, 2)));
    expect(await whole(task.id, '?stream=stderr&from=1491')).toBe(textOf(ofStream('stderr').slice(-5)));
    expect(await whole(task.id, '?stream=stderr&tail=3')).toBe(textOf(ofStream('stderr').slice(-3)));
    expect(await whole(task.id, '?stream=stderr&tail=749')).toBe(textOf(ofStream('stderr').slice(1)));
    expect(await whole(task.id, '?stream=stderr&tail=750')).toBe(textOf(ofStream('stderr')));
    expect(await whole(task.id, '?stream=stdout&tail=1')).toBe('line 3500\n');
    expect(await whole(task.id, '?stream=stderr&tail=0')).toBe('');
  });

  it.each([
    ['?from=1&tail=2', 'tail'],
    ['?tail=-1', 'tail'],
    ['?limit=0', 'limit'],
    ['?limit=9&follow=true', 'limit'],
    ['?tail=all', 'tail'],
    ['?stream=stdin', 'stream'],
    ['?from=0', 'from'],
    ['?from=x', 'from'],
    ['?attempt=-1', 'attempt'],
    ['?follow=perhaps', 'follow'],
    ['?format=xml', 'format'],
  ])('refuses %s', async (query, field) => {
    const { id } = await stage.queued();
    expect(await test.call('GET', `/api/tasks/${id}/logs${query}`, { as: alice })).toMatchObject({
      status: 400,
      body: { details: [{ field }] },
    });
  });
});

describe('following', () => {
  it('waits for a task to start, gives lines as they come, and ends after the last one', async () => {
    const task = await stage.queued();
    const reading = await read(task.id, '?follow=true');
    const started = await stage.started(task);
    await test.logs.append(task.id, 1, lines(1, 2));
    await waitFor(() => reading.text() === 'line 1\nline 2\n', { what: 'the first lines' });
    await test.logs.append(task.id, 1, lines(3, 1_800));
    await stage.ended(started);
    await reading.ended;
    expect(reading.text()).toBe(textOf(lines(1, 1_800)));
  });

  it('goes on into the next attempt, unless one was named', async () => {
    const first = await stage.started();
    await test.logs.append(first.id, 1, lines(1, 2, 'first'));
    const all = await read(first.id, '?follow=true');
    const one = await read(first.id, '?follow=true&attempt=1');
    await waitFor(() => all.text().includes('first 2'), { what: 'the first attempt' });
    const again = await stage.takenBack(first);
    await one.ended;
    expect(one.text()).toBe('first 1\nfirst 2\n');
    const second = await stage.started(again);
    await test.logs.append(first.id, 2, lines(1, 2, 'second'));
    await stage.ended(second);
    await all.ended;
    expect(all.text()).toBe('first 1\nfirst 2\nsecond 1\nsecond 2\n');
  });

  it('begins with the last lines, or with what comes, and goes on', async () => {
    const task = await stage.started();
    await stage.print(task, lines(1, 10));
    const last = await read(task.id, '?follow=true&tail=3');
    const errors = await read(task.id, '?follow=true&tail=2&stream=stderr');
    const coming = await read(task.id, '?follow=true&tail=0');
    await waitFor(() => last.text() === textOf(lines(8, 10)), { what: 'the last lines' });
    await waitFor(() => errors.text() === 'line 8\nline 10\n', { what: 'the last lines of one stream' });
    await stage.print(task, lines(11, 13));
    await stage.print(task, lines(14, 16), 'numbers');
    await stage.ended(task);
    await Promise.all([last.ended, errors.ended, coming.ended]);
    expect(last.text()).toBe(textOf(lines(8, 16)));
    expect(errors.text()).toBe('line 8\nline 10\nline 12\nline 14\nline 16\n');
    expect(coming.text()).toBe(textOf(lines(11, 16)));
  });

  it('tells the attempts apart in JSON lines', async () => {
    const first = await stage.started();
    await stage.print(first, lines(1, 2, 'first'));
    const all = await read(first.id, '?follow=true&format=ndjson');
    const second = await stage.started(await stage.takenBack(first));
    await stage.print(second, lines(1, 1, 'second'));
    await stage.ended(second);
    await all.ended;
    expect(jsonLines(all.text())).toMatchObject([
      { attempt: 1, seq: 1, line: 'first 1' },
      { attempt: 1, seq: 2, line: 'first 2' },
      { attempt: 2, seq: 1, line: 'second 1' },
    ]);
  });

  it('of an ended task ends at once', async () => {
    const task = await stage.ended(await stage.started());
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
    const { id } = await stage.queued();
    const open = await Promise.all(Array.from({ length: 100 }, () => read(id, '?follow=true')));
    const reply = await test.call<Refused>('GET', `/api/tasks/${id}/logs?follow=true`, { as: alice });
    expect(reply).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    await test.call('POST', `/api/tasks/${id}/cancel`, { as: alice });
    await Promise.all(open.map(({ ended }) => ended));
    expect((await test.call('GET', `/api/tasks/${id}/logs?follow=true`, { as: alice })).status).toBe(200);
  });
});
