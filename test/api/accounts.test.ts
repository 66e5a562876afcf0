// Registration, login with lock-out, and every way a token can be wrong.

import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PasswordHasher } from '../../api/services/passwords.ts';
import type { LoginReply, NewTokenReply, TokenBody, UserBody } from '../../shared/contracts/http.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  JWT_SECRET,
  openTestApi,
  PASSWORD,
  type Person,
  type Refused,
  type TestApi,
  userOf,
} from './harness.ts';

let test: TestApi;
let admin: Person;
let alice: Person;

beforeAll(async () => {
  test = await openTestApi({ env: { LOGIN_MAX_FAILURES: '3', LOGIN_LOCKOUT_SECONDS: '60' } });
  admin = await test.signUp('Root');
  alice = await test.signUp('alice');
});
afterAll(() => test?.close());

const register = (username: unknown, password: unknown, at = test) =>
  at.call<UserBody & Refused>('POST', '/api/auth/register', { body: { username, password } });
const login = (username: string, password: string, at = test) =>
  at.call<LoginReply & Refused>('POST', '/api/auth/login', { body: { username, password } });
const me = (token: string) => test.call<UserBody & Refused>('GET', '/api/auth/me', { as: token });

describe('registration', () => {
  it('makes the first account the admin and all others users', async () => {
    expect((await me(admin.token)).body).toMatchObject({ username: 'Root', role: 'admin' });
    expect((await me(alice.token)).body).toMatchObject({ user_id: alice.id, role: 'user' });
  });

  it('refuses a taken name without regard to case', async () => {
    for (const name of ['alice', 'ALICE', 'root']) {
      expect(await register(name, PASSWORD)).toMatchObject({ status: 409, body: { code: 'username_taken' } });
    }
  });

  it.each<[string, unknown, unknown, string[]]>([
    ['a short password', 'carol', 'seven77', ['password']],
    ['a number for a password', 'carol', 12345678, ['password']],
    ['an empty name', '', PASSWORD, ['username']],
    ['a name with a slash', 'a/b', PASSWORD, ['username']],
    ['everything wrong', 5, 'x', ['username', 'password']],
  ])('refuses %s and names it', async (_what, username, password, fields) => {
    const reply = await register(username, password);
    expect(reply).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(reply.body.details.map(({ field }) => field)).toEqual(fields);
    if (typeof password === 'string' && password.length > 1) expect(reply.text).not.toContain(password);
  });

  it('keeps only a hash of the password and shows not even that', async () => {
    const user = await userOf(test.store, alice);
    expect(user.passwordHash).toMatch(/^\$scrypt\$ln=\d+,r=8,p=3\$/);
    expect((await me(alice.token)).text).not.toMatch(/scrypt|password/);
  });

  it('has one admin, however many register at once', async () => {
    const crowd = await openTestApi();
    try {
      const replies = await Promise.all(
        ['a1', 'b2', 'c3', 'c3', 'C3', 'd4'].map((name) => register(name, PASSWORD, crowd)),
      );
      const statuses = replies.map(({ status }) => status).sort();
      expect(statuses).toEqual([201, 201, 201, 201, 409, 409]);
      const admins = replies.filter(({ body }) => body.role === 'admin');
      expect(admins).toHaveLength(1);
    } finally {
      await crowd.close();
    }
  });

  it('gives the right to be admin on when its taker fails', async () => {
    let failures = 1;
    const shaky = await openTestApi({
      parts: ({ store }) => ({
        store: {
          tasks: store.tasks,
          workers: store.workers,
          files: store.files,
          uploads: store.uploads,
          history: store.history,
          registrations: store.registrations,
          webhooks: store.webhooks,
          audit: store.audit,
          nextTerm: () => store.nextTerm(),
          copies: store.copies,
          generation: () => store.generation(),
          ping: () => store.ping(),
          close: () => store.close(),
          users: new Proxy(store.users, {
            // The name is taken between the look and the insert, once.
            get: (users, name) => {
              if (name === 'insert' && failures-- > 0) return async () => false;
              const member = Reflect.get(users, name) as (...args: unknown[]) => unknown;
              return member.bind(users);
            },
          }),
        },
      }),
    });
    try {
      expect((await register('first', PASSWORD, shaky)).status).toBe(409);
      expect((await register('second', PASSWORD, shaky)).body.role).toBe('admin');
      expect((await register('third', PASSWORD, shaky)).body.role).toBe('user');
    } finally {
      await shaky.close();
    }
  });

  it('when closed lets only the first in', async () => {
    const closed = await openTestApi({ env: { REGISTRATION: 'closed' } });
    try {
      expect((await register('boss', 'short', closed)).status).toBe(400);
      expect((await register('boss', PASSWORD, closed)).body.role).toBe('admin');
      expect(await register('carol', PASSWORD, closed)).toMatchObject({
        status: 403,
        body: { code: 'forbidden', message: expect.stringContaining('closed') },
      });
      expect((await login('boss', PASSWORD, closed)).status).toBe(200);
    } finally {
      await closed.close();
    }
  });
});

