// One user with many requests open at once: others are served between them, none of that user's is lost, and what is
// open for long holds nobody up.

import { describe, expect, it, onTestFinished } from 'vitest';
import type { BatchReply } from '../../shared/contracts/http.ts';
import { waitFor } from '../support/wait-for.ts';
import { openTestApi, type Refused, type Seen, type TestApiOptions } from './harness.ts';

const TASK = { docker_image: 'busybox:1' };
const OPEN = 300;

async function open(options: TestApiOptions = {}) {
  const test = await openTestApi(options);
  onTestFinished(() => test.close());
  return { test, alice: await test.join('alice'), bob: await test.join('bob') };
}

describe('a user with many requests open', () => {
  it('does not keep others waiting until all of them are done', async () => {
    const { test, alice, bob } = await open();
    const tasks = Array(20).fill(TASK);
    await test.call<BatchReply>('POST', '/api/tasks/batch', { as: alice, body: { tasks } });
    const order: string[] = [];
    const list = (as: typeof alice) =>
      test.call('GET', '/api/tasks?limit=20', { as }).then(({ status }) => {
        order.push(`${as.username} ${status}`);
      });
    const flood = Array.from({ length: OPEN }, () => list(alice));
    await list(bob);
    await Promise.all(flood);
    expect(order).toHaveLength(OPEN + 1);
    // On a very busy machine the last ones may be told to come again.
    expect(order.filter((one) => !['alice 200', 'alice 429', 'bob 200'].includes(one))).toEqual([]);
    // Behind those that had begun when it came, and not many more.
    expect(order.indexOf('bob 200')).toBeLessThan(OPEN / 4);
  });

  it('is refused beyond a line of bounded length, by an answer that says when to come again', async () => {
    const { test, alice, bob } = await open({ env: { REQUESTS_AT_ONCE: '1' } });
    const read = (as: typeof alice) => test.call<Refused>('GET', '/api/tasks', { as });
    const answers = await Promise.all(Array.from({ length: 60 }, () => read(alice)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(60 - refused.length);
    expect(refused[0]).toMatchObject({
      body: { code: 'rate_limited', details: [{ field: 'requests' }] },
      headers: { 'retry-after': '1' },
    });
    expect((await read(bob)).status).toBe(200);
    expect((await read(alice)).status).toBe(200);
  });

  it('may follow more outputs than it may have requests in progress', async () => {
    const { test, alice } = await open({ env: { REQUESTS_AT_ONCE: '1' } });
    const url = await test.api.start();
    const { body } = await test.call<Seen>('POST', '/api/tasks', { as: alice, body: TASK });
    const headers = { authorization: `Bearer ${alice.token}` };
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const follow = () =>
      fetch(`${url}/api/tasks/${body.task_id}/logs?follow=true`, { headers, signal: stop.signal });
    let readings = 0;
    const count = ({ status }: Response) => {
      if (status === 200) readings += 1;
    };
    for (let n = 0; n < 2; n += 1) void follow().then(count, () => undefined);
    await waitFor(() => readings === 2, { what: 'two readings that are open' });
    expect((await test.call('GET', '/api/tasks', { as: alice })).status).toBe(200);
  });
});

describe('an address without a sign-in', () => {
  it('has a line of its own', async () => {
    const { test, alice } = await open({ env: { REQUESTS_AT_ONCE: '1' } });
    const looks = await Promise.all(
      Array.from({ length: 60 }, () => test.call<Refused>('GET', '/telemetry')),
    );
    expect(new Set(looks.map(({ status }) => status))).toEqual(new Set([200, 429]));
    expect((await test.call('GET', '/telemetry', { as: alice })).status).toBe(200);
  });
});
