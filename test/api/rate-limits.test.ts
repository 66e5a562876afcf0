// Too many requests: who is refused, who is not, what is told, and on how many copies.

import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WINDOW_SECONDS } from '../../api/services/request-limits.ts';
import { RateCounts } from '../../shared/adapters/redis/rate-counts.ts';
import type { BatchReply } from '../../shared/contracts/http.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  openRedisLine,
  openTestApi,
  type Person,
  type Refused,
  type Seen,
  type TestApi,
  type TestApiOptions,
} from './harness.ts';

const LIMIT = 2 * WINDOW_SECONDS;
const TASK = { docker_image: 'busybox:1' };

/** Of each kind two requests a second. */
const SMALL = { RATE_LIMIT_READS: '2', RATE_LIMIT_WRITES: '2', RATE_LIMIT_ANONYMOUS: '2' };

/**
 * A clock that stands: however slow the machine, a window ends when told. And, unless `isTold`, one copy that hears of no
 * other: what Redis tells it half a second later goes by the clock of Redis, which does not stand.
 */
async function openSmall(
  env: Record<string, string> = {},
  { isTold = false, ...more }: TestApiOptions & { readonly isTold?: boolean } = {},
) {
  let nowMs = 0.7;
  const clock = { now: () => nowMs, monotonic: () => nowMs };
  const test = await openTestApi({
    ...more,
    env: { ...SMALL, ...env },
    parts: (parts) => ({
      rateLimiter: (options) => {
        if (isTold) return parts.rateLimiter({ ...options, clock });
        const counts = new RateCounts(options.windowSeconds * 1_000);
        return { take: (key, cost, limit) => counts.take(key, cost, limit, nowMs) };
      },
      ...more.parts?.(parts),
    }),
  });
  const wait = (seconds: number) => {
    nowMs += seconds * 1_000;
  };
  onTestFinished(() => test.close());
  const [alice, bob] = [await test.join('alice'), await test.join('bob')];
  const read = (as = alice) => test.call<Refused>('GET', '/api/tasks', { as });
  const write = (as = alice) => test.call<Seen & Refused>('POST', '/api/tasks', { as, body: TASK });
  return { test, alice, bob, read, write, wait };
}

async function times(count: number, act: () => Promise<{ status: number }>): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < count; n += 1) statuses.push((await act()).status);
  return statuses;
}
const none = (status: number, among: readonly number[]) => among.every((one) => one !== status);

describe('a user over the limit', () => {
  it('is refused and told how long to wait, while others and other kinds go on', async () => {
    const { read, write, bob, wait } = await openSmall();
    expect(await times(LIMIT, () => read())).toEqual(Array(LIMIT).fill(200));
    wait(3);
    const refused = await read();
    expect(refused).toMatchObject({
      status: 429,
      body: { code: 'rate_limited', details: [{ field: 'requests' }] },
    });
    const seconds = Number(refused.headers['retry-after']);
    expect(refused.body.message).toBe(
      `the limit of reads by your account is ${LIMIT} in ${WINDOW_SECONDS} s: wait ${seconds} s`,
    );
    expect(refused.headers.ratelimit).toBe(`"reads";r=0;t=${seconds}`);
    expect((await read(bob)).status).toBe(200);
    expect((await write()).status).toBe(201);
    wait(seconds);
    expect((await read()).status).toBe(200);
  });

  it('sees in every answer what is left', async () => {
    const { read, write } = await openSmall();
    await read();
    expect((await read()).headers).toMatchObject({
      'ratelimit-policy': `"reads";q=${LIMIT};w=${WINDOW_SECONDS}`,
      ratelimit: `"reads";r=${LIMIT - 2};t=${WINDOW_SECONDS}`,
    });
    expect((await write()).headers.ratelimit).toMatch(/^"writes";r=19;t=10$/);
  });

  it('makes no task by what is refused', async () => {
    const { write, bob, test } = await openSmall();
    const statuses = await times(LIMIT + 5, () => write(bob));
    expect(statuses.filter((status) => status === 429)).toHaveLength(5);
    const { body } = await test.call<{ tasks: unknown[] }>('GET', '/api/tasks?limit=100', { as: bob });
    expect(body.tasks).toHaveLength(LIMIT);
  });

  it('may ask for the states of many by a POST that counts as a read', async () => {
    const { test, alice } = await openSmall({ RATE_LIMIT_WRITES: '1' });
    const body = { task_ids: ['task-01jd8x2b9q3v5w7y8z0a1c2d3e'] };
    const ask = () => test.call('POST', '/api/tasks/states', { as: alice, body });
    expect(none(429, await times(WINDOW_SECONDS + 5, ask))).toBe(true);
  });

  it('pays for a batch by its tasks, too', async () => {
    const { test, alice } = await openSmall();
    const batch = (tasks: number) =>
      test.call<BatchReply>('POST', '/api/tasks/batch', {
        as: alice,
        body: { tasks: Array(tasks).fill(TASK) },
      });
    expect((await batch(1_000)).status).toBe(201);
    // 1 + 10 of 20 are gone.
    expect((await batch(10)).headers.ratelimit).toMatch(/^"writes";r=8;/);
    expect((await batch(1_000)).status).toBe(201);
    expect((await batch(1)).status).toBe(429);
  });

  it('is not there when the limit is 0', async () => {
    const { read } = await openSmall({ RATE_LIMIT_READS: '0' });
    expect(none(429, await times(2 * LIMIT, () => read()))).toBe(true);
    expect((await read()).headers.ratelimit).toBeUndefined();
  });
});

