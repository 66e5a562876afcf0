// Who may connect over Socket.io, and when a socket ends because its token does.

import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { MAX_SOCKETS_PER_USER } from '../../../api/live/socket-counts.ts';
import { KnownUsers } from '../../../api/services/known-users.ts';
import { Sessions } from '../../../api/services/sessions.ts';
import { SigningKeys } from '../../../api/services/signing-keys.ts';
import { taskRoom } from '../../../shared/contracts/live.ts';
import { systemClock } from '../../../shared/platform/clock.ts';
import { newTaskId } from '../../../shared/platform/ids.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import { waitFor } from '../../support/wait-for.ts';
import { JWT_SECRET, openRedisLine, openTestApi, type Person, type TestApi, userOf } from '../harness.ts';
import { Ear, Mover } from './stage.ts';

let open: TestApi;
let second: TestApi;
let closed: TestApi;
let openUrl: string;
let secondUrl: string;
let closedUrl: string;
let alice: Person;
/** Moves the clock that `second` goes by. */
let ahead = 0;
const ears: Ear[] = [];

beforeAll(async () => {
  open = await openTestApi();
  second = await openTestApi({
    beside: open,
    parts: () => ({ clock: { ...systemClock, now: () => Date.now() + ahead } }),
  });
  closed = await openTestApi({ beside: open, env: { OBSERVE_AUTH: 'required' } });
  openUrl = await open.api.start();
  secondUrl = await second.api.start();
  closedUrl = await closed.api.start();
  alice = await open.signUp('alice');
});
afterEach(() => {
  for (const { client } of ears.splice(0)) client.disconnect();
});
afterAll(async () => {
  await closed?.close();
  await second?.close();
  await open?.close();
});

function come(url: string, token: string | null, options: ConstructorParameters<typeof Ear>[2] = {}): Ear {
  const ear = new Ear(url, token, options);
  ears.push(ear);
  return ear;
}

async function apiToken(who: Person): Promise<{ token: string; token_id: string }> {
  const reply = await open.call<{ token: string; token_id: string }>('POST', '/api/auth/tokens', {
    as: who,
    body: { name: 'script' },
  });
  expect(reply.status).toBe(201);
  return reply.body;
}

