// Accounts as admins see and change them, one's own password, and how fast what was taken away is gone.

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { LoginReply } from '../../shared/contracts/http.ts';
import type { AccountBody, UserListReply } from '../../shared/contracts/users.ts';
import { AppError } from '../../shared/errors.ts';
import type { ClusterEvent } from '../../shared/model/event.ts';
import { assignTask, finishTask, type Step, startTask } from '../../shared/model/task-life.ts';
import { NO_QUOTA } from '../../shared/model/user.ts';
import type { UserStore } from '../../shared/ports/store.ts';
import { makeTask } from '../support/tasks.ts';
import { waitFor } from '../support/wait-for.ts';
import { openTestApi, PASSWORD, type Person, type Refused, type TestApi, userOf } from './harness.ts';

let test: TestApi;
/** Another copy of the API, on the same store and Redis. */
let second: TestApi;
let admin: Person;

beforeAll(async () => {
  test = await openTestApi({
    env: { LOGIN_MAX_FAILURES: '3', LOGIN_LOCKOUT_SECONDS: '60', REGISTRATION: 'closed' },
  });
  second = await openTestApi({ beside: test });
  admin = await test.join('root', { role: 'admin' });
});
afterAll(async () => {
  await second?.close();
  await test?.close();
});

const me = (as: Person | string, at = test) => at.call<AccountBody & Refused>('GET', '/api/auth/me', { as });
const list = (query = '', as = admin) =>
  test.call<UserListReply & Refused>('GET', `/api/users${query}`, { as });
const patch = (username: string, body: unknown, as = admin, at = test) =>
  at.call<AccountBody & Refused>('PATCH', `/api/users/${username}`, { as, body });
const login = (username: string, password = PASSWORD) =>
  test.call<LoginReply & Refused>('POST', '/api/auth/login', { body: { username, password } });
const changePassword = (as: Person | string, current_password: string, new_password = 'another-secret') =>
  test.call<LoginReply & Refused>('POST', '/api/auth/password', {
    as,
    body: { current_password, new_password },
  });
const apiToken = async (as: Person) =>
  (await test.call<{ token: string }>('POST', '/api/auth/tokens', { as, body: { name: 'ci' } })).body.token;

