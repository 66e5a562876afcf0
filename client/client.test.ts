import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  makeEndedBody,
  makeTaskBody,
  refusal,
  type SmallApi,
  Status,
  startSmallApi,
  TASK_ID,
} from '../test/support/small-api.ts';
import { ApiError, type Client, ConnectionError, createClient } from './client.ts';

let api: SmallApi;
let client: Client;

beforeEach(async () => {
  api = await startSmallApi();
  client = createClient({ url: `${api.url}/`, token: 'secret-token', timeoutMs: 2_000 });
});
afterEach(() => api.close());

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => {
      throw new Error('the call went well');
    },
    (error: unknown) => error,
  );

describe('a call', () => {
  it('carries token, body and idempotency key', async () => {
    api.on('POST /api/tasks', () => new Status(201, makeTaskBody()));
    const task = await client.submitTask({ docker_image: 'python:3.9' }, { idempotencyKey: 'k-1' });
    expect(task.task_id).toBe(TASK_ID);
    expect(api.asked[0]).toMatchObject({
      headers: {
        authorization: 'Bearer secret-token',
        'content-type': 'application/json',
        'idempotency-key': 'k-1',
      },
      body: { docker_image: 'python:3.9' },
    });
  });

  it('puts filters into the query and leaves out what is not asked', async () => {
    api.on('GET /api/tasks', () => ({ tasks: [], next_cursor: null }));
    await client.listTasks({ status: ['queued', 'running'], tag: 'a&b', limit: 5, user: undefined });
    expect(api.asked[0]?.query).toEqual({ status: 'queued,running', tag: 'a&b', limit: '5' });
  });

  it('reaches every resource by its path', async () => {
    const seen = async (call: Promise<unknown>) => {
      await caught(call.then(() => Promise.reject(new Error('unused'))));
      const last = api.asked.at(-1);
      return `${last?.method} ${last?.path}`;
    };
    api.on('DELETE /api/workers/:id', () => new Status(204, null));
    expect(await seen(client.me())).toBe('GET /api/auth/me');
    expect(await seen(client.createToken('ci'))).toBe('POST /api/auth/tokens');
    expect(await seen(client.deleteToken('token-1'))).toBe('DELETE /api/auth/tokens/token-1');
    expect(await seen(client.submitBatch([]))).toBe('POST /api/tasks/batch');
    expect(api.asked.at(-1)?.headers['idempotency-key']).toBeUndefined();
    await seen(client.submitBatch([{ docker_image: 'a' }], { idempotencyKey: 'k-1' }));
    expect(api.asked.at(-1)).toMatchObject({
      headers: { 'idempotency-key': 'k-1' },
      body: { tasks: [{ docker_image: 'a' }] },
    });
    expect(await seen(client.taskStates(['task-1']))).toBe('POST /api/tasks/states');
    expect(api.asked.at(-1)?.body).toEqual({ task_ids: ['task-1'] });
    expect(await seen(client.cancelTask('task-1', { force: true }))).toBe('POST /api/tasks/task-1/cancel');
    expect(api.asked.at(-1)?.body).toEqual({ force: true });
    expect(await seen(client.retryTask('task-1'))).toBe('POST /api/tasks/task-1/retry');
    expect(api.asked.at(-1)?.headers['idempotency-key']).toBeUndefined();
    await seen(client.retryTask('task-1', { idempotencyKey: 'k-2' }));
    expect(api.asked.at(-1)?.headers).toMatchObject({ 'idempotency-key': 'k-2' });
    expect(await seen(client.explainTask('task-1'))).toBe('GET /api/tasks/task-1/explain');
    expect(await seen(client.getWorker('w/1'))).toBe('GET /workers/w%2F1');
    expect(await seen(client.registerWorker('worker-3', '10.0.0.3'))).toBe('POST /api/workers');
    expect(api.asked.at(-1)?.body).toEqual({ id: 'worker-3', address: '10.0.0.3' });
    expect(await seen(client.cordonWorker('w-1'))).toBe('POST /api/workers/w-1/cordon');
    expect(await seen(client.uncordonWorker('w-1'))).toBe('POST /api/workers/w-1/uncordon');
    expect(await seen(client.drainWorker('w-1'))).toBe('POST /api/workers/w-1/drain');
    expect(await seen(client.removeWorker('w-1'))).toBe('DELETE /api/workers/w-1');
    expect(await seen(client.telemetry())).toBe('GET /telemetry');
  });

  it('gives lists out of their envelopes', async () => {
    api.on('GET /workers', () => ({ workers: [{ worker_id: 'w-1' }] }));
    api.on('GET /api/auth/tokens', () => ({ tokens: [{ token_id: 'token-1' }] }));
    expect(await client.listWorkers()).toEqual([{ worker_id: 'w-1' }]);
    expect(await client.listTokens()).toEqual([{ token_id: 'token-1' }]);
  });

  it('tells what is down when the cluster is not ready', async () => {
    const down = { status: 'unavailable', checks: { redis: { ok: false, message: 'refused' } } };
    api.on('GET /readyz', () => new Status(503, down));
    expect(await client.ready()).toEqual(down);
  });
});