describe('a user with limits of its own', () => {
  const quotaOf = (test: TestApi, admin: Person, quota: Record<string, number | null>) =>
    test.call('PATCH', '/api/users/alice', { as: admin, body: { quota } });
  const policyOf = async (call: Promise<{ headers: Record<string, unknown> }>) =>
    (await call).headers['ratelimit-policy'];

  it('may do more or less than the others from the moment on that an admin says so', async () => {
    const { test, alice, bob, read, write } = await openSmall();
    const admin = await test.join('root', { role: 'admin' });
    expect(none(429, await times(LIMIT, () => read()))).toBe(true);
    expect((await read()).status).toBe(429);
    const set = await quotaOf(test, admin, { rate_limit_reads: 4, rate_limit_writes: 1 });
    expect(set.status).toBe(200);
    expect(none(429, await times(LIMIT, () => read()))).toBe(true);
    expect((await read()).body.message).toMatch(/^the limit of reads by your account is 40 in 10 s/);
    expect(await policyOf(read(bob))).toBe(`"reads";q=${LIMIT};w=10`);
    expect(none(429, await times(WINDOW_SECONDS, () => write()))).toBe(true);
    expect((await write()).status).toBe(429);
    expect((await write(bob)).status).toBe(201);
    // 0 is no limit, null what the settings say.
    await quotaOf(test, admin, { rate_limit_reads: 0, rate_limit_writes: null });
    expect(none(429, await times(2 * LIMIT, () => read()))).toBe(true);
    expect(await policyOf(read())).toBeUndefined();
    expect(await policyOf(write(alice))).toBe(`"writes";q=${LIMIT};w=10`);
  });

  it('has one where the others have none, and pays for a batch by it', async () => {
    const { test, alice, read, bob } = await openSmall({ RATE_LIMIT_READS: '0', RATE_LIMIT_WRITES: '0' });
    const admin = await test.join('root', { role: 'admin' });
    await quotaOf(test, admin, { rate_limit_reads: 1, rate_limit_writes: 1 });
    expect(none(429, await times(WINDOW_SECONDS, () => read()))).toBe(true);
    expect((await read()).status).toBe(429);
    expect(none(429, await times(2 * LIMIT, () => read(bob)))).toBe(true);
    const body = { tasks: Array(900).fill(TASK) };
    const batch = () => test.call('POST', '/api/tasks/batch', { as: alice, body });
    expect((await batch()).status).toBe(201);
    expect((await batch()).status).toBe(429);
  });

  it('has them on the other copies, too', async () => {
    const { test, alice } = await openSmall();
    const admin = await test.join('root', { role: 'admin' });
    const beside = await openTestApi({
      beside: test,
      env: { DATA_DIR: test.config.dataDir, RATE_LIMIT_READS: '100' },
    });
    onTestFinished(() => beside.close());
    const there = () => policyOf(beside.call('GET', '/api/tasks', { as: alice }));
    expect(await there()).toBe('"reads";q=1000;w=10');
    await quotaOf(test, admin, { rate_limit_reads: 7 });
    await waitFor(async () => (await there()) === '"reads";q=70;w=10', {
      what: 'the other copy to go by the limit of its own',
    });
  });
});

