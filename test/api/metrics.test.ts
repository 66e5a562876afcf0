// GET /metrics on a real store and Redis, what it costs, and what the log of requests says and never says.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskBody } from '../../shared/contracts/http.ts';
import { createLog } from '../../shared/platform/log.ts';
import type { Store } from '../../shared/ports/store.ts';
import { type Away, mayBeAway } from '../support/away.ts';
import { makeRegistration } from '../support/tasks.ts';
import { waitFor } from '../support/wait-for.ts';
import { openTestApi, PASSWORD, type Person, type TestApi } from './harness.ts';

const LIMITED = '1';

let test: TestApi;
let alice: Person;
const away: Away = { how: null };
let reads = 0;
const lines: string[] = [];

beforeAll(async () => {
  test = await openTestApi({
    env: { RATE_LIMIT_WRITES: LIMITED },
    parts: ({ store }) => ({
      log: createLog('api', 'trace', { write: (line) => void lines.push(line) }),
      store: counted(mayBeAway(store, away)),
    }),
  });
  alice = await test.signUp('alice');
  await test.store.workers.register(makeRegistration({ id: 'w1' }));
});
afterAll(() => test?.close());

/** How often the list of workers was read. */
function counted(store: Store): Store {
  const { workers } = store;
  const watched = new Proxy(workers, {
    get: (target, name) => {
      if (name === 'list') reads += 1;
      return Reflect.get(target, name);
    },
  });
  return new Proxy(store, {
    get: (target, name) => (name === 'workers' ? watched : Reflect.get(target, name)),
  });
}

/** Answers are kept for a second. */
function untilTold(text: string | RegExp): Promise<string> {
  return waitFor(
    async () => {
      const reply = await test.call('GET', '/metrics');
      return (typeof text === 'string' ? reply.text.includes(text) : text.test(reply.text))
        ? reply.text
        : null;
    },
    { what: `metrics to say ${text}`, everyMs: 200 },
  );
}

describe('metrics of the API', () => {
  it('are text that Prometheus reads, with what the record says of the cluster', async () => {
    await test.call('POST', '/api/tasks', { as: alice, body: { docker_image: 'a' } });
    const text = await untilTold('cloudai_tasks{state="queued"} 1');
    const { headers } = await test.call('GET', '/metrics');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('cloudai_cluster_readable 1');
    expect(text).toContain('cloudai_queue_depth 1');
    expect(text).toContain('cloudai_worker_state{worker="w1",state="ready"} 1');
    expect(text).toMatch(/cloudai_worker_memory_capacity_bytes\{worker="w1"\} \d{7,}/);
    expect(text).toContain('cloudai_scheduler_leading 0');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
    // A line for each sample: a name, labels, a number.
    const odd = text
      .split('\n')
      .filter((line) => !/^(#.*|[a-z_:][a-z0-9_:]*(\{.*\})? (\+Inf|NaN|[\d.e+-]+)|)$/i.test(line));
    expect(odd).toEqual([]);
  });

  it('go by the template of a route, whatever is asked for', async () => {
    for (const id of ['one', 'two']) await test.call('GET', `/workers/${id}-nowhere`);
    await test.call('GET', '/no/such/place');
    const text = await untilTold(
      'cloudai_http_request_duration_seconds_count{method="GET",route="/workers/{id}",status="404"} 2',
    );
    expect(text).not.toContain('nowhere');
    expect(text).not.toContain('no/such');
  });

  it('count who was refused for asking too often', async () => {
    const ask = () => test.call('POST', '/api/tasks', { as: alice, body: {} });
    const statuses = await Promise.all(Array.from({ length: 20 }, ask));
    const refused = statuses.filter(({ status }) => status === 429).length;
    expect(refused).toBeGreaterThan(0);
    await untilTold(`cloudai_http_rate_limited_total{kind="writes"} ${refused}`);
  });

  it('of many who ask at once the store hears once', async () => {
    await untilTold('cloudai_cluster_readable 1');
    const before = reads;
    await Promise.all(Array.from({ length: 50 }, () => test.call('GET', '/metrics')));
    expect(reads - before).toBeLessThanOrEqual(1);
  });

  it('are told without those of the cluster while the store is away', async () => {
    away.how = 'fails';
    try {
      const text = await untilTold('cloudai_cluster_readable 0');
      expect(text).not.toContain('cloudai_tasks{');
      expect(text).toContain('cloudai_http_request_duration_seconds_count');
    } finally {
      away.how = null;
    }
    await untilTold('cloudai_cluster_readable 1');
  });
});

describe('the log of requests', () => {
  const told = () => lines.flatMap((line) => line.trim().split('\n')).map((line) => JSON.parse(line));

  it('says which request it was, and which task', async () => {
    const bob = await test.signUp('bob');
    const made = await test.call<TaskBody>('POST', '/api/tasks', {
      as: bob,
      body: { docker_image: 'a' },
      headers: { 'x-request-id': 'proxy-7.a' },
    });
    expect(made.headers['x-request-id']).toBe('proxy-7.a');
    const { task_id } = made.body;
    await test.call('POST', `/api/tasks/${task_id}/cancel`, { as: bob });
    await waitFor(() => told().filter((line) => line.task_id === task_id).length >= 2, {
      what: 'both lines',
    });
    const [submit, cancel] = told().filter((line) => line.task_id === task_id && line.msg === 'request');
    expect(submit).toMatchObject({ request_id: 'proxy-7.a', method: 'post', status: 201, user: 'bob' });
    expect(cancel).toMatchObject({ path: `/api/tasks/${task_id}/cancel`, status: 202 });
    expect(cancel.request_id).toMatch(/^req-/);
  });

  it.each(['a b', 'x'.repeat(65), 'new\u0001line', '{"a":1}'])('takes no id like %j', async (id) => {
    const { headers } = await test.call('GET', '/healthz', { headers: { 'x-request-id': id } });
    expect(headers['x-request-id']).toMatch(/^req-/);
  });

  it('holds no secret of anybody, however much it says', async () => {
    const carol = await test.signUp('carol');
    const { body } = await test.call<{ token: string }>('POST', '/api/auth/tokens', {
      as: carol,
      body: { name: 'n' },
    });
    const secrets = [carol.token, body.token, 'wrong-password', 'hidden-value', 'hidden-cookie', PASSWORD];
    await test.call('POST', '/api/auth/login', { body: { username: 'carol', password: 'wrong-password' } });
    await test.call('GET', '/api/auth/me', { as: body.token, headers: { cookie: 'a=hidden-cookie' } });
    await test.call('GET', '/api/auth/me', { as: `${carol.token}x` });
    await test.call('POST', '/api/tasks', {
      as: carol,
      body: { docker_image: 'a', env: { KEY: 'hidden-value' }, secrets: ['KEY'] },
    });
    await test.call('POST', '/api/tasks', { as: carol, body: { env: 'hidden-value', secrets: 7 } });
    await waitFor(() => told().filter(({ path }) => path === '/api/auth/me').length >= 2, { what: 'lines' });
    const text = lines.join('');
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  });
});
