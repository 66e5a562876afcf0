// Every route of the API while the store fails, and while it hangs: 503 with Retry-After in our own words, within the
// deadline, and all is well again when the store is.

import type { RequestRoute } from '@hapi/hapi';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../shared/platform/clock.ts';
import { newId, newTaskId } from '../../shared/platform/ids.ts';
import { type Away, INSIDE, mayBeAway } from '../support/away.ts';
import { TOKEN } from '../support/played-adoption.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

/** Bodies and headers without which a call is refused before it comes to the store. */
const task = { docker_image: 'a' };
const TUS = { 'tus-resumable': '1.0.0' };
const NEEDED: Readonly<Record<string, { body?: unknown; headers?: Record<string, string> }>> = {
  'POST /api/auth/register': { body: { username: 'dora', password: 'secure456' } },
  'POST /api/auth/login': { body: { username: 'dora', password: 'secure456' } },
  'POST /api/auth/password': { body: { current_password: 'secure123', new_password: 'secure456' } },
  'POST /api/auth/tokens': { body: { name: 'n' } },
  'POST /api/users': { body: { username: 'carol', password: 'secure456' } },
  'PATCH /api/users/{username}': { body: { disabled: false } },
  'POST /api/tasks': { body: task },
  'POST /api/tasks/batch': { body: { tasks: [task] } },
  'POST /api/tasks/states': { body: { task_ids: [newTaskId()] } },
  'POST /api/tasks/cancel': { body: { task_ids: [newTaskId()] } },
  'POST /api/whatif': { body: { tasks: [task] } },
  'PUT /api/files/{path*}': { body: 'text', headers: { 'content-type': 'text/plain' } },
  'POST /api/uploads': {
    headers: { ...TUS, 'upload-length': '2', 'upload-metadata': 'path YS50eHQ=' },
  },
  'GET /api/uploads/{id}': { headers: TUS },
  'PATCH /api/uploads/{id}': {
    body: 'ab',
    headers: { ...TUS, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
  },
  'DELETE /api/uploads/{id}': { headers: TUS },
  'POST /api/webhooks': { body: { url: 'http://a.example/', events: ['assigned'] } },
  'POST /api/workers': { body: { id: 'w9', address: '127.0.0.1:9' } },
};
/** What they answer without the store: they need none, or can do without. */
const WITHOUT: Readonly<Record<string, number>> = {
  'OPTIONS /api/uploads': 204,
  'OPTIONS /api/uploads/{id}': 204,
  'POST /api/auth/queue-board': 204,
  'GET /api/scheduler/decisions': 200,
  'GET /healthz': 200,
  'GET /metrics': 200,
  'GET /openapi.json': 200,
  'GET /documentation': 200,
  'GET /documentation/start.js': 200,
  'GET /documentation/swagger-ui.css': 200,
  'GET /documentation/swagger-ui-bundle.js': 200,
  'GET /documentation/favicon-32x32.png': 200,
  'GET /{path*}': 200,
  '* /{path*}': 404,
};

/** These wait for the store as long as they may, and answer without it then. */
const LATE = ['POST /api/auth/queue-board', 'GET /metrics'];

let test: TestApi;
let admin: Person;
const away: Away = { how: null };
/** While it stands, what is known stays fresh: a slow machine must not come to other answers. */
let standsAt: number | null = null;
const clock = { now: () => systemClock.now(), monotonic: () => standsAt ?? systemClock.monotonic() };

beforeAll(async () => {
  test = await openTestApi({
    env: { CLUSTER_TOKEN: TOKEN },
    parts: ({ store }) => ({ clock, store: mayBeAway(store, away) }),
  });
  admin = await test.signUp('root');
  // It is made when it is first asked for, which in the middle of the walk would make others late.
  await test.call('GET', '/openapi.json');
});
afterEach(() => {
  away.how = null;
  standsAt = null;
  vi.useRealTimers();
});
afterAll(() => test?.close());

/** More than any call may take. */
const HANGING_SECONDS = 90;
const REAL_MS = 50;
/** Of real time, for what needs no more than the machine's own. */
const MOST_MOMENTS = 400;
const { setTimeout: realTimeout } = globalThis;
const moment = (ms: number) => new Promise((done) => realTimeout(done, ms));

interface Seen {
  readonly route: string;
  readonly status: number;
  readonly retryAfter: unknown;
  readonly text: string;
}

describe.each([['fails'], ['hangs']] as const)('while the store %s', (how) => {
  it('every route says so, and nothing of its inside', async () => {
    // Kept for a moment, so that calls come to what they are for.
    standsAt = systemClock.monotonic();
    await test.call('GET', '/api/auth/me', { as: admin });
    const seen = await walk(how, admin);
    away.how = null;
    standsAt = null;
    vi.useRealTimers();
    const wrong = seen.filter(({ route, status, retryAfter }) => {
      const expected = WITHOUT[route] ?? 503;
      return status !== expected || (status === 503 && !(Number(retryAfter) > 0));
    });
    expect(wrong).toEqual([]);
    expect(seen.filter(({ text }) => text.includes(INSIDE) || /\.ts:\d+/.test(text))).toEqual([]);
    expect((await test.call('GET', '/api/tasks', { as: admin })).status).toBe(200);
  });
});

describe('while the store hangs', () => {
  it.each([['a token of a session'], ['a token for scripts']])(
    'an upload, which has no deadline as such, by %s nobody knows yet is given up all the same',
    async (kind) => {
      const person = await test.join(`new-${kind.length}`);
      const reply = await test.call<{ token: string }>('POST', '/api/auth/tokens', {
        as: person,
        body: { name: 'n' },
      });
      const as = kind.includes('scripts') ? reply.body.token : person;
      // Too old to be gone by.
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      await vi.advanceTimersByTimeAsync(10_000);
      away.how = 'hangs';
      let status = 0;
      const upload = { as, body: 'text', headers: { 'content-type': 'text/plain' } };
      const call = test.call('PUT', '/api/files/a.txt', upload).then((put) => {
        ({ status } = put);
      });
      await passTime(() => status !== 0);
      expect(status).toBe(503);
      await call;
    },
  );
});

/** Calls every route: first those that do without the store, then all others at once. */
async function walk(how: Away['how'], as: Person): Promise<Seen[]> {
  // A copy of the store's file is taken beside the store: see backups.test.ts.
  const routes = test.api.server
    .table()
    .filter(({ path }) => !path.startsWith('/queues') && path !== '/api/backup' && path !== '/api/restore');
  // A deadline of half a minute passes at once.
  if (how === 'hangs') vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  away.how = how;
  const seen: Seen[] = [];
  const call = async (route: RequestRoute) => seen.push(await ask(route, as));
  const missing = (some: readonly RequestRoute[]) => {
    const names = some.map(({ method, path }) => nameOf(method, path));
    return names.filter((name) => !seen.some(({ route }) => route === name));
  };
  const isApart = ({ method, path }: RequestRoute) => {
    const name = nameOf(method, path);
    return WITHOUT[name] !== undefined && !LATE.includes(name);
  };
  // What asks Redis alone must not be overtaken by the deadlines that are about to pass.
  const apart = routes.filter(isApart);
  const first = Promise.all(apart.map(call));
  for (let n = 0; n < MOST_MOMENTS && missing(apart).length > 0; n += 1) await moment(REAL_MS);
  expect(missing(apart)).toEqual([]);
  const others = Promise.all(routes.filter((route) => !isApart(route)).map(call));
  if (how === 'hangs') await passTime(() => seen.length === routes.length);
  else await others;
  expect(missing(routes)).toEqual([]);
  await Promise.all([first, others]);
  return seen;
}

/** A second of theirs in a moment of ours, so that what takes real time is not overtaken. */
async function passTime(isOver: () => boolean): Promise<void> {
  for (let seconds = 0; seconds < HANGING_SECONDS && !isOver(); seconds += 1) {
    await vi.advanceTimersByTimeAsync(1_000);
    await moment(REAL_MS);
  }
}

const nameOf = (method: string, path: string) => `${method.toUpperCase()} ${path}`;

async function ask({ method, path }: RequestRoute, as: Person): Promise<Seen> {
  const route = nameOf(method, path);
  const address = path
    .replace('{id}', path.includes('/tasks/') ? newTaskId() : newId('upload'))
    .replace('{username}', 'root')
    .replace('{path*}', route.includes('/api/') ? 'a.txt' : '');
  const query = route === 'GET /telemetry/history' ? '?metric=queue_depth' : '';
  const reply = await test.call<Refused>(method === '*' ? 'POST' : method.toUpperCase(), address + query, {
    as,
    ...NEEDED[route],
  });
  return { route, status: reply.status, retryAfter: reply.headers['retry-after'], text: reply.text };
}