describe('an address without a sign-in', () => {
  it('is refused where it costs something, and a signed-in user there is not', async () => {
    const { test, alice } = await openSmall();
    const look = (as?: typeof alice) => test.call<Refused>('GET', '/telemetry', { as });
    const login = () =>
      test.call<Refused>('POST', '/api/auth/login', {
        body: { username: 'nobody', password: 'wrong-password' },
      });
    expect(none(429, await times(LIMIT, () => look()))).toBe(true);
    expect(await look()).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect(await login()).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect((await test.call('GET', '/workers')).status).toBe(429);
    expect((await look(alice)).headers.ratelimit).toMatch(/^"reads";/);
    // Probes tell whether this process can work, which has nothing to do with who asks.
    expect((await test.call('GET', '/healthz')).status).toBe(200);
    expect((await test.call('GET', '/readyz')).status).toBe(200);
  });

  it('looks on with a token that is no good any more', async () => {
    const { test } = await openSmall();
    const reply = await test.call('GET', '/workers', { as: 'cloudai_of-long-ago' });
    expect(reply).toMatchObject({ status: 200 });
    expect(reply.headers.ratelimit).toMatch(/^"anonymous";/);
  });
});

describe('several copies of the API', () => {
  it('count together, as soon as they have told each other', async () => {
    const { test, read } = await openSmall({}, { isTold: true });
    const beside = await openTestApi({
      beside: test,
      env: { DATA_DIR: test.config.dataDir, RATE_LIMIT_READS: '2' },
    });
    onTestFinished(() => beside.close());
    let users = 0;
    const letInBeside = async () => {
      users += 1;
      const as = await test.join(`reader-${users}`);
      expect(none(429, await times(LIMIT, () => read(as)))).toBe(true);
      let letIn = 0;
      const isRefused = async () => {
        if ((await beside.call('GET', '/api/tasks', { as })).status === 429) return true;
        letIn += 1;
        return false;
      };
      await waitFor(isRefused, { what: 'a refusal by the other copy', everyMs: 200 });
      return letIn;
    };
    // Until it is told it goes by its own limit; who is slower than a window is not told.
    await waitFor(async () => (await letInBeside()) < LIMIT, {
      what: 'a refusal for what the first copy let in',
    });
    expect((await beside.call('GET', '/api/tasks', { as: await beside.join('carol') })).status).toBe(200);
  });

  it('go on counting alone while Redis is away', async () => {
    const line = await openRedisLine();
    const { read, bob } = await openSmall({}, { redisUrl: line.url, isTold: true });
    await times(5, () => read());
    await line.cut();
    try {
      const statuses = await times(LIMIT, () => read());
      expect(statuses).toEqual([...Array(LIMIT - 5).fill(200), ...Array(5).fill(429)]);
      expect((await read(bob)).status).toBe(200);
    } finally {
      await line.mend();
    }
  });
});

describe('large bodies', () => {
  it('of one user that come in at once are bounded, those of others come in', async () => {
    // Whoever asks again until there is room may ask often.
    const { test, alice, bob } = await openSmall({ RATE_LIMIT_WRITES: '0' });
    const url = new URL(await test.api.start());
    const MB = 2 ** 20;
    /** Announces a body of so many bytes and sends none of it. */
    const announce = (token: string, bytes: number) => {
      const socket = connect(Number(url.port), url.hostname);
      onTestFinished(() => void socket.destroy());
      let answer = '';
      socket.setEncoding('utf8').on('data', (text) => {
        answer += text;
      });
      socket.write(
        `POST /api/tasks/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${bytes}\r\n\r\n`,
      );
      return { socket, status: () => answer.slice(9, 12) };
    };
    const held = [announce(alice.token, 20 * MB), announce(alice.token, 20 * MB)];
    const more = Array.from({ length: 3 }, () => announce(alice.token, 20 * MB));
    // Whichever three of the five came last.
    const refused = () => [...held, ...more].filter(({ status }) => status() === '429').length;
    await waitFor(() => refused() === 3, { what: 'three refusals' });
    const body = { tasks: [{ ...TASK, command: 'x'.repeat(70 * 1_024) }] };
    const send = (as: typeof alice) => test.call('POST', '/api/tasks/batch', { as, body });
    expect((await send(bob)).status).toBe(201);
    expect((await send(alice)).status).toBe(429);
    for (const { socket } of [...held, ...more]) socket.destroy();
    await waitFor(async () => (await send(alice)).status === 201, { what: 'room for a body' });
  });
});

describe('a flood of probes', () => {
  it('asks store and queue once at a time', async () => {
    let asked = 0;
    let answer = () => {};
    const answered = new Promise<void>((done) => {
      answer = done;
    });
    const pingQueue = () => {
      asked += 1;
      return answered;
    };
    const { test } = await openSmall({}, { parts: () => ({ pingQueue }) });
    const probes = Array.from({ length: 50 }, () => test.call('GET', '/readyz'));
    await waitFor(() => asked > 0, { what: 'a question to the queue' });
    answer();
    expect((await Promise.all(probes)).map(({ status }) => status)).toEqual(Array(50).fill(200));
    // Some may come after the answer.
    expect(asked).toBeLessThan(25);
  });
});
