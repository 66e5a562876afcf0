// What every call over gRPC has in common with every request of REST: its place among those of its caller, its count, its
// quota; an id, a line in the log, a measured value and a span when it is over, whoever ended it.

import { status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NO_QUOTA } from '../../../shared/model/user.ts';
import { createLog } from '../../../shared/platform/log.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { freePort } from '../../support/cluster.ts';
import { gate } from '../../support/gate.ts';
import { startSpanCollector } from '../../support/span-collector.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openTestApi, type Refused, type TestApiOptions } from '../harness.ts';
import { OutputStage } from '../output-stage.ts';
import { openClient } from './client.ts';
import { callWithoutRequest } from './raw-call.ts';

const TASK = { docker_image: 'a' };

async function open(options: TestApiOptions = {}) {
  const lines: string[] = [];
  const test = await openTestApi({
    ...options,
    env: { GRPC_PORT: String(await freePort()), ...options.env },
    parts: (parts) => ({
      log: createLog('api', 'debug', { write: (line) => void lines.push(line) }),
      ...options.parts?.(parts),
    }),
  });
  onTestFinished(() => test.close());
  await test.api.start();
  const client = openClient(test.api.grpcPort);
  onTestFinished(() => client.close());
  /** The lines of calls that are over. */
  const told = () => lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'call');
  /** Answers are kept for a second. */
  const [alice, bob] = [await test.join('alice'), await test.join('bob')];
  const untilMeasured = (...samples: string[]) =>
    waitFor(
      async () => {
        const { text } = await test.call('GET', '/metrics', { as: bob });
        return samples.every((one) => text.includes(`${one}\n`)) ? text : null;
      },
      { what: `metrics to say ${samples.join(', ')}`, everyMs: 1_000 },
    );
  return { test, client, told, untilMeasured, alice, bob };
}

const countOf = (method: string, code: string) =>
  `cloudai_grpc_call_duration_seconds_count{method="${method}",code="${code}"}`;

describe('places for requests', () => {
  it('are shared by all calls of a user, over REST and over gRPC', async () => {
    const lists = gate();
    const { test, client, alice, bob } = await open({
      env: { REQUESTS_AT_ONCE: '1' },
      parts: ({ store }) => ({ store: heldAt(store, lists.opened) }),
    });
    // One in progress and as many in the line as it may hold, of which none is answered.
    const reads = Array.from({ length: 33 }, () => test.call<Refused>('GET', '/api/tasks', { as: alice }));
    const refusals: unknown[] = [];
    const calls = Array.from({ length: 33 }, () =>
      client.call('ListTasks', {}, alice).catch(({ code, details, metadata }) => {
        refusals.push([code, details, metadata.get('error-code'), metadata.get('retry-after')]);
      }),
    );
    await waitFor(() => refusals.length > 0, { what: 'a call to be refused' });
    expect(refusals[0]).toEqual([
      status.RESOURCE_EXHAUSTED,
      'too many of your requests wait here: wait for answers before you send more',
      ['rate_limited'],
      ['1'],
    ]);
    expect((await client.call('SubmitTask', TASK, bob)).body.task.user).toBe('bob');
    lists.open();
    await Promise.all(calls);
    expect(new Set((await Promise.all(reads)).map((reply) => reply.status))).toEqual(new Set([200]));
    expect((await client.call('ListTasks', {}, alice)).body).toEqual({});
  });

  it('are taken by the rights that its caller has by then', async () => {
    const lists = gate();
    const { test, client, alice, bob } = await open({
      env: { REQUESTS_AT_ONCE: '1' },
      parts: ({ store }) => ({ store: heldAt(store, lists.opened) }),
    });
    const root = await test.join('root', { role: 'admin' });
    // Each holds its place for a second, so the calls behind them have a while to wait.
    const reads = Array.from({ length: 10 }, () => test.call('GET', '/api/tasks', { as: alice }));
    const submissions = Array.from({ length: 8 }, () => client.refusal('SubmitTask', TASK, alice));
    // What came by the same connection after them is answered, so they are in the line.
    await client.call('SubmitTask', TASK, bob);
    const body = { disabled: true };
    expect((await test.call('PATCH', '/api/users/alice', { as: root, body })).status).toBe(200);
    lists.open();
    const codes = (await Promise.all(submissions)).map(({ code }) => status[code]);
    expect(new Set(codes)).toEqual(new Set(['UNAUTHENTICATED']));
    await Promise.all(reads);
  });

  it('are of an address where nobody signed in', async () => {
    const { client, alice } = await open({ env: { REQUESTS_AT_ONCE: '1' } });
    const looks = await Promise.all(
      Array.from({ length: 200 }, () =>
        client.call('ListWorkers').then(
          () => status.OK,
          ({ code }) => code,
        ),
      ),
    );
    expect(new Set(looks)).toEqual(new Set([status.OK, status.RESOURCE_EXHAUSTED]));
    expect((await client.call('ListWorkers', {}, alice)).body).toEqual({});
  });

  it('are not held by streams that go on', async () => {
    const { test, client, alice } = await open({ env: { REQUESTS_AT_ONCE: '1' } });
    const task = await new OutputStage(test, alice).queued();
    let begun = 0;
    for (let n = 0; n < 2; n += 1) {
      const stream = client.stream('WatchTask', { task_id: task.id }, alice);
      stream.once('data', () => {
        begun += 1;
      });
      stream.on('error', () => undefined);
      onTestFinished(() => stream.cancel());
    }
    await waitFor(() => begun === 2, { what: 'two watches' });
    expect((await client.call('ListTasks', {}, alice)).body.tasks).toHaveLength(1);
    expect((await test.call('GET', '/api/tasks', { as: alice })).status).toBe(200);
    expect(test.api.grpcWatches).toBe(2);
  });

  it('are left by who sends no request, and is told so', async () => {
    const { test, alice, client } = await open({ parts: () => ({ arrivalMs: 500 }) });
    const port = test.api.grpcPort;
    // More than may be on their way in.
    const late = Array.from({ length: 25 }, () => callWithoutRequest(port, 'SubmitTask', alice));
    const watch = callWithoutRequest(port, 'WatchTask', alice);
    for (const ended of await Promise.all([...late, watch])) {
      expect(ended).toMatchObject({
        'grpc-status': String(status.UNAVAILABLE),
        'error-code': 'timed_out',
        'x-request-id': expect.stringMatching(/^rpc-/),
      });
    }
    expect((await client.call('SubmitTask', TASK, alice)).body.task.status).toBe('TASK_STATE_QUEUED');
  });
});

