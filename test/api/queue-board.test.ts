// Bull Board at /queues: who gets in and how, that it changes nothing, which queues it has, and what it does not tell.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workerQueueName } from '../../shared/adapters/redis/queue-handle.ts';
import { makeRegistration } from '../support/tasks.ts';
import {
  openRedisLine,
  openTestApi,
  type Person,
  type RedisLine,
  type Refused,
  type TestApi,
} from './harness.ts';

interface QueuesReply {
  readonly queues: { readonly name: string; readonly readOnlyMode: boolean; readonly jobs: unknown[] }[];
}

const HTML = { accept: 'text/html,application/xhtml+xml' };
const PAST_THE_DOOR = [
  '/queues',
  '/queues/',
  '/queues/api/queues',
  '/queues/static/favicon.ico',
  '/queues/x',
];

let test: TestApi;
let admin: Person;
let alice: Person;

beforeAll(async () => {
  test = await openTestApi();
  admin = await test.signUp('root');
  alice = await test.signUp('alice');
});
afterAll(() => test?.close());

/** What a browser would send back. */
async function ticketOf(person: Person, headers: Record<string, string> = {}): Promise<string> {
  const reply = await test.call('POST', '/api/auth/queue-board', { as: person, headers });
  expect(reply.status).toBe(204);
  return String(reply.headers['set-cookie']);
}

const cookie = async (person: Person) => ({ cookie: (await ticketOf(person)).split(';')[0] ?? '' });

describe('who may look', () => {
  it('tells people where to sign in, and programs in JSON', async () => {
    for (const path of PAST_THE_DOOR) {
      const reply = await test.call<string>('GET', path, { headers: HTML });
      expect({ path, status: reply.status }).toEqual({ path, status: 401 });
    }
    const page = await test.call<string>('GET', '/queues', { headers: HTML });
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.text).toContain('sign in at the dashboard as an admin');
    const data = await test.call<Refused>('GET', '/queues/api/queues', { headers: HTML });
    expect(data.body).toMatchObject({ statusCode: 401, code: 'unauthenticated' });
    expect((await test.call<Refused>('GET', '/queues')).body.code).toBe('unauthenticated');
  });

  it('gives users nothing, whether they come with a token or ask for a cookie', async () => {
    expect((await test.call('POST', '/api/auth/queue-board', { as: alice })).status).toBe(403);
    for (const path of PAST_THE_DOOR) expect((await test.call('GET', path, { as: alice })).status).toBe(403);
    expect((await test.call<string>('GET', '/queues', { as: alice, headers: HTML })).text).toContain('<h1>');
  });

  it('lets an admin in with a token, and with a cookie that is good for this path alone', async () => {
    expect((await test.call('GET', '/queues/api/queues', { as: admin })).status).toBe(200);
    const set = await ticketOf(admin);
    expect(set).toMatch(/; HttpOnly; SameSite=Strict; Path=\/queues$/);
    expect(set).toContain('Max-Age=900;');
    expect(set).not.toContain('Secure');
    expect(await ticketOf(admin, { origin: 'https://cloud.example' })).toContain('; Secure');
    // Nobody in front is trusted here.
    expect(await ticketOf(admin, { 'x-forwarded-proto': 'https' })).not.toContain('Secure');

    const headers = await cookie(admin);
    expect((await test.call('GET', '/queues/api/queues', { headers })).status).toBe(200);
    const [, ticket = ''] = headers.cookie.split('=');
    for (const path of ['/api/auth/me', '/api/tasks', '/queues']) {
      expect((await test.call('GET', path, { as: ticket })).status).toBe(401);
      if (path !== '/queues') expect((await test.call('GET', path, { headers })).status).toBe(401);
    }
    expect(
      (await test.call('GET', '/queues', { headers: { cookie: `cloudai-queues=${admin.token}` } })).status,
    ).toBe(401);
    expect(
      (await test.call('GET', '/queues', { headers: { cookie: 'cloudai-queues=no.ticket.here' } })).status,
    ).toBe(401);
    expect((await test.call('GET', '/queues', { headers: { cookie: `${headers.cookie}x` } })).status).toBe(
      401,
    );
  });

  it('is not kept out by broken cookies of others', async () => {
    const { cookie: good } = await cookie(admin);
    const headers = { cookie: `broken="; ${good}; =x` };
    expect((await test.call('GET', '/queues/api/queues', { headers })).status).toBe(200);
  });
});