describe('a connection', () => {
  it('is let in with a login or an API token, in the handshake or the header, over either transport', async () => {
    const { token } = await apiToken(alice);
    const header = (value: string) => ({ extraHeaders: { authorization: `Bearer ${value}` } });
    const all = [
      come(closedUrl, alice.token),
      come(closedUrl, token),
      come(closedUrl, null, header(alice.token)),
      come(closedUrl, null, header(token)),
      come(closedUrl, token, { transports: ['polling'] }),
      come(closedUrl, token, { transports: ['polling', 'websocket'] }),
    ];
    for (const ear of all) {
      await ear.connected();
      expect(await ear.ask({ room: 'tasks' })).toEqual({ ok: true });
      expect(await ear.ask({ room: 'telemetry' })).toEqual({ ok: true });
    }
  });

  it('with a token that is not good is refused in words, also where watching is open', async () => {
    const expired = new Sessions({
      users: open.store.users,
      known: new KnownUsers(open.store.users, systemClock),
      keys: new SigningKeys([JWT_SECRET]),
      ttlSeconds: -5,
      clock: systemClock,
      log: silentLog(),
    });
    const forged = new Sessions({
      users: open.store.users,
      known: new KnownUsers(open.store.users, systemClock),
      keys: new SigningKeys(['another-secret-of-someone-else-'.repeat(2)]),
      ttlSeconds: 60,
      clock: systemClock,
      log: silentLog(),
    });
    const user = await userOf(open.store, alice);
    const bad: [token: string, why: RegExp][] = [
      [expired.issue(user).token, /expired/],
      [forged.issue(user).token, /not issued by this cluster/],
      ['nonsense', /malformed/],
      ['x'.repeat(5_000), /malformed/],
      ['cloudai_not-a-token-of-this-cluster', /not known or was taken back/],
    ];
    for (const url of [openUrl, closedUrl]) {
      for (const [token, why] of bad) {
        const refusal = await come(url, token).refused();
        expect(refusal).toEqual({ code: 'unauthenticated', message: expect.stringMatching(why) });
      }
      const odd = come(url, null, { auth: { token: { $ne: null } } });
      expect(await odd.refused()).toMatchObject({ code: 'unauthenticated' });
      const header = come(url, null, { extraHeaders: { authorization: 'Basic abc' } });
      expect(await header.refused()).toMatchObject({ code: 'unauthenticated' });
    }
  });

  it('without a token watches the cluster where that is open, and nothing else', async () => {
    const ear = await come(openUrl, null).connected();
    for (const room of ['tasks', taskRoom(newTaskId())]) {
      expect(await ear.ask({ room })).toEqual({
        ok: false,
        error: { code: 'unauthenticated', message: expect.stringContaining('token') },
      });
    }
    expect(await ear.ask({ room: 'telemetry' })).toEqual({ ok: true });
    expect((await ear.heard('telemetry', 3))[0]).toMatchObject({ tasks_by_state: expect.anything() });
    expect(await come(closedUrl, null).refused()).toEqual({
      code: 'unauthenticated',
      message: expect.stringContaining('no token was sent'),
    });
  });

  it('from a page of another site is refused, with a token or without', async () => {
    const from = (origin: string) => ({ extraHeaders: { origin } });
    const elsewhere = from('https://elsewhere.example');
    expect(await come(openUrl, null, elsewhere).refused()).toMatchObject({ code: 'forbidden' });
    expect(await come(openUrl, null, from('null')).refused()).toMatchObject({ code: 'forbidden' });
    await come(openUrl, null, from(openUrl)).connected();
    expect(await come(openUrl, alice.token, elsewhere).refused()).toMatchObject({ code: 'forbidden' });
  });

  it('is one of a bounded number of its user', async () => {
    const bob = await open.signUp('bob');
    const all = Array.from({ length: MAX_SOCKETS_PER_USER + 3 }, () =>
      come(openUrl, bob.token, { reconnection: false }),
    );
    await waitFor(() => all.every((ear) => ear.client.connected || ear.refusal), { what: 'all answers' });
    const refused = all.filter((ear) => ear.refusal);
    expect(refused.map((ear) => ear.refusal?.code)).toEqual(Array(3).fill('rate_limited'));
    await come(openUrl, alice.token).connected();
    all.find((ear) => ear.client.connected)?.client.disconnect();
    // Refused ones of before try no more, so only this one does, until there is room.
    const another = come(openUrl, bob.token);
    await waitFor(
      () => {
        if (!another.client.active) another.client.connect();
        return another.client.connected;
      },
      { what: 'room for another' },
    );
  });
});

