// The steps after the processes run, against an HTTP server that answers like the API.

import { stat, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient } from '../../client/client.ts';
import { tempDir } from '../../test/support/servers.ts';
import {
  makeEndedBody,
  makeTaskBody,
  makeWorkerBody,
  refusal,
  type SmallApi,
  Status,
  startSmallApi,
} from '../../test/support/small-api.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { ensureAdmin, tokenFile } from './admin-account.ts';
import { runHelloTask } from './hello-task.ts';
import { awaitApi, awaitWorker } from './readiness.ts';
import { summaryLines } from './summary.ts';
import { changes, watchWorkers } from './worker-watch.ts';

let api: SmallApi;
let dir: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ path: dir, remove } = await tempDir());
  api = await startSmallApi();
});
afterEach(async () => {
  await api.close();
  await remove();
});

const never = new AbortController().signal;
const quiet = () => undefined;
const client = () => createClient({ url: api.url, token: 't', timeoutMs: 2_000 });

describe('waiting for the API', () => {
  const waiting = (deadlineMs: number) => ({
    client: client(),
    tail: () => ['api: the last words'],
    signal: never,
    deadlineMs,
  });

  it('ends when it is ready', async () => {
    let asked = 0;
    const down = { status: 'unavailable', checks: { redis: { ok: false, message: 'refused' } } };
    api.on('GET /readyz', () => (++asked < 3 ? new Status(503, down) : { status: 'ready', checks: {} }));
    const notes: string[] = [];
    await awaitApi(waiting(10_000), (text) => notes.push(text));
    expect(notes).toEqual(['redis: refused', 'redis: refused']);
  });

  it('ends with what is down and what the process said last', async () => {
    const down = { status: 'unavailable', checks: { store: { ok: false, message: 'locked' } } };
    api.on('GET /readyz', () => new Status(503, down));
    await expect(awaitApi(waiting(0), quiet)).rejects.toMatchObject({
      code: 'timed_out',
      message: expect.stringMatching(/not ready: store: locked[\s\S]*api: the last words/),
    });
  });

  it('ends at once when the start is given up', async () => {
    api.on('GET /readyz', () => new Status(503, { status: 'unavailable', checks: {} }));
    const controller = new AbortController();
    const wait = awaitApi({ ...waiting(60_000), signal: controller.signal }, () => controller.abort());
    await expect(wait).rejects.toThrow(/stopped before it was ready/);
  });

  it('goes on to the first ready worker, or says how the others are', async () => {
    api.on('GET /workers', () => ({ workers: [makeWorkerBody({ worker_id: 'w-1', state: 'cordoned' })] }));
    await expect(awaitWorker(waiting(0), quiet)).rejects.toThrow(/w-1 is cordoned .*uncordon/);
    api.on('GET /workers', () => ({ workers: [makeWorkerBody({ worker_id: 'w-1' })] }));
    expect(await awaitWorker(waiting(0), quiet)).toEqual(['w-1']);
  });
});

describe('the admin account', () => {
  const shown: string[] = [];
  const ensure = () => {
    shown.length = 0;
    return ensureAdmin({ url: api.url, dataDir: dir, onPassword: (password) => shown.push(password) });
  };
  const accept = () => {
    api.on('POST /api/auth/register', ({ body }) => new Status(201, body));
    api.on('POST /api/auth/login', () => ({ token: 'session', expires_at: '', user: {} }));
    api.on('POST /api/auth/tokens', () => new Status(201, { token_id: 'token-1', token: 'long-lived' }));
    api.on('GET /api/auth/me', ({ headers }) =>
      headers.authorization === 'Bearer long-lived'
        ? { username: 'admin' }
        : refusal(401, 'unauthenticated', '?'),
    );
  };

  it('is made on the first run, with a password shown once and a token kept closed', async () => {
    accept();
    const made = await ensure();
    expect(made).toMatchObject({ kind: 'created', token: 'long-lived', password: shown[0] });
    expect(shown[0]?.length).toBeGreaterThanOrEqual(16);
    expect((await stat(tokenFile(dir))).mode & 0o777).toBe(0o600);
    expect(api.asked.find(({ path }) => path === '/api/auth/tokens')?.headers.authorization).toBe(
      'Bearer session',
    );
  });

  it('is known by its token on later runs', async () => {
    accept();
    await ensure();
    expect(await ensure()).toMatchObject({ kind: 'known', token: 'long-lived' });
    expect(shown).toEqual([]);
    expect(api.asked.filter(({ path }) => path === '/api/auth/register')).toHaveLength(1);
  });

  it('is made anew when the records were emptied', async () => {
    accept();
    await writeFile(tokenFile(dir), 'of an older life\n');
    expect(await ensure()).toMatchObject({ kind: 'created' });
  });

  it('is unknown when the records have one and the token is gone', async () => {
    api.on('POST /api/auth/register', () => refusal(409, 'username_taken', 'admin is taken'));
    expect(await ensure()).toEqual({ kind: 'unknown', why: 'admin is taken' });
  });

  it('is not guessed at when the API fails', async () => {
    await writeFile(tokenFile(dir), 'good\n');
    api.on('GET /api/auth/me', () => refusal(500, 'internal', 'boom'));
    await expect(ensure()).rejects.toMatchObject({ status: 500 });
  });
});

