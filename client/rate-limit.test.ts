import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeTaskBody, type SmallApi, Status, startSmallApi } from '../test/support/small-api.ts';
import { type ClientOptions, createClient } from './client.ts';

let api: SmallApi;
beforeEach(async () => {
  api = await startSmallApi();
});
afterEach(() => api.close());

const MESSAGE = 'the limit of writes by your account is 20 in 10 s: wait 1 s';
const tooMany = (field = 'requests', seconds = 1) => {
  const details = [{ field, message: MESSAGE }];
  const body = {
    statusCode: 429,
    error: 'Too Many Requests',
    code: 'rate_limited',
    message: MESSAGE,
    details,
  };
  return new Status(429, body, { 'retry-after': String(seconds) });
};
const clientOf = (options: Partial<ClientOptions> = {}) => createClient({ url: api.url, ...options });

describe('a call that is one too many', () => {
  it('is made again when the API said, and tells that it waits', async () => {
    let refusals = 1;
    const waits: number[] = [];
    api.on('POST /api/tasks', () => (refusals-- > 0 ? tooMany() : new Status(201, makeTaskBody())));
    const client = clientOf({ onRateLimited: (seconds) => waits.push(seconds) });
    await client.submitTask({ docker_image: 'a' }, { idempotencyKey: 'k' });
    expect(waits).toEqual([1]);
    expect(api.asked.map(({ headers }) => headers['idempotency-key'])).toEqual(['k', 'k']);
  });

  it('waits also before a stream', async () => {
    let refusals = 1;
    api.on('GET /api/tasks/:id/logs', (_asked, reply) => {
      if (refusals-- > 0) return tooMany();
      reply.writeHead(200, { 'content-type': 'text/plain' }).end('hello');
      return undefined;
    });
    const text = await clientOf().taskLogText('task-1');
    expect(await new Response(text).text()).toBe('hello');
  });

  it('is given up when that would take too long', async () => {
    api.on('GET /workers', () => tooMany('requests', 7));
    const client = clientOf({ ratePatienceMs: 5_000 });
    await expect(client.listWorkers()).rejects.toMatchObject({ status: 429, retryAfterSeconds: 7 });
    expect(api.asked).toHaveLength(1);
  });

  it('is not made again where waiting does not help, nor after it was called off', async () => {
    api.on('GET /workers', () => tooMany('sockets'));
    await expect(clientOf().listWorkers()).rejects.toMatchObject({ code: 'rate_limited' });
    expect(api.asked).toHaveLength(1);
    api.on('GET /workers', () => tooMany('requests', 30));
    const end = new AbortController();
    const client = clientOf({ onRateLimited: () => end.abort(new Error('enough')) });
    await expect(client.listWorkers({ signal: end.signal })).rejects.toThrow('enough');
    expect(api.asked).toHaveLength(2);
  });
});