describe('an error', () => {
  it('keeps status, code, message, details and when to come back', async () => {
    const body = {
      statusCode: 429,
      error: 'Too Many Requests',
      code: 'rate_limited',
      message: 'slow down',
      details: [{ field: 'user', message: '60 a minute' }],
    };
    api.on('POST /api/tasks', () => new Status(429, body, { 'retry-after': '7' }));
    const error = await caught(client.submitTask({ docker_image: 'a' }));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      status: 429,
      code: 'rate_limited',
      message: 'slow down',
      details: [{ field: 'user', message: '60 a minute' }],
      retryAfterSeconds: 7,
    });
  });

  it('has a meaning without words where the status has one', async () => {
    let status = 401;
    api.on('GET /workers', (_asked, reply) => void reply.writeHead(status).end());
    expect(await caught(client.listWorkers())).toMatchObject({ status, code: 'unauthenticated' });
    status = 403;
    expect(await caught(client.listWorkers())).toMatchObject({ status, code: 'forbidden' });
    status = 404;
    expect(await caught(client.listWorkers())).toMatchObject({ status, code: 'unexpected_reply' });
  });

  it('names the address when nothing listens there', async () => {
    await api.close();
    const error = await caught(client.me());
    expect(error).toBeInstanceOf(ConnectionError);
    expect((error as Error).message).toBe(`cannot reach ${api.url}: connection refused`);
    api = await startSmallApi();
  });

  it('ends when it is given up or its time is over, even if fetch never does', async () => {
    const deaf = { url: api.url, fetch: () => new Promise<Response>(() => undefined) };
    const why = new Error('seen enough');
    expect(await caught(createClient(deaf).me({ signal: AbortSignal.abort(why) }))).toBe(why);
    const later = new AbortController();
    const given = caught(createClient(deaf).me({ signal: later.signal }));
    later.abort(why);
    expect(await given).toBe(why);
    expect(await caught(createClient({ ...deaf, timeoutMs: 20 }).me())).toMatchObject({ kind: 'timed_out' });
  });

  it('comes when there is no answer in time', async () => {
    api.on('GET /api/auth/me', () => undefined);
    const error = await caught(createClient({ url: api.url, timeoutMs: 50 }).me());
    expect(error).toMatchObject({ kind: 'timed_out', message: expect.stringContaining('0.05 s') });
    // On a busy machine it may not even have got there.
    expect(api.asked.length).toBeLessThanOrEqual(1);
  });

  it('comes when the body stops in the middle', async () => {
    api.on('GET /api/auth/me', (_asked, reply) => void reply.writeHead(200).write('{"user'));
    expect(await caught(createClient({ url: api.url, timeoutMs: 50 }).me())).toMatchObject({
      kind: 'timed_out',
    });
  });

  it('comes when the server is no CloudAI API', async () => {
    api.on('GET /telemetry', (_asked, reply) => void reply.end('<html>'));
    api.on('GET /workers', (_asked, reply) => void reply.writeHead(502).end('<html>'));
    expect(await caught(client.telemetry())).toMatchObject({ status: 200, code: 'unexpected_reply' });
    expect(await caught(client.listWorkers())).toMatchObject({ status: 502, code: 'unexpected_reply' });
  });

  it('is the caller’s own when the caller gives up', async () => {
    api.on('GET /api/auth/me', () => undefined);
    const controller = new AbortController();
    const call = caught(client.me({ signal: controller.signal }));
    controller.abort();
    expect(await call).toMatchObject({ name: 'AbortError' });
  });
});

describe('trying again', () => {
  it('happens once for a GET that met a short absence', async () => {
    let calls = 0;
    const away = () => (++calls === 1 ? refusal(503, 'store_unavailable', 'away') : makeEndedBody());
    api.on('GET /api/tasks/:id', away);
    expect((await client.getTask(TASK_ID)).status).toBe('completed');
    expect(calls).toBe(2);
    api.on('GET /api/tasks/:id', () => refusal(503, 'store_unavailable', 'away'));
    expect(await caught(client.getTask(TASK_ID))).toMatchObject({ code: 'store_unavailable' });
    expect(api.asked).toHaveLength(4);
  });

  it('never happens for a call that changes something, nor for a refusal', async () => {
    api.on('POST /api/tasks', () => refusal(503, 'store_unavailable', 'away'));
    api.on('GET /api/auth/me', () => refusal(401, 'unauthenticated', 'who?'));
    await caught(client.submitTask({ docker_image: 'a' }));
    await caught(client.me());
    expect(api.asked).toHaveLength(2);
  });
});
