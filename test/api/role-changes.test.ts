// A right that was taken away while a request stood in line: it is answered by what its account may do when its turn comes.

import Hapi from '@hapi/hapi';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { TrustedProxies } from '../../api/http/trusted-proxies.ts';
import { authPlugin, principalOf } from '../../api/plugins/auth.ts';
import { rateLimitsPlugin } from '../../api/plugins/rate-limits.ts';
import { requestsPlugin } from '../../api/plugins/requests.ts';
import { BodyRoom } from '../../api/services/body-room.ts';
import { KnownUsers } from '../../api/services/known-users.ts';
import { RequestLimits } from '../../api/services/request-limits.ts';
import { RequestTurns, turnsOf } from '../../api/services/request-turns.ts';
import { Sessions } from '../../api/services/sessions.ts';
import { SigningKeys } from '../../api/services/signing-keys.ts';
import type { User } from '../../shared/model/user.ts';
import { systemClock } from '../../shared/platform/clock.ts';
import { silentLog } from '../../shared/platform/log.ts';
import { waitFor } from '../support/wait-for.ts';
import { JWT_SECRET, openTestApi, type Person, userOf } from './harness.ts';

const log = silentLog();
let known: KnownUsers;
let turns: RequestTurns;
let tom: Person;
let user: User;
let server: Hapi.Server;
let letGo: () => void;

/** One request of a user at a time, and it keeps its place until it is done. */
beforeEach(async () => {
  const test = await openTestApi();
  onTestFinished(() => test.close());
  const { users } = test.store;
  tom = await test.join('tom', { role: 'admin' });
  user = await userOf(test.store, tom);
  known = new KnownUsers(users, systemClock);
  turns = new RequestTurns({ ...turnsOf(1), heldMs: 600_000 });
  const keys = new SigningKeys([JWT_SECRET]);
  const sessions = new Sessions({ users, known, keys, ttlSeconds: 600, clock: systemClock, log });
  const requestLimits = new RequestLimits({
    rateLimits: { reads: 0, writes: 0, anonymous: 0 },
    rateLimiter: (limits) => test.redis.rateLimiter(limits),
    known,
    clock: systemClock,
    log,
  });
  const options = { sessions, requestLimits, requestTurns: turns, bodyRoom: new BodyRoom() };
  server = Hapi.server();
  await server.register([
    { plugin: requestsPlugin, options: { log, proxies: new TrustedProxies([]), hsts: '' } },
    { plugin: rateLimitsPlugin, options },
    { plugin: authPlugin, options },
  ]);
  const held = new Promise<void>((done) => {
    letGo = done;
  });
  server.route([
    { method: 'GET', path: '/held', handler: () => held.then(() => null) },
    { method: 'GET', path: '/role', handler: (request) => principalOf(request).role },
  ]);
});

const ask = (url: string) =>
  server.inject({ method: 'GET', url, headers: { authorization: `Bearer ${tom.token}` } });

/** A request in progress, one behind it, then the account changes and the first one ends. */
async function whileWaiting(change: Partial<User>) {
  const first = ask('/held');
  const second = ask('/role');
  await waitFor(() => turns.waiting === 1, { what: 'a request in the line' });
  known.changed({ ...user, ...change });
  letGo();
  await first;
  return second;
}

describe('a request that stood in line', () => {
  it('is answered by the role of now', async () => {
    expect((await whileWaiting({})).payload).toBe('admin');
  });

  it('has no right any more that was taken meanwhile', async () => {
    expect((await whileWaiting({ role: 'user' })).payload).toBe('user');
  });

  it('is refused when the account was disabled meanwhile', async () => {
    expect(await whileWaiting({ disabled: true })).toMatchObject({
      statusCode: 401,
      payload: expect.stringContaining('disabled'),
    });
  });
});
