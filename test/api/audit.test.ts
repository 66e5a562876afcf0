// Who did what, from the calls themselves to the page that an admin reads.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditPages } from '../../api/services/audit-pages.ts';
import type { AuditEntryBody, AuditListReply } from '../../shared/contracts/audit.ts';
import type { NewTokenReply, TaskBody } from '../../shared/contracts/http.ts';
import { systemClock } from '../../shared/platform/clock.ts';
import { silentLog } from '../../shared/platform/log.ts';
import { makeRegistration } from '../support/tasks.ts';
import { openTestApi, PASSWORD, type Person, type Refused, type TestApi } from './harness.ts';

let test: TestApi;
let admin: Person;
let alice: Person;

beforeAll(async () => {
  test = await openTestApi({ env: { LOGIN_MAX_FAILURES: '2' } });
  admin = await test.signUp('root');
  alice = await test.signUp('alice');
});
afterAll(() => test?.close());

async function entries(query: string): Promise<AuditEntryBody[]> {
  const { status, body, text } = await test.call<AuditListReply>('GET', `/api/audit?${query}`, { as: admin });
  expect(text).not.toContain(PASSWORD);
  expect(status).toBe(200);
  return body.entries;
}

describe('an entry', () => {
  it('tells who did what to whom, from where, in which request, and what came of it', async () => {
    const headers = { 'x-request-id': 'my-change' };
    const body = { quota: { gpu: 2 }, password: `${PASSWORD}-new` };
    await test.call('PATCH', '/api/users/alice', { as: admin, body, headers });
    alice = { ...alice, token: await signIn('alice', `${PASSWORD}-new`) };
    expect(await entries('action=user.change')).toEqual([
      {
        audit_id: expect.stringMatching(/^audit-[0-9a-z]{26}$/),
        at: expect.stringMatching(/Z$/),
        actor: { user_id: admin.id, username: 'root', token: null },
        address: '127.0.0.1',
        request_id: 'my-change',
        action: 'user.change',
        target: 'alice',
        outcome: 'done',
        code: null,
        details: { password: 'new', quota: { gpu: 2 } },
      },
    ]);
  });

  it('tells which API token was used', async () => {
    const made = await test.call<NewTokenReply>('POST', '/api/auth/tokens', {
      as: alice,
      body: { name: 'ci' },
    });
    const { token_id, token } = made.body;
    const submitted = await test.call<TaskBody>('POST', '/api/tasks', {
      as: token,
      body: { docker_image: 'a' },
    });
    const [entry] = await entries(`target=${submitted.body.task_id}`);
    expect(entry).toMatchObject({
      action: 'task.submit',
      actor: { username: 'alice', token: { token_id, name: 'ci' } },
    });
    expect(await entries('action=token.create')).toMatchObject([
      { target: token_id, details: { name: 'ci' } },
    ]);
  });

  it('is there of what was denied, and none of what was malformed or anonymous', async () => {
    const before = await entries('limit=1000');
    await test.call('POST', '/api/users', { as: alice, body: { username: 'eve', password: PASSWORD } });
    await test.call('POST', '/api/users', { as: admin, body: { username: '' } });
    await test.call('POST', '/api/tasks', { body: { docker_image: 'a' } });
    const after = await entries('limit=1000');
    expect(after.slice(0, after.length - before.length)).toMatchObject([
      {
        actor: { username: 'alice' },
        action: 'user.create',
        target: 'eve',
        outcome: 'denied',
        code: 'forbidden',
      },
    ]);
  });
});

describe('tasks', () => {
  it('tell who submitted, cancelled and retried them', async () => {
    const { body } = await test.call<{ tasks: TaskBody[] }>('POST', '/api/tasks/batch', {
      as: alice,
      body: { tasks: [1, 2, 3].map(() => ({ docker_image: 'a', env: { KEY: PASSWORD }, secrets: ['KEY'] })) },
    });
    const [first, second, third] = body.tasks.map(({ task_id }) => task_id);
    await test.call('POST', '/api/tasks/cancel', {
      as: admin,
      body: { task_ids: [first, second], force: true },
    });
    await test.call('DELETE', `/api/tasks/${third}`, { as: alice });
    const retried = await test.call<TaskBody>('POST', `/api/tasks/${first}/retry`, { as: alice });
    const told = async (id: string | undefined) =>
      (await entries(`target=${id}`)).map(({ actor, action, details }) => [actor?.username, action, details]);
    expect(await told(first)).toEqual([
      ['alice', 'task.retry', { new_task: retried.body.task_id }],
      ['root', 'task.cancel', { force: true }],
      ['alice', 'task.submit', { tasks: 3, last_task: third }],
    ]);
    expect(await told(second)).toEqual([['root', 'task.cancel', { force: true }]]);
    expect(await told(third)).toEqual([['alice', 'task.cancel', {}]]);
  });
});

