// Sign-ins that are ended: one, all of one's own, all of somebody else's; on all copies of the API and with what is open by
// them. And the key that they are signed with, changed without ending any.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoginReply, NewTokenReply } from '../../shared/contracts/http.ts';
import { waitFor } from '../support/wait-for.ts';
import { JWT_SECRET, openTestApi, PASSWORD, type Person, type Refused, type TestApi } from './harness.ts';
import { Ear } from './live/stage.ts';

let test: TestApi;
let beside: TestApi;
let url: string;
let root: Person;

beforeAll(async () => {
  test = await openTestApi();
  beside = await openTestApi({ beside: test });
  url = await beside.api.start();
  root = await test.join('root', { role: 'admin' });
});
afterAll(async () => {
  await beside?.close();
  await test?.close();
});

async function login(at: TestApi, username: string): Promise<string> {
  const reply = await at.call<LoginReply>('POST', '/api/auth/login', {
    body: { username, password: PASSWORD },
  });
  expect(reply.status).toBe(200);
  return reply.body.token;
}

async function apiToken(token: string): Promise<string> {
  const reply = await test.call<NewTokenReply>('POST', '/api/auth/tokens', {
    as: token,
    body: { name: 'n' },
  });
  return reply.body.token;
}

const statusOf = async (at: TestApi, token: string) =>
  (await at.call('GET', '/api/auth/me', { as: token })).status;

async function refusedEverywhere(token: string): Promise<void> {
  expect(await statusOf(test, token)).toBe(401);
  await waitFor(async () => (await statusOf(beside, token)) === 401, { what: 'a refusal by the other copy' });
}

describe('a sign-in', () => {
  it('that is ended is good nowhere, closes what is open by it, and leaves the others', async () => {
    await test.join('alice');
    const [one, other] = [await login(test, 'alice'), await login(beside, 'alice')];
    expect(await statusOf(beside, one)).toBe(200);
    const ears = [new Ear(url, one), new Ear(url, other)] as const;
    try {
      for (const ear of ears) await ear.connected();
      expect((await test.call('POST', '/api/auth/logout', { as: one })).status).toBe(204);
      await refusedEverywhere(one);
      expect(await ears[0].gone()).toBe('io server disconnect');
      expect(ears[0].of('session:end')).toMatchObject([{ code: 'unauthenticated' }]);
      expect([await statusOf(test, other), await statusOf(beside, other)]).toEqual([200, 200]);
      expect(ears[1].client.connected).toBe(true);
    } finally {
      for (const { client } of ears) client.disconnect();
    }
    const again = await test.call<Refused>('POST', '/api/auth/logout', { as: one });
    expect([again.status, again.body.message]).toEqual([401, expect.stringContaining('signing out')]);
  });

  it('is not what an API token is', async () => {
    await test.join('bob');
    const token = await apiToken(await login(test, 'bob'));
    const refused = await test.call<Refused>('POST', '/api/auth/logout', { as: token });
    expect([refused.status, refused.body.code]).toEqual([409, 'conflict']);
    expect(await statusOf(test, token)).toBe(200);
  });

  it.each([
    ['by its owner, API tokens stay', 'carol', false],
    ['by its owner, with the API tokens', 'dave', true],
    ['by an admin, API tokens stay', 'erin', false],
    ['by an admin, with the API tokens', 'frank', true],
  ])('all of an account are ended %s', async (how, username, withTokens) => {
    await test.join(username);
    const [one, other] = [await login(test, username), await login(beside, username)];
    const token = await apiToken(one);
    const byAdmin = how.startsWith('by an admin');
    const path = byAdmin ? `/api/users/${username}/logout` : '/api/auth/logout-all';
    const body = withTokens ? { api_tokens: true } : undefined;
    expect((await test.call('POST', path, { as: byAdmin ? root : one, body })).status).toBe(204);
    await refusedEverywhere(one);
    await refusedEverywhere(other);
    const expected = withTokens ? 401 : 200;
    expect([await statusOf(test, token), await statusOf(beside, token)]).toEqual([expected, expected]);
    expect(await statusOf(test, await login(test, username))).toBe(200);
  });
});

describe('the key of sign-ins', () => {
  it('is changed without signing anybody out, and the old one is of no use at the end', async () => {
    await test.join('grace');
    const fresh = 'the-key-that-comes-after-'.repeat(2);
    const between = await openTestApi({ beside: test, env: { JWT_SECRET: `${fresh},${JWT_SECRET}` } });
    const after = await openTestApi({ beside: test, env: { JWT_SECRET: fresh } });
    try {
      const old = await login(test, 'grace');
      const renewed = await login(between, 'grace');
      const statuses = (token: string) =>
        Promise.all([test, between, after].map((at) => statusOf(at, token)));
      expect(await statuses(old)).toEqual([200, 200, 401]);
      expect(await statuses(renewed)).toEqual([401, 200, 200]);
    } finally {
      await after.close();
      await between.close();
    }
  });
});