describe('the first task', () => {
  const ended = makeEndedBody({ name: 'hello' });
  const hello = (deadlineMs?: number) => {
    const lines: string[] = [];
    const run = runHelloTask({
      client: client(),
      image: 'cloudai/busybox:local',
      signal: never,
      onLine: (line) => lines.push(line),
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
    });
    return { lines, run };
  };

  it('shows its output and how long it took', async () => {
    api.on('POST /api/tasks', () => new Status(201, makeTaskBody()));
    api.on('GET /api/tasks/:id', () => ended);
    api.on('GET /api/tasks/:id/logs', (_asked, reply) => {
      reply.writeHead(200, { 'content-type': 'application/x-ndjson' });
      reply.end('{"seq":1,"ts":"2026-01-01T00:00:00.000Z","stream":"stdout","line":"Hello"}\n');
    });
    const { lines, run } = hello();
    expect(await run).toMatchObject({ tookMs: 5_200, task: { status: 'completed' } });
    expect(lines).toEqual(['Hello']);
    expect(api.asked[0]?.body).toMatchObject({ docker_image: 'cloudai/busybox:local', name: 'hello' });
  });

  it('fails with the reason of the cluster', async () => {
    api.on('POST /api/tasks', () => new Status(201, makeTaskBody()));
    api.on('GET /api/tasks/:id', () =>
      makeTaskBody({ status: 'failed', reason: 'image_error', message: 'no such image' }),
    );
    await expect(hello().run).rejects.toThrow(/failed: no such image/);
  });

  it('does not wait for ever, and says why it waits', async () => {
    api.on('POST /api/tasks', () => new Status(201, makeTaskBody()));
    api.on('GET /api/tasks/:id', () => makeTaskBody());
    api.on('GET /api/tasks/:id/logs', () => undefined);
    api.on('GET /api/tasks/:id/explain', () => ({ summary: 'No worker has 4 GPUs free.' }));
    await expect(hello(300).run).rejects.toMatchObject({
      code: 'timed_out',
      message: expect.stringContaining('No worker has 4 GPUs free.'),
    });
  });
});

describe('the words at the end', () => {
  const options = {
    url: 'http://localhost:8080',
    dataDir: '/home/me/data',
    image: 'cloudai/busybox:local',
    cwd: '/home/me',
    dashboard: true,
    machines: { tokenFile: '/home/me/data/cluster-token', isShared: false },
  };

  it('show the password on the first run only', () => {
    const made = { kind: 'created', client: client(), token: 'abc', password: 'geheim' } as const;
    expect(summaryLines({ ...options, admin: made }).join('\n')).toContain('geheim');
    const known = { kind: 'known', client: client(), token: 'abc' } as const;
    const text = summaryLines({ ...options, admin: known }).join('\n');
    expect(text).not.toContain('password');
    expect(text).toContain('CLOUDAI_TOKEN=$(cat data/admin-token)');
    expect(JSON.parse(/-d '(.*)'/.exec(text)?.[1] ?? '')).toMatchObject({ docker_image: options.image });
  });

  it('say what to do where the token is not known', () => {
    const text = summaryLines({ ...options, admin: { kind: 'unknown', why: 'admin is taken' } }).join('\n');
    expect(text).toContain('npx cloudai login --url http://localhost:8080');
    expect(text).not.toContain('CLOUDAI_TOKEN');
  });
});

describe('the words about more machines', () => {
  const words = (machines: { tokenFile: string | null; isShared: boolean }) =>
    summaryLines({
      url: 'http://localhost:8080',
      dataDir: '/home/me/data',
      image: 'x',
      cwd: '/home/me',
      dashboard: true,
      admin: { kind: 'known', client: client(), token: 'abc' },
      machines,
    }).join('\n');

  it('say where the token is, and what a cluster of one machine cannot have', () => {
    const alone = words({ tokenFile: '/home/me/data/cluster-token', isShared: false });
    expect(alone).toMatch(/\n {2}npm run worker\n {2}npx cloudai register worker-2 localhost:50052\n/);
    expect(alone).toContain('docs/GETTING_STARTED.md');
    expect(words({ tokenFile: '/srv/c/cluster-token', isShared: false })).toContain(
      '  CLUSTER_TOKEN_FILE=/srv/c/cluster-token npm run worker',
    );
    const shared = words({ tokenFile: '/home/me/data/cluster-token', isShared: true });
    expect(shared).toContain('(the token of this cluster is in data/cluster-token)');
    expect(shared).toContain('register worker-2 <that machine>:50052');
    expect(words({ tokenFile: null, isShared: true })).not.toContain('cluster-token');
  });
});

describe('the watch on workers', () => {
  it('tells what is new, changed and gone', () => {
    const before = new Map([
      ['a', 'ready'],
      ['b', 'ready'],
      ['c', 'ready'],
    ]);
    const now = new Map([
      ['a', 'ready'],
      ['b', 'down'],
      ['d', 'ready'],
      ['e', 'unreachable'],
    ]);
    expect(changes(before, now)).toEqual([
      'worker b is down (was ready)',
      'worker d joined: ready',
      'worker e does not answer yet',
      'worker c is gone',
    ]);
  });

  it('tells once that the API is away, and that it is back', async () => {
    const said: string[] = [];
    api.on('GET /workers', () => refusal(500, 'internal', 'boom'));
    const stop = watchWorkers({ client: client(), say: (line) => said.push(line), everyMs: 5 });
    await waitFor(() => api.asked.length > 5, { what: 'several looks' });
    expect(said).toEqual(['workers cannot be seen: boom']);
    api.on('GET /workers', () => ({ workers: [makeWorkerBody()] }));
    await waitFor(() => said.length === 2, { what: 'the API to be seen again' });
    stop();
    expect(said[1]).toBe('the API answers again');
  });
});