describe('sign-ins', () => {
  it('are there with those that failed and the lock-out, and no name that nobody has', async () => {
    const bob = 'bob-of-the-sign-ins';
    await test.call('POST', '/api/auth/register', { body: { username: bob, password: PASSWORD } });
    await signIn(bob, PASSWORD);
    for (let n = 0; n < 4; n += 1) {
      await test.call('POST', '/api/auth/login', { body: { username: bob, password: `wrong${n}` } });
    }
    await test.call('POST', '/api/auth/login', { body: { username: PASSWORD, password: 'x' } });
    const told = await entries(`action=account&target=${bob}`);
    expect(told.map(({ actor, action, code }) => [actor?.username ?? null, action, code])).toEqual([
      [null, 'account.sign_in', 'locked_out'],
      [null, 'account.sign_in', 'unauthenticated'],
      [null, 'account.sign_in', 'unauthenticated'],
      [bob, 'account.sign_in', null],
      [bob, 'account.register', null],
    ]);
    const [unknown] = await entries('action=account.sign_in&limit=1');
    expect(unknown).toMatchObject({ actor: null, target: null, outcome: 'denied' });
  });
});

describe('the list', () => {
  it('comes page by page, of an actor, a kind and a time', async () => {
    await test.store.workers.register(makeRegistration({ id: 'worker-1' }));
    for (const verb of ['cordon', 'uncordon', 'drain']) {
      await test.call('POST', `/api/workers/worker-1/${verb}`, { as: admin });
    }
    const page = (more: string) =>
      test.call<AuditListReply>('GET', `/api/audit?actor=ROOT&action=worker&from=-1h&${more}`, { as: admin });
    const first = await page('limit=2');
    expect(first.body.entries.map(({ action }) => action)).toEqual(['worker.drain', 'worker.uncordon']);
    const second = await page(`limit=2&cursor=${first.body.next_cursor}`);
    expect(second.body.entries.map(({ action }) => action)).toEqual(['worker.cordon']);
    expect(second.body.next_cursor).toBeNull();
    expect((await page('to=-1h')).body.entries).toEqual([]);
    expect(await entries('actor=nobody-has-this-name')).toEqual([]);
  });

  it('is for admins, and says what actions there are', async () => {
    expect((await test.call('GET', '/api/audit', { as: alice })).status).toBe(403);
    const wrong = await test.call<Refused>('GET', '/api/audit?action=taks', { as: admin });
    expect(wrong.status).toBe(400);
    expect(wrong.body.message).toContain('worker.drain');
  });
});

it('entries go when they were kept long enough, and no sooner', async () => {
  const entry = {
    actor: null,
    address: null,
    requestId: null,
    outcome: 'done',
    code: null,
    details: {},
  } as const;
  const of2023 = { id: `audit-01hf7yat${'0'.repeat(18)}`, at: 1_700_000_000_000, target: 'old-worker' };
  await test.store.audit.append([{ ...entry, ...of2023, action: 'worker.drain' }]);
  const before = await entries('limit=1000');
  expect(before.at(-1)?.target).toBe('old-worker');
  const pages = new AuditPages({
    store: test.store,
    trail: { settle: async () => undefined },
    keptMs: 86_400_000,
    clock: systemClock,
    log: silentLog(),
  });
  await pages.prune();
  expect(await entries('limit=1000')).toEqual(before.slice(0, -1));
});

async function signIn(username: string, password: string): Promise<string> {
  const { body } = await test.call<{ token: string }>('POST', '/api/auth/login', {
    body: { username, password },
  });
  return body.token;
}