describe('login', () => {
  it('gives a token that ends when it says', async () => {
    const { body, headers } = await login('ALICE', PASSWORD);
    expect(body.user).toMatchObject({ user_id: alice.id, username: 'alice' });
    const hours = (Date.parse(body.expires_at) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(23.9);
    expect(hours).toBeLessThan(24.1);
    expect(headers['cache-control']).toBe('no-store');
  });

  it('tells a wrong password and an unknown name apart neither by words nor by time', async () => {
    const slow = await openTestApi({ slowHashes: true });
    try {
      // Of this process: other work of the machine does not count.
      const timed = async (name: string) => {
        const before = process.cpuUsage();
        const { status, body } = await login(name, 'not-the-password', slow);
        return { status, body, cpu: process.cpuUsage(before).user };
      };
      await slow.signUp('dora');
      const { passwordHash } = (await slow.store.users.findByUsername('dora'))!;
      expect(passwordHash).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/);
      const known = await timed('dora');
      const unknown = await timed('nobody-of-that-name');
      expect(unknown.status).toBe(401);
      expect(unknown.body).toEqual(known.body);
      // An answer without a hash takes a millisecond or two; a hash some hundred.
      expect(unknown.cpu).toBeGreaterThan(known.cpu / 4);
    } finally {
      await slow.close();
    }
  });

  it('locks a name out after repeated failures, also for the right password, and only there', async () => {
    await test.signUp('erin');
    for (let n = 0; n < 2; n += 1) expect((await login('erin', 'wrong-one')).status).toBe(401);
    // Success wipes the slate.
    expect((await login('erin', PASSWORD)).status).toBe(200);
    for (let n = 0; n < 3; n += 1) expect((await login('erin', 'wrong-one')).status).toBe(401);
    for (const password of ['wrong-one', PASSWORD]) {
      const reply = await login('Erin', password);
      expect(reply).toMatchObject({ status: 429, body: { code: 'locked_out' } });
      const seconds = Number(reply.headers['retry-after']);
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(60);
    }
    expect((await login('alice', PASSWORD)).status).toBe(200);
  });

  it('counts many guesses at once like many in a row', async () => {
    await test.signUp('fred');
    const replies = await Promise.all(
      Array.from({ length: 12 }, (_, n) => login('fred', `guess-number-${n}`)),
    );
    expect(replies.filter(({ status }) => status === 401)).toHaveLength(3);
    expect(replies.filter(({ status }) => status === 429)).toHaveLength(9);
  });

  it('refuses a flood of hashes instead of queueing it up', async () => {
    // Slow as they are for real, so that they do not end before all have come; few, so that they end at all.
    const hasher = new PasswordHasher({ atOnce: 1, maxWaiting: 2 });
    const narrow = await openTestApi({ parts: () => ({ hasher }) });
    try {
      const replies = await Promise.all(
        Array.from({ length: 30 }, (_, n) => login(`flood-${n}`, 'whatever-it-is', narrow)),
      );
      expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([401, 429]));
      expect(replies.find(({ status }) => status === 429)).toMatchObject({
        body: { code: 'rate_limited' },
        headers: { 'retry-after': '5' },
      });
    } finally {
      await narrow.close();
    }
  });
});