describe('the board', () => {
  it('is a page that fetches nothing from elsewhere, with a policy that would not let it', async () => {
    for (const path of ['/queues', '/queues/', '/queues/queue/intake', '/queues/queue/intake/task-1']) {
      const page = await test.call<string>('GET', path, { headers: await cookie(admin) });
      expect({ path, status: page.status }).toEqual({ path, status: 200 });
      expect(page.text).toContain('<base href="/queues/"');
      expect(page.text).not.toMatch(/(href|src)="(https?:)?\/\//);
      expect(page.headers['content-security-policy']).toContain("default-src 'none'");
      expect(page.headers['content-security-policy']).not.toContain('unsafe-eval');
      const [, script = ''] = /<script defer src="([^"]+)"/.exec(page.text) ?? [];
      const file = await test.call('GET', `/queues/${script}`, { headers: await cookie(admin) });
      expect(file.status).toBe(200);
      expect(file.headers['content-type']).toContain('javascript');
    }
    const home = await test.call<string>('GET', '/', { headers: HTML });
    expect(home.headers['content-security-policy'] ?? '').not.toContain('worker-src');
  });

  it('is to look at: nothing of it changes a queue', async () => {
    await test.redis.intake.add([{ taskId: 'task-kept', priority: 5, shape: '1c-64m' }]);
    for (const [method, path] of [
      ['PUT', '/queues/api/queues/pause'],
      ['PUT', '/queues/api/queues/intake/pause'],
      ['PUT', '/queues/api/queues/intake/empty'],
      ['PUT', '/queues/api/queues/intake/obliterate'],
      ['PUT', '/queues/api/queues/intake/task-kept/clean'],
      ['POST', '/queues/api/queues/intake/add'],
      ['PATCH', '/queues/api/queues/intake/task-kept/update-data'],
      ['DELETE', '/queues/api/queues/intake'],
    ] as const) {
      const reply = await test.call<Refused>(method, path, { as: admin, body: {} });
      expect({ path, status: reply.status }).toEqual({ path, status: 405 });
      expect((await test.call(method, path, { body: {} })).status).toBe(401);
    }
    const { body } = await test.call<QueuesReply>('GET', '/queues/api/queues?activeQueue=intake', {
      as: admin,
    });
    expect(body.queues).toHaveLength(1);
    expect(body.queues[0]).toMatchObject({ name: 'intake', readOnlyMode: true, jobs: [{ id: 'task-kept' }] });
    await test.redis.intake.remove(['task-kept']);
  });

  it('has the queues of workers as they come and go', async () => {
    const names = async () => {
      const { body } = await test.call<QueuesReply>('GET', '/queues/api/queues', { as: admin });
      return body.queues.map(({ name }) => name).sort();
    };
    const changed = async (wanted: string[]) => expect.poll(names, { timeout: 10_000 }).toEqual(wanted);
    await changed(['intake']);
    await test.store.workers.register(makeRegistration({ id: 'w1' }));
    await test.store.workers.register(makeRegistration({ id: 'w2' }));
    await changed(['intake', workerQueueName('w1'), workerQueueName('w2')]);
    await test.redis.deliveries.deliver([{ workerId: 'w1', taskId: 'task-1', attempt: 1 }]);
    const job = await test.call('GET', '/queues/api/queues/worker-w1/task-1-1', { as: admin });
    expect(job.body).toMatchObject({ job: { name: 'task-1', data: { taskId: 'task-1', attempt: 1 } } });
    await test.store.workers.remove('w1');
    await changed(['intake', workerQueueName('w2')]);
    expect((await test.call('GET', '/queues/api/queues/worker-w1/task-1-1', { as: admin })).status).toBe(404);
    await test.store.workers.remove('w2');
    await changed(['intake']);
  });

  it('blots out what may be secret in whatever somebody put into a queue', async () => {
    const queue = test.redis.queueViews.openIntake();
    const { add } = queue.handle as { add(name: string, data: object, opts: object): Promise<unknown> };
    const data = { image: 'a', env: { PLAIN: 'FIND-ME' }, list: [{ api_key: 'FIND-ME' }] };
    await add.call(queue.handle, 'x', data, { jobId: 'task-telling', telemetry: { metadata: '{}' } });
    for (const path of ['', '/intake/task-telling']) {
      const reply = await test.call('GET', `/queues/api/queues${path}?activeQueue=intake`, { as: admin });
      expect(reply.text).toContain('"image":"a"');
      expect(reply.text).toContain('********');
      expect(reply.text).not.toContain('FIND-ME');
    }
    await test.redis.intake.remove(['task-telling']);
    await queue.close();
  });
});

describe('a board without Redis', () => {
  let line: RedisLine;
  let other: TestApi;

  beforeAll(async () => {
    line = await openRedisLine();
    other = await openTestApi({ redisUrl: line.url });
  });
  afterAll(async () => {
    await other?.close();
    await line?.cut();
  });

  it('says so, and shows the queues again when it is back', async () => {
    const root = await other.signUp('root');
    const look = async () => (await other.call<Refused>('GET', '/queues/api/queues', { as: root })).status;
    expect(await look()).toBe(200);
    await line.cut();
    await expect.poll(look, { timeout: 15_000 }).toBe(503);
    const { body } = await other.call<Refused>('GET', '/queues/api/queues', { as: root });
    expect(body).toMatchObject({
      code: 'queue_unavailable',
      message: 'the queue does not answer; try again in a moment',
    });
    expect((await other.call<Refused>('GET', '/queues/api/redis/stats', { as: root })).status).toBe(503);
    await line.mend();
    await expect.poll(look, { timeout: 15_000 }).toBe(200);
  });
});