describe('accounts', () => {
  it('tell what may be used and what is', async () => {
    const ada = await test.join('ada', {
      quota: {
        ...NO_QUOTA,
        unfinishedTasks: 5,
        uploadStorageMb: 10,
        cpuMillis: 2_500,
        gpus: 0,
        rateLimitWrites: 1_000,
      },
    });
    await test.call('POST', '/api/tasks', { as: ada, body: { docker_image: 'a' } });
    const headers = { 'content-type': 'text/plain' };
    await test.call('PUT', '/api/files/a.txt', { as: ada, body: 'a'.repeat(2_000), headers });
    const told = {
      user_id: ada.id,
      username: 'ada',
      role: 'user',
      created_at: '1970-01-01T00:00:00.001Z',
      disabled: false,
      quota: {
        unfinished_tasks: 5,
        upload_storage: 10,
        cpu: 2.5,
        memory: null,
        gpu: 0,
        rate_limit_reads: null,
        rate_limit_writes: 1_000,
      },
      used: { unfinished_tasks: 1, upload_storage: 0.002, cpu: 0, memory: 0, gpu: 0 },
    };
    expect((await me(ada)).body).toEqual(told);
    expect((await test.call('GET', '/api/users/ADA', { as: admin })).body).toEqual(told);
    expect((await list('?q=DA')).body).toEqual({ users: [told], next_cursor: null });
  });

  it('are listed in order of name, page by page', async () => {
    for (const name of ['page-c', 'Page-a', 'page-b']) await test.join(name);
    const { body: first } = await list('?q=page&limit=2');
    expect(first.users.map(({ username }) => username)).toEqual(['Page-a', 'page-b']);
    const { body: last } = await list(`?q=page&limit=2&cursor=${first.next_cursor}`);
    expect(last.users.map(({ username }) => username)).toEqual(['page-c']);
    expect(last.next_cursor).toBeNull();
    expect((await list('?q=nobody-of-that-name')).body).toEqual({ users: [], next_cursor: null });
  });

  it('are made by admins, also where registration is closed', async () => {
    const body = { username: 'Made', password: 'secure-456', role: 'admin' };
    const made = await test.call<AccountBody>('POST', '/api/users', { as: admin, body });
    expect(made).toMatchObject({ status: 201, headers: { location: '/api/users/Made' } });
    expect(made.body).toMatchObject({ username: 'Made', role: 'admin', disabled: false });
    expect((await login('made', 'secure-456')).body.user).toMatchObject({ role: 'admin' });
    const again = await test.call('POST', '/api/users', { as: admin, body: { ...body, username: 'MADE' } });
    expect(again).toMatchObject({ status: 409, body: { code: 'username_taken' } });
    await patch('Made', { role: 'user' });
  });

  it.each<[string, string, string, unknown, string[]]>([
    [
      'POST',
      '',
      'everything wrong',
      { username: '?', password: 'x', role: 'god', x: 1 },
      ['username', 'password', 'role', 'x'],
    ],
    ['PATCH', '/root', 'nothing', {}, ['']],
    ['PATCH', '/root', 'an empty quota', { quota: {} }, ['quota']],
    [
      'PATCH',
      '/root',
      'everything wrong',
      {
        role: 'god',
        disabled: 'no',
        password: 'x',
        quota: {
          unfinished_tasks: -1,
          upload_storage: 1.5,
          cpu: -0.5,
          memory: '1',
          gpu: 0.5,
          rate_limit_reads: 0.5,
          rate_limit_writes: 1_000_001,
          x: 1,
        },
        username: 'y',
      },
      [
        'role',
        'disabled',
        'password',
        'quota.unfinished_tasks',
        'quota.upload_storage',
        'quota.cpu',
        'quota.memory',
        'quota.gpu',
        'quota.rate_limit_reads',
        'quota.rate_limit_writes',
        'quota.x',
        'username',
      ],
    ],
    ['GET', '?limit=0&cursor=&x=1', 'a query that is wrong', undefined, ['limit', 'cursor', 'x']],
  ])('refuse %s /api/users%s with %s and name every fault', async (method, path, _what, body, fields) => {
    const reply = await test.call<Refused>(method, `/api/users${path}`, { as: admin, body });
    expect(reply).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(reply.body.details.map(({ field }) => field)).toEqual(fields);
  });

  it('that are not there are not found, by those who may ask', async () => {
    const ann = await test.join('ann');
    for (const [method, body] of [
      ['GET', undefined],
      ['PATCH', { disabled: true }],
    ] as const) {
      const ask = (as: Person) => test.call<Refused>(method, '/api/users/nobody', { as, body });
      expect(await ask(admin)).toMatchObject({ status: 404, body: { code: 'not_found' } });
      expect(await ask(ann)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
  });

  it('tell what their assigned and running tasks hold', async () => {
    const lee = await test.join('lee');
    const resources = { cpuMillis: 1_500, memoryMb: 100, gpus: 1, storageMb: 10 };
    const tasks = ['assigned', 'running', 'waiting', 'ended'].map((name) =>
      makeTask({ resources, name }, { ownerId: lee.id, ownerName: 'lee' }),
    );
    await test.store.tasks.insert(tasks);
    const commit = async (step: Step) => {
      if (!step.ok || !(await test.store.tasks.commit(step.task))) throw new Error('not committed');
      return step.task;
    };
    for (const task of tasks) {
      if (task.spec.name === 'waiting') continue;
      const placed = await commit(assignTask(task, { workerId: 'w-1', term: 1, now: 1 }));
      if (task.spec.name === 'assigned') continue;
      const at = { attempt: 1, workerId: 'w-1', now: 2 };
      const started = await commit(startTask(placed, { ...at, containerId: 'c', imageId: null, gpuIds: [] }));
      if (task.spec.name === 'running') continue;
      const outcome = { kind: 'completed', exitCode: 0, message: null } as const;
      await commit(finishTask(started, { ...at, dice: 0, outcome }));
    }
    const held = await waitFor(
      async () => {
        const { used } = (await me(lee)).body;
        return used.cpu === 3 ? used : null;
      },
      { what: 'what lee holds' },
    );
    expect(held).toEqual({ unfinished_tasks: 3, upload_storage: 0, cpu: 3, memory: 200, gpu: 2 });
    expect((await list('?q=lee')).body.users[0]?.used).toEqual(held);
  });

  it('with another quota are read again by the scheduler', async () => {
    const events: ClusterEvent[] = [];
    const off = await test.redis.bus.subscribe((event) => void events.push(event));
    const max = await test.join('max');
    await patch('max', { role: 'user' });
    await patch('max', { quota: { cpu: 4 } });
    const ofMax = () => events.filter((event) => event.type === 'quota' && event.userId === max.id);
    await waitFor(() => ofMax().length > 0, { what: 'the event' });
    expect(ofMax()).toHaveLength(1);
    await off();
  });

  it('keep what a change does not name', async () => {
    const kim = await test.join('kim');
    await patch('kim', { quota: { unfinished_tasks: 7 } });
    const { body } = await patch('kim', { quota: { upload_storage: 9 } });
    expect(body).toMatchObject({ role: 'user', quota: { unfinished_tasks: 7, upload_storage: 9 } });
    await patch('kim', { quota: { cpu: 1.5, memory: 4_096 } });
    await patch('kim', { quota: { gpu: 2, memory: null, rate_limit_reads: 9_000 } });
    expect((await patch('kim', { quota: { unfinished_tasks: null } })).body.quota).toEqual({
      unfinished_tasks: null,
      upload_storage: 9,
      cpu: 1.5,
      memory: null,
      gpu: 2,
      rate_limit_reads: 9_000,
      rate_limit_writes: null,
    });
    expect((await userOf(test.store, kim)).quota).toMatchObject({
      cpuMillis: 1_500,
      memoryMb: null,
      gpus: 2,
    });
  });
});

describe('the last active admin', () => {
  it('can be neither demoted nor disabled, however many try at once on however many copies', async () => {
    const crowd = await openTestApi();
    const beside = await openTestApi({ beside: crowd });
    onTestFinished(async () => {
      await beside.close();
      await crowd.close();
    });
    const [a, b] = [await crowd.join('a', { role: 'admin' }), await crowd.join('b', { role: 'admin' })];
    const replies = await Promise.all([
      patch('b', { role: 'user' }, a, crowd),
      patch('a', { disabled: true }, b, beside),
      patch('a', { role: 'user' }, a, beside),
    ]);
    // One of the two was taken the right before it came to use it, or found itself to be the last.
    const { users } = await crowd.store.users.list({}, { limit: 9 });
    const left = users.filter(({ role, disabled }) => role === 'admin' && !disabled);
    expect(left).toHaveLength(1);
    const boss = left[0]?.username === 'a' ? a : b;
    expect(replies.filter(({ status }) => status === 200)).not.toHaveLength(3);
    for (const change of [{ role: 'user' }, { disabled: true }]) {
      const reply = await patch(boss.username, change, boss, crowd);
      expect(reply).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(reply.body.message).toMatch(/last active admin.*make another account an admin first/);
    }
  });
});

describe('a role', () => {
  it('that was given or taken holds at once here, and soon on other copies', async () => {
    const tom = await test.join('tom');
    const may = async (at: TestApi) =>
      (await at.call('GET', '/api/users?limit=1', { as: tom })).status === 200;
    expect([await may(test), await may(second)]).toEqual([false, false]);
    await patch('tom', { role: 'admin' });
    expect(await may(test)).toBe(true);
    await waitFor(() => may(second), { what: 'the role on the other copy' });
    await patch('tom', { role: 'user' }, tom, second);
    expect(await may(second)).toBe(false);
    await waitFor(async () => !(await may(test)), { what: 'the role to be gone on the other copy' });
    expect((await me(tom)).body.role).toBe('user');
  });
});

describe('a disabled account', () => {
  it('is signed out everywhere and cannot sign in, which only its own password brings to light', async () => {
    const dan = await test.join('dan');
    const token = await apiToken(dan);
    for (const one of [dan.token, token]) expect((await me(one, second)).status).toBe(200);
    expect((await patch('dan', { disabled: true })).body.disabled).toBe(true);
    for (const one of [dan.token, token]) {
      const refused = await me(one);
      expect(refused).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
      expect(refused.body.message).toMatch(/disabled/);
      await waitFor(async () => (await me(one, second)).status === 401, { what: 'the other copy to refuse' });
    }
    expect(await login('dan', 'not-the-password')).toMatchObject({
      status: 401,
      body: { message: 'wrong username or password' },
    });
    expect(await login('dan')).toMatchObject({
      status: 403,
      body: { code: 'forbidden', message: expect.stringMatching(/account is disabled: ask an admin/) },
    });
    await patch('dan', { disabled: false });
    expect((await me(token)).status).toBe(200);
    expect((await me(dan)).body.message).toMatch(/sign-in was ended/);
    expect((await me((await login('dan')).body.token)).status).toBe(200);
  });
});

describe('another password', () => {
  it('ends all other sign-ins, but no API token', async () => {
    const eve = await test.join('eve');
    const [elsewhere, token] = [(await login('eve')).body.token, await apiToken(eve)];
    expect((await me(elsewhere, second)).status).toBe(200);
    const { status, body, headers } = await changePassword(eve, PASSWORD);
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(body.user.username).toBe('eve');
    for (const ended of [eve.token, elsewhere]) {
      expect((await me(ended)).body.message).toMatch(/sign-in was ended/);
      await waitFor(async () => (await me(ended, second)).status === 401, {
        what: 'the other copy to refuse',
      });
    }
    for (const good of [body.token, token]) expect((await me(good)).status).toBe(200);
    expect((await login('eve')).status).toBe(401);
    expect((await login('eve', 'another-secret')).status).toBe(200);
  });

  it('needs the one of before, and wrong ones count as failed logins do', async () => {
    const fay = await test.join('fay');
    expect(await changePassword(fay, PASSWORD, 'short')).toMatchObject({
      status: 400,
      body: { details: [{ field: 'new_password' }] },
    });
    for (let n = 0; n < 2; n += 1) {
      expect(await changePassword(fay, 'not-mine-at-all')).toMatchObject({
        status: 403,
        body: { code: 'forbidden', details: [{ field: 'current_password' }] },
      });
    }
    expect((await login('fay', 'not-mine-at-all')).status).toBe(401);
    for (const reply of [await changePassword(fay, PASSWORD), await login('fay')]) {
      expect(reply).toMatchObject({ status: 429, body: { code: 'locked_out' } });
    }
    // Who is signed in stays so.
    expect((await me(fay)).status).toBe(200);
  });

  it('may be given by an admin', async () => {
    const gus = await test.join('gus');
    expect((await patch('gus', { password: 'given-secret' })).text).not.toMatch(/given|scrypt/);
    expect((await me(gus)).status).toBe(401);
    expect((await login('gus', 'given-secret')).status).toBe(200);
  });
});

describe('with the store away', () => {
  it('a token of somebody who was here a moment ago is good, and all others are asked to wait', async () => {
    let away = false;
    let later = 0;
    const shaky = await openTestApi({
      parts: ({ store, clock }) => ({
        // It stands still, for this machine may be slow.
        clock: { ...clock, monotonic: () => 1_000 + later },
        store: {
          ...store,
          users: new Proxy(store.users, {
            get: (users, name) => {
              const member = Reflect.get(users, name) as (...args: unknown[]) => unknown;
              if (!away || name !== ('get' satisfies keyof UserStore)) return member.bind(users);
              return () => Promise.reject(new AppError('store_unavailable', 'gone', { retryable: true }));
            },
          }),
        },
      }),
    });
    onTestFinished(() => shaky.close());
    const [here, new_] = [await shaky.join('here'), await shaky.join('new')];
    const ask = (as: Person) => shaky.call<Refused>('GET', '/api/auth/tokens', { as });
    expect((await ask(here)).status).toBe(200);
    away = true;
    expect((await ask(here)).status).toBe(200);
    expect(await ask(new_)).toMatchObject({
      status: 503,
      body: { code: 'store_unavailable' },
      headers: { 'retry-after': '2' },
    });
    later = 60_000;
    expect((await ask(here)).status).toBe(503);
    away = false;
    expect((await ask(here)).status).toBe(200);
  });
});
