// Following output as users do it, with curl and with many at once: nothing missed, nothing twice, whatever restarts.

import { request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LogLineBody } from '../../shared/contracts/log-lines.ts';
import type { LogStore } from '../../shared/ports/log-store.ts';
import { freePort } from '../support/cluster.ts';
import { curl, jsonLines } from '../support/curl.ts';
import { waitFor } from '../support/wait-for.ts';
import { openRedisLine, openTestApi, type Person, type TestApiOptions } from './harness.ts';
import { lines, OutputStage, textOf } from './output-stage.ts';

/** Lines given by the store so far, and how often it was asked. */
interface Count {
  lines: number;
  reads: number;
}

function counting(logs: LogStore, count: Count): LogStore {
  return {
    append: (...args) => logs.append(...args),
    read: async (...args) => {
      const found = await logs.read(...args);
      count.reads += 1;
      count.lines += found.length;
      return found;
    },
    position: (...args) => logs.position(...args),
    remove: (...args) => logs.remove(...args),
  };
}

async function openStage(options: TestApiOptions = {}) {
  const test = await openTestApi(options);
  onTestFinished(() => test.close());
  // The first of all is the admin, who may follow the output of others.
  const admin = await test.signUp('root');
  const alice = await test.signUp('alice');
  return { test, admin, alice, stage: new OutputStage(test, alice), url: await test.api.start() };
}

/** Resolves once the reading has begun. */
async function follow(url: string, taskId: string, as: Person, query = ''): Promise<Response> {
  const response = await fetch(`${url}/api/tasks/${taskId}/logs?follow=true${query}`, {
    headers: { authorization: `Bearer ${as.token}` },
    signal: AbortSignal.timeout(60_000),
  });
  expect(response.status).toBe(200);
  return response;
}

describe('curl -N', () => {
  it('shows lines as they come, and ends with the task', async () => {
    const { stage, alice, url } = await openStage();
    const task = await stage.queued();
    const reader = curl(`${url}/api/tasks/${task.id}/logs?follow=true`, alice.token);
    const started = await stage.started(task);
    for (const [first, told] of [
      [1, 'lines'],
      [11, 'numbers'],
      [21, 'nothing'],
      [31, 'lines'],
    ] as const) {
      await stage.print(started, lines(first, first + 9), told);
      await waitFor(() => reader.text() === textOf(lines(1, first + 9)), { what: `line ${first + 9}` });
    }
    await stage.ended(started);
    expect(await reader.ended).toBe(0);
    expect(reader.text()).toBe(textOf(lines(1, 40)));
  });

  it('has every line once when the API is restarted in the middle, going on by number', async () => {
    const { test, stage, alice } = await openStage();
    const task = await stage.started();
    const port = await freePort();
    const address = (from: number) =>
      `http://127.0.0.1:${port}/api/tasks/${task.id}/logs?follow=true&format=ndjson&from=${from}`;
    const seen: LogLineBody[] = [];
    let next = 1;
    for (const round of [1, 2, 3, 4]) {
      const copy = await test.copy(port);
      await copy.api.start();
      const reader = curl(address(next), alice.token);
      await stage.print(task, lines(round * 1_000 - 999, round * 1_000 - 500));
      await waitFor(() => jsonLines<LogLineBody>(reader.text()).at(-1)?.seq === round * 1_000 - 500, {
        what: 'the lines of this round',
      });
      // More while it goes away: what of these still comes is for the API to say.
      const more = stage.print(task, lines(round * 1_000 - 499, round * 1_000), 'numbers');
      await copy.close();
      await more;
      expect(await reader.ended).toBe(0);
      seen.push(...jsonLines<LogLineBody>(reader.text()));
      next = (seen.at(-1)?.seq ?? 0) + 1;
    }
    await stage.ended(task);
    const copy = await test.copy(port);
    await copy.api.start();
    const reader = curl(address(next), alice.token);
    expect(await reader.ended).toBe(0);
    await copy.close();
    seen.push(...jsonLines<LogLineBody>(reader.text()));
    expect(seen.map(({ seq, line }) => `${seq} ${line}`)).toEqual(
      lines(1, 4_000).map(({ seq, line }) => `${seq} ${line}`),
    );
  });
});