describe('limits', () => {
  it('of rate count reads, writes and those of nobody, over REST and gRPC together', async () => {
    const { test, client, alice, untilMeasured } = await open({
      env: {
        RATE_LIMIT_READS: '1',
        RATE_LIMIT_WRITES: '1',
        RATE_LIMIT_ANONYMOUS: '1',
      },
      parts: (parts) => ({
        // A clock that stands: a window ends never.
        rateLimiter: (options) =>
          parts.rateLimiter({ ...options, clock: { now: () => 1, monotonic: () => 1 } }),
      }),
    });
    const kinds = [
      { kind: 'reads', as: alice, route: ['GET', '/api/tasks', undefined], call: 'ListTasks', ask: {} },
      { kind: 'writes', as: alice, route: ['POST', '/api/tasks', TASK], call: 'SubmitTask', ask: TASK },
      { kind: 'anonymous', as: null, route: ['GET', '/workers', undefined], call: 'ListWorkers', ask: {} },
    ] as const;
    for (const { kind, as, route, call, ask } of kinds) {
      const [method, path, body] = route;
      for (let n = 0; n < 5; n += 1) {
        expect((await test.call(method, path, { as, body })).status).toBeLessThan(300);
        await client.call(call, ask, as);
      }
      const over = await client.refusal(call, ask, as);
      expect([kind, over.code]).toEqual([kind, status.RESOURCE_EXHAUSTED]);
      expect(over.metadata.get('error-code')).toEqual(['rate_limited']);
      expect(Number(over.metadata.get('retry-after')[0])).toBeGreaterThan(0);
      expect(over.metadata.get('ratelimit')[0]).toMatch(new RegExp(`^"${kind}";r=0;t=\\d+$`));
      expect((await test.call(method, path, { as, body })).status).toBe(429);
    }
    expect((await client.refusal('GetTask', { task_id: 'x' }, alice)).code).toBe(status.RESOURCE_EXHAUSTED);
    const text = await untilMeasured(
      'cloudai_grpc_rate_limited_total{kind="reads"} 2',
      'cloudai_grpc_rate_limited_total{kind="writes"} 1',
      'cloudai_grpc_rate_limited_total{kind="anonymous"} 1',
    );
    expect(text).toContain('cloudai_http_rate_limited_total{kind="reads"} 1\n');
  });

  it('of an account hold for its tasks, whatever they come by', async () => {
    const { test, client } = await open();
    const amy = await test.join('amy', { quota: { ...NO_QUOTA, unfinishedTasks: 2 } });
    await client.call('SubmitTask', TASK, amy);
    await test.call('POST', '/api/tasks', { as: amy, body: TASK });
    const over = await client.refusal('SubmitTask', TASK, amy);
    expect(over).toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: expect.stringContaining('amy may have at most 2 unfinished tasks'),
    });
    expect(over.metadata.get('error-code')).toEqual(['quota_exceeded']);
  });
});