describe('a socket ends', () => {
  it('when its login expires, and says so', async () => {
    onTestFinished(() => {
      ahead = 0;
    });
    const ear = await come(secondUrl, alice.token).connected();
    const lasting = await come(secondUrl, (await apiToken(alice)).token).connected();
    ahead = 599_000;
    expect(await ear.ask({ room: 'tasks' })).toEqual({ ok: true });
    ahead = 601_000;
    expect(await ear.gone()).toBe('io server disconnect');
    expect(ear.of('session:end')).toEqual([
      { code: 'unauthenticated', message: expect.stringContaining('expired') },
    ]);
    expect(await lasting.ask({ room: 'tasks' })).toEqual({ ok: true });
  });

  it('on every copy when its API token is taken back, and no other does', async () => {
    const { token, token_id } = await apiToken(alice);
    const other = await apiToken(alice);
    const theirs = [
      await come(openUrl, token).connected(),
      await come(secondUrl, token).connected(),
      await come(secondUrl, token, { transports: ['polling'] }).connected(),
    ];
    const kept = [
      await come(secondUrl, other.token).connected(),
      await come(openUrl, alice.token).connected(),
    ];
    expect((await open.call('DELETE', `/api/auth/tokens/${token_id}`, { as: alice })).status).toBe(204);
    for (const ear of theirs) {
      expect(await ear.gone()).toBe('io server disconnect');
      expect(ear.of('session:end')).toEqual([
        { code: 'unauthenticated', message: expect.stringContaining('taken back') },
      ]);
    }
    expect(await come(secondUrl, token).refused()).toMatchObject({ code: 'unauthenticated' });
    for (const ear of kept) expect(await ear.ask({ room: 'tasks' })).toEqual({ ok: true });
  });

  it('on every copy when its account is disabled or its password changes, and no other does', async () => {
    const dora = await open.join('dora');
    const { token } = await apiToken(dora);
    const [logins, tokens] = [
      [await come(openUrl, dora.token).connected(), await come(secondUrl, dora.token).connected()],
      [await come(openUrl, token).connected(), await come(secondUrl, token).connected()],
    ];
    const kept = await come(secondUrl, alice.token).connected();
    const change = async (body: object) => {
      const reply = await open.call('PATCH', '/api/users/dora', { as: alice, body });
      expect(reply.status).toBe(200);
    };
    const gone = async (ears: Ear[], why: RegExp) => {
      for (const ear of ears) {
        expect(await ear.gone()).toBe('io server disconnect');
        expect(ear.of('session:end')).toEqual([
          { code: 'unauthenticated', message: expect.stringMatching(why) },
        ]);
      }
    };
    await change({ password: 'another-secret' });
    await gone(logins, /password changes/);
    for (const ear of tokens) expect(await ear.ask({ room: 'tasks' })).toEqual({ ok: true });
    await change({ disabled: true });
    await gone(tokens, /disabled/);
    expect(await come(secondUrl, token).refused()).toMatchObject({ code: 'unauthenticated' });
    expect(await kept.ask({ room: 'tasks' })).toEqual({ ok: true });
  });

  it('and comes in anew when its role changes, with what it may see then', async () => {
    const { token } = await open.join('erin');
    const task = (await new Mover(open).queued(alice)).id;
    const ear = await come(secondUrl, token).connected();
    expect(await ear.ask({ room: taskRoom(task) })).toMatchObject({
      ok: false,
      error: { code: 'not_found' },
    });
    await open.call('PATCH', '/api/users/erin', { as: alice, body: { role: 'admin' } });
    await ear.gone();
    await ear.connected();
    expect(await ear.ask({ room: taskRoom(task) })).toMatchObject({ ok: true });
    ear.reason = null;
    await open.call('PATCH', '/api/users/erin', { as: alice, body: { role: 'user' } });
    await ear.gone();
    expect(ear.of('session:end')).toEqual([]);
    await ear.connected();
    expect(await ear.ask({ room: taskRoom(task) })).toMatchObject({ ok: false });
  });

  it('a little later when no copy could be told that its API token was taken back', async () => {
    const line = await openRedisLine();
    let later = 0;
    const cutOff = await openTestApi({
      beside: open,
      redisUrl: line.url,
      parts: () => ({ clock: { ...systemClock, monotonic: () => performance.now() + later } }),
    });
    onTestFinished(async () => {
      await cutOff.close();
      await line.cut();
    });
    const url = await cutOff.api.start();
    const { token, token_id } = await apiToken(alice);
    const kept = await come(url, (await apiToken(alice)).token).connected();
    const ear = await come(url, token).connected();
    await line.cut();
    expect((await open.call('DELETE', `/api/auth/tokens/${token_id}`, { as: alice })).status).toBe(204);
    later = 31_000;
    expect(await ear.gone()).toBe('io server disconnect');
    expect(ear.of('session:end')).toHaveLength(1);
    expect(kept.client.connected).toBe(true);
    await line.mend();
  });
});