describe('a token', () => {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const sign = (payload: object, secret = JWT_SECRET, header: object = { alg: 'HS256', typ: 'JWT' }) => {
    const content = `${encode(header)}.${encode(payload)}`;
    return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
  };
  const seconds = () => Math.floor(Date.now() / 1000);
  const claims = (over: object = {}) => ({
    iss: 'cloudai',
    aud: 'cloudai-api',
    sub: alice.id,
    name: 'alice',
    role: 'user',
    iat: seconds(),
    exp: seconds() + 60,
    ...over,
  });

  it('made by hand with the secret is taken, so the cases below fail for their own reason', async () => {
    expect((await me(sign(claims()))).status).toBe(200);
  });

  it.each<[string, () => string, RegExp]>([
    ['garbage', () => 'garbage', /malformed/],
    ['three empty parts', () => '..', /malformed/],
    ['overlong', () => 'a'.repeat(5_000), /malformed/],
    ['expired', () => sign(claims({ exp: seconds() - 1 })), /expired/],
    ['without an end', () => sign(claims({ exp: undefined })), /expired/],
    ['signed with another secret', () => sign(claims(), 'x'.repeat(40)), /not issued by this cluster/],
    ['of alg none', () => `${encode({ alg: 'none' })}.${encode(claims())}.`, /not issued by this cluster/],
    ['of alg None', () => `${encode({ alg: 'None' })}.${encode(claims())}.`, /not issued by this cluster/],
    [
      'of another alg',
      () => sign(claims(), JWT_SECRET, { alg: 'HS512', typ: 'JWT' }),
      /not issued by this cluster/,
    ],
    [
      'with a raised role',
      () => {
        const [header, , signature] = alice.token.split('.');
        return `${header}.${encode(claims({ role: 'admin' }))}.${signature}`;
      },
      /not issued by this cluster/,
    ],
    ['for another audience', () => sign(claims({ aud: 'elsewhere' })), /not meant for this API/],
    ['of another issuer', () => sign(claims({ iss: 'elsewhere' })), /not meant for this API/],
    ['of an unknown role', () => sign(claims({ role: 'god' })), /who you are/],
    ['an unknown API token', () => `cloudai_${'x'.repeat(43)}`, /not known or was taken back/],
  ])('that is %s is refused', async (_what, token, words) => {
    const reply = await me(token());
    expect(reply).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect(reply.body.message).toMatch(words);
    expect(reply.headers['www-authenticate']).toMatch(/^Bearer realm="cloudai", error="invalid_token"/);
  });

  it.each([['Basic YTpi'], ['Bearer'], ['Bearer a b'], ['token']])(
    'in the header %j is refused',
    async (authorization) => {
      const reply = await test.call<Refused>('GET', '/api/auth/me', { headers: { authorization } });
      expect(reply.status).toBe(401);
      expect(reply.body.message).toMatch(/Authorization header is malformed/);
    },
  );

  it('that is missing is asked for', async () => {
    const reply = await test.call<Refused>('GET', '/api/auth/me');
    expect(reply.status).toBe(401);
    expect(reply.body.message).toMatch(/no token was sent: log in/);
    expect(reply.headers['www-authenticate']).toBe('Bearer realm="cloudai"');
  });

  it('of an account that is gone is refused', async () => {
    const reply = await me(sign(claims({ sub: 'user-gone' })));
    expect(reply.status).toBe(401);
    expect(reply.body.message).toMatch(/no longer exists/);
  });
});

describe('an API token', () => {
  const create = (as: Person, name = 'ci') =>
    test.call<NewTokenReply & Refused>('POST', '/api/auth/tokens', { as, body: { name } });
  const list = async (as: Person) =>
    (await test.call<{ tokens: TokenBody[] }>('GET', '/api/auth/tokens', { as })).body.tokens;

  it('is shown once, works, is listed without its secret, and can be taken back', async () => {
    const { status, body, headers } = await create(alice);
    expect(status).toBe(201);
    expect(body.token).toMatch(/^cloudai_[\w-]{43}$/);
    expect(headers['cache-control']).toBe('no-store');
    expect((await me(body.token)).body).toMatchObject({ username: 'alice', role: 'user' });

    const listed = await test.call<{ tokens: TokenBody[] }>('GET', '/api/auth/tokens', { as: alice });
    expect(listed.body.tokens).toMatchObject([{ token_id: body.token_id, name: 'ci' }]);
    expect(listed.text).not.toContain(body.token);
    expect(JSON.stringify(await test.store.users.listTokens(alice.id))).not.toContain(body.token.slice(8));
    await waitFor(async () => (await list(alice))[0]?.last_used_at, { what: 'the last use to be noted' });

    expect(await list(admin)).toEqual([]);
    const path = `/api/auth/tokens/${body.token_id}`;
    expect((await test.call('DELETE', path, { as: admin })).status).toBe(404);
    expect((await test.call('DELETE', path, { as: alice })).status).toBe(204);
    expect((await me(body.token)).status).toBe(401);
    expect((await test.call('DELETE', path, { as: alice })).status).toBe(404);
  });

  it('needs a name', async () => {
    for (const body of [{}, { name: '' }, { name: 'x'.repeat(200) }]) {
      const reply = await test.call<Refused>('POST', '/api/auth/tokens', { as: alice, body });
      expect(reply).toMatchObject({ status: 400, body: { details: [{ field: 'name' }] } });
    }
  });
});