describe('a call that is over', () => {
  it('is counted by method and status, whoever ended it', async () => {
    const { test, client, alice, told, untilMeasured } = await open();
    const task = await new OutputStage(test, alice).queued();
    await client.call('SubmitTask', TASK, alice);
    await client.call('SubmitTask', TASK, alice);
    await client.refusal('SubmitTask', {}, alice);
    await client.refusal('SubmitTask', TASK);
    // What grpc itself refuses.
    const large = await client.refusal(
      'SubmitTask',
      { ...TASK, env: { A: 'x'.repeat(2.5 * 2 ** 20) } },
      alice,
    );
    expect(large.metadata.get('x-request-id')).toHaveLength(1);
    const late = await callWithoutRequest(test.api.grpcPort, 'WatchTask', alice, { 'grpc-timeout': '100m' });
    expect(late['grpc-status']).toBe(String(status.DEADLINE_EXCEEDED));
    const watch = client.stream('WatchTask', { task_id: task.id }, alice);
    watch.on('error', () => undefined);
    await new Promise((done) => watch.once('data', done));
    await untilMeasured('cloudai_grpc_watches 1');
    watch.cancel();
    await untilMeasured(
      `${countOf('SubmitTask', 'OK')} 2`,
      `${countOf('SubmitTask', 'INVALID_ARGUMENT')} 1`,
      `${countOf('SubmitTask', 'UNAUTHENTICATED')} 1`,
      `${countOf('SubmitTask', 'RESOURCE_EXHAUSTED')} 1`,
      `${countOf('WatchTask', 'DEADLINE_EXCEEDED')} 1`,
      `${countOf('WatchTask', 'CANCELLED')} 1`,
      'cloudai_grpc_watches 0',
    );
    expect(told()).toHaveLength(7);
  });

  it('has a line in the log with its id, which its caller may give, and the task it was about', async () => {
    const { client, alice, told } = await open();
    const { body, trailers } = await client.call('SubmitTask', TASK, alice, { 'x-request-id': 'proxy-7.a' });
    expect(trailers.get('x-request-id')).toEqual(['proxy-7.a']);
    const { task_id } = body.task;
    const odd = await client.call('CancelTask', { task_id }, alice, { 'x-request-id': 'a b' });
    expect(odd.trailers.get('x-request-id')[0]).toMatch(/^rpc-/);
    await client.refusal('GetTask', { task_id: 'none' }, alice);
    expect(told()).toMatchObject([
      { level: 'info', request_id: 'proxy-7.a', rpc: 'SubmitTask', status: 'OK', user: 'alice', task_id },
      { level: 'info', rpc: 'CancelTask', status: 'OK', user: 'alice', task_id },
      { rpc: 'GetTask', status: 'INVALID_ARGUMENT' },
    ]);
    expect(told()[0].ms).toBeGreaterThanOrEqual(0);
    expect(told()[0]).not.toHaveProperty('trace_id');
  });

  it('is a span below the one its caller names, and its task goes on below it', async () => {
    const collector = await startSpanCollector();
    onTestFinished(() => collector.close());
    const tracer = collector.tracer('api');
    onTestFinished(() => tracer.close());
    const { test, client, alice, told } = await open({ parts: () => ({ tracer }) });
    const above = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
    const more = { traceparent: `00-${above.traceId}-${above.spanId}-01` };
    const { body } = await client.call('SubmitTask', TASK, alice, more);
    const { task_id } = body.task;
    await client.refusal('GetTask', { task_id: 'task-none' }, alice, more);
    const spans = await waitFor(
      () => {
        const seen = collector.spansOf(above.traceId);
        return seen.length === 3 ? seen : null;
      },
      { what: 'the spans' },
    );
    const of = (name: string) => spans.find((span) => span.name === name);
    const submit = of('cloudai.v1.CloudAI/SubmitTask');
    expect(submit).toMatchObject({
      service: 'cloudai-api',
      parentSpanId: above.spanId,
      isError: false,
      attributes: {
        'rpc.system': 'grpc',
        'rpc.service': 'cloudai.v1.CloudAI',
        'rpc.method': 'SubmitTask',
        'rpc.grpc.status_code': '0',
        'cloudai.request_id': told()[0].request_id,
      },
    });
    expect(of('cloudai.v1.CloudAI/GetTask')).toMatchObject({ parentSpanId: above.spanId, isError: false });
    const inside = of('task.submit');
    expect(inside).toMatchObject({
      parentSpanId: submit?.spanId,
      attributes: { 'cloudai.task_id': task_id },
    });
    const { spec } = (await test.store.tasks.get(task_id)) ?? { spec: null };
    expect(spec?.traceparent).toBe(`00-${above.traceId}-${inside?.spanId}-01`);
    expect(told()[0]).toMatchObject({ trace_id: above.traceId, task_id });
  });
});

/** Lists of tasks come only then. */
function heldAt(store: Store, then: Promise<void>): Store {
  const tasks = new Proxy(store.tasks, {
    get: (target, name) => {
      const member = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (name !== 'list') return member.bind(target);
      return async (...args: unknown[]) => {
        await then;
        return member.apply(target, args);
      };
    },
  });
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'tasks') return tasks;
      const member = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
