import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { refusal, type SmallApi, startSmallApi, TASK_ID } from '../test/support/small-api.ts';
import { waitFor } from '../test/support/wait-for.ts';
import { createClient } from './client.ts';

let api: SmallApi;

beforeEach(async () => {
  api = await startSmallApi();
});
afterEach(() => api.close());

/** Of a call that has arrived at the API, which leaves it without an answer. */
const arrived = () => waitFor(() => api.asked.length > 0, { what: 'the call to arrive' });

describe('the signal of a client', () => {
  it.each([
    ['without a signal of its own', undefined],
    ['with one', new AbortController().signal],
  ])('gives up a call %s', async (_name, signal) => {
    api.on('GET /api/auth/me', () => undefined);
    const stop = new AbortController();
    const call = createClient({ url: api.url, signal: stop.signal }).me({ signal });
    await Promise.all([arrived().then(() => stop.abort()), expect(call).rejects.toThrow(/aborted/)]);
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('holds for many calls at once, each of which listens for itself', async () => {
    api.on('GET /api/auth/me', () => undefined);
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));
    const stop = new AbortController();
    const client = createClient({ url: api.url, signal: stop.signal });
    const calls = Promise.allSettled(Array.from({ length: 20 }, () => client.me()));
    await waitFor(() => api.asked.length === 20, { what: 'all calls to arrive' });
    stop.abort();
    expect((await calls).map(({ status }) => status)).toEqual(Array(20).fill('rejected'));
    expect(warnings).toEqual([]);
  });

  it('leaves the signal of a call its force', async () => {
    api.on('GET /api/auth/me', () => undefined);
    const own = new AbortController();
    const client = createClient({ url: api.url, signal: new AbortController().signal });
    const call = client.me({ signal: own.signal });
    await Promise.all([
      arrived().then(() => own.abort()),
      expect(call).rejects.toMatchObject({ name: 'AbortError' }),
    ]);
  });

  it('ends a wait for the rate limit', async () => {
    const stop = new AbortController();
    api.on('GET /api/auth/me', () => refusal(429, 'rate_limited', 'wait', [{ field: 'requests' }]));
    const client = createClient({ url: api.url, signal: stop.signal, onRateLimited: () => stop.abort() });
    await expect(client.me()).rejects.toMatchObject({ name: 'AbortError' });
    expect(api.asked).toHaveLength(1);
  });

  it('ends who follows output or reads a file, and neither goes on trying', async () => {
    const task = {
      task_id: TASK_ID,
      status: 'running',
      attempt: 1,
      attempts: [{ attempt: 1, finished_at: null }],
    };
    api.on('GET /api/tasks/:id', () => task);
    api.on('GET /api/tasks/:id/logs', (_asked, reply) => {
      reply.writeHead(200, { 'content-type': 'application/x-ndjson' }).write('{"seq":1}\n');
    });
    api.on('GET /api/files/a.txt', (_asked, reply) => {
      const head = { 'content-length': '10', etag: `"${'a'.repeat(64)}"` };
      reply.writeHead(200, head).write('some');
    });
    const stop = new AbortController();
    let tries = 0;
    const client = createClient({ url: api.url, signal: stop.signal });
    const lines = client
      .taskLogs(TASK_ID, { follow: true, onReconnect: () => (tries += 1) })
      [Symbol.asyncIterator]();
    await lines.next();
    const file = (await client.downloadFile({ path: 'a.txt' })).body.getReader();
    await file.read();
    const [more, rest] = [lines.next(), file.read()];
    stop.abort();
    await expect(more).rejects.toMatchObject({ name: 'AbortError' });
    await expect(rest).rejects.toMatchObject({ name: 'AbortError' });
    expect(tries).toBe(0);
  });
});

describe('a client whose token is no good', () => {
  it('is told so once for each call, which fails all the same', async () => {
    let told = 0;
    const onUnauthenticated = () => {
      told += 1;
    };
    api.on('GET /api/auth/me', () => refusal(401, 'unauthenticated', 'the token is too old'));
    api.on('GET /workers', () => refusal(403, 'forbidden', 'not allowed'));
    const client = createClient({ url: api.url, token: 'old', onUnauthenticated });
    await expect(client.me()).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(told).toBe(1);
    await expect(client.listWorkers()).rejects.toMatchObject({ code: 'forbidden' });
    await expect(createClient({ url: api.url, onUnauthenticated }).me()).rejects.toMatchObject({
      status: 401,
    });
    expect(told).toBe(1);
  });
});