describe('who may read no longer', () => {
  it('is cut off while following, on every copy, and told why when asking again', async () => {
    const { test, stage, alice, url } = await openStage();
    const boss = await test.join('boss', { role: 'admin' });
    const bob = await test.join('bob', { role: 'admin' });
    const second = await test.copy();
    onTestFinished(() => second.close());
    const task = await stage.started();
    const there = await second.api.start();
    const read = [follow(url, task.id, bob), follow(there, task.id, bob), follow(there, task.id, alice)];
    const [here, elsewhere, owner] = await Promise.all(read);
    const change = (body: object) => test.call('PATCH', '/api/users/bob', { as: boss, body });
    await stage.print(task, lines(1, 3));
    expect((await change({ role: 'user' })).status).toBe(200);
    for (const response of [here, elsewhere]) expect(textOf(lines(1, 3))).toContain(await response?.text());
    const path = `/api/tasks/${task.id}/logs?follow=true`;
    expect((await test.call('GET', path, { as: bob })).status).toBe(404);
    await stage.ended(task);
    expect(await owner?.text()).toBe(textOf(lines(1, 3)));
  });
});

describe('many followers of one task', () => {
  const FOLLOWERS = 60;
  const HALF = FOLLOWERS / 2;

  it('get the same bytes from one tail', async () => {
    const count: Count = { lines: 0, reads: 0 };
    const { stage, alice, admin, url } = await openStage({
      parts: ({ logs }) => ({ logs: counting(logs, count) }),
    });
    const task = await stage.started();
    const begun = await Promise.all(
      Array.from({ length: FOLLOWERS }, (_, n) =>
        follow(url, task.id, n % 2 === 0 ? alice : admin, n < HALF ? '' : '&format=ndjson'),
      ),
    );
    const readings = begun.map(async (response) => Buffer.from(await response.arrayBuffer()));
    for (let first = 1; first < 8_000; first += 250) {
      await stage.print(task, lines(first, first + 249), first % 1_000 === 1 ? 'numbers' : 'lines');
    }
    await stage.ended(task);
    const answers = await Promise.all(readings);
    expect(answers[0]?.toString()).toBe(textOf(lines(1, 8_000)));
    expect(jsonLines<LogLineBody>(String(answers[HALF])).map(({ seq }) => seq)).toEqual(
      lines(1, 8_000).map(({ seq }) => seq),
    );
    expect(answers.every((one, n) => one.equals(answers[n < HALF ? 0 : HALF] as Buffer))).toBe(true);
    // Readers on their own would have taken as many times the output.
    expect(count.lines).toBeLessThan(8_000 * 3);
  });
});

describe('a reader that does not read', () => {
  it('costs no memory and is served whole later', async () => {
    const count: Count = { lines: 0, reads: 0 };
    const { stage, alice, url } = await openStage({
      parts: ({ logs }) => ({ logs: counting(logs, count) }),
    });
    const task = await stage.started();
    const text = 'x'.repeat(1_000);
    let received = 0;
    const answer = await new Promise<import('node:http').IncomingMessage>((done, fail) => {
      const headers = { authorization: `Bearer ${alice.token}` };
      request(`${url}/api/tasks/${task.id}/logs?follow=true`, { headers }, done).once('error', fail).end();
    });
    answer.pause();
    for (let first = 1; first <= 60_000; first += 1_000) {
      await stage.print(task, lines(first, first + 999, text), 'numbers');
    }
    // 60 MB were written. The socket took some of it; what was read for it beyond that is a page or two.
    expect(count.lines).toBeLessThan(20_000);
    const before = count.lines;
    await stage.print(task, lines(60_001, 60_001, text), 'numbers');
    await waitFor(() => count.lines === before, { what: 'nothing more to be read' });
    await stage.ended(task);
    const tail: Buffer[] = [];
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      received += chunk.length;
      tail.push(chunk);
      if (tail.length > 3) tail.shift();
    }
    expect(received).toBe(textOf(lines(1, 60_001, text)).length);
    expect(Buffer.concat(tail).toString().endsWith(' 60001\n')).toBe(true);
  });
});

describe('without Redis', () => {
  it('lines and the end still come, and at once again when it is back', async () => {
    const line = await openRedisLine();
    const { stage, alice, url, test } = await openStage({ redisUrl: line.url });
    const task = await stage.started();
    const reader = curl(`${url}/api/tasks/${task.id}/logs?follow=true`, alice.token);
    const shows = (last: number) =>
      waitFor(() => reader.text() === textOf(lines(1, last)), { what: `line ${last}` });
    await stage.print(task, lines(1, 10));
    await shows(10);
    await line.cut();
    await stage.print(task, lines(11, 3_000));
    await shows(3_000);
    await line.mend();
    await waitFor(() => test.redis.ping().then(() => true), { what: 'Redis to be back' });
    await stage.print(task, lines(3_001, 3_010));
    await shows(3_010);
    await line.cut();
    await stage.ended(task);
    expect(await reader.ended).toBe(0);
    expect(reader.text()).toBe(textOf(lines(1, 3_010)));
    await line.mend();
  });
});
