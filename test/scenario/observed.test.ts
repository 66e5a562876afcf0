// One task through API, scheduler and runner in one process, as those see it who watch from outside: its spans, as a
// collector gets them over OTLP/HTTP, and what the counters of the cluster say of it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRunnerMetrics, type RunnerMetrics } from '../../runner/metrics.ts';
import { createRunner, type Runner } from '../../runner/runner.ts';
import { schedulerRegistry } from '../../scheduler/metrics.ts';
import { createScheduler, type Scheduler } from '../../scheduler/scheduler.ts';
import { openDiskFileStore } from '../../shared/adapters/disk/file-store.ts';
import { openRedis, type RedisParts } from '../../shared/adapters/redis/open.ts';
import { createScriptedEngine, openScriptedRuntime } from '../../shared/adapters/scripted/open.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import { openMetricsDoor } from '../../shared/metrics/serve.ts';
import { systemClock } from '../../shared/platform/clock.ts';
import { loadRunnerConfig } from '../../shared/platform/config/runner.ts';
import { loadSchedulerConfig } from '../../shared/platform/config/scheduler.ts';
import { silentLog } from '../../shared/platform/log.ts';
import type { Tracer } from '../../shared/ports/tracing.ts';
import { openTestApi, type Person, type TestApi } from '../api/harness.ts';
import { redisUrl } from '../support/servers.ts';
import { type SeenSpan, type SpanCollector, startSpanCollector } from '../support/span-collector.ts';
import { waitFor } from '../support/wait-for.ts';
import { leading } from './scheduler/bed.ts';

const log = silentLog();
const clock = systemClock;
const CLIENT = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
const TRACEPARENT = `00-${CLIENT.traceId}-${CLIENT.spanId}-01`;

let collector: SpanCollector;
let tracers: Record<'api' | 'scheduler' | 'runner', Tracer>;
let test: TestApi;
let redis: RedisParts;
let scheduler: Scheduler;
let runner: Runner;
let measured: RunnerMetrics;
let alice: Person;
const ends: (() => Promise<unknown> | undefined)[] = [];

beforeAll(async () => {
  collector = await startSpanCollector();
  ends.push(() => collector.close());
  tracers = {
    api: collector.tracer('api'),
    scheduler: collector.tracer('scheduler'),
    runner: collector.tracer('runner'),
  };
  ends.push(() => Promise.all(Object.values(tracers).map((one) => one.close())));
  test = await openTestApi({ parts: () => ({ tracer: tracers.api }) });
  ends.push(() => test.close());
  alice = await test.signUp('alice');
  redis = await openRedis({ url: redisUrl, prefix: test.prefix, patience: 'patient', log });
  ends.push(() => redis.close());
  const { store, logs, config } = test;
  const env = { DATA_DIR: config.dataDir, WORKER_LEASE_SECONDS: '20' };
  const engine = createScriptedEngine();
  const runtime = openScriptedRuntime({ engine });
  measured = createRunnerMetrics(() => runner.status());
  runner = createRunner({
    ...redis,
    config: loadRunnerConfig({
      ...env,
      WORKER_ID: 'w1',
      RUNTIME: 'scripted',
      WORKER_CPUS: '4',
      WORKER_MEMORY_MB: '4096',
    }),
    store,
    logs,
    files: await openDiskFileStore(`${config.dataDir}/files`),
    runtime,
    clock,
    log,
    tracer: tracers.runner,
    watch: measured.watch,
    onFatal: (error) => {
      throw error;
    },
  });
  ends.push(() => runner.stop());
  await runner.start();
  scheduler = createScheduler({
    ...redis,
    config: loadSchedulerConfig({ ...env, RECONCILE_SECONDS: '1' }),
    store,
    board: redis.schedulerBoard,
    decisionLog: redis.decisions,
    clock,
    log,
    tracer: tracers.scheduler,
  });
  ends.push(() => scheduler.stop());
  await scheduler.start();
  await leading(scheduler);
});

afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

async function ended(body: object, headers: Record<string, string> = {}): Promise<TaskBody> {
  const made = await test.call<TaskBody>('POST', '/api/tasks', { as: alice, body, headers });
  expect(made.status).toBe(201);
  return waitFor(
    async () => {
      const { body: task } = await test.call<TaskBody>('GET', `/api/tasks/${made.body.task_id}`, {
        as: alice,
      });
      return ['completed', 'failed', 'cancelled'].includes(task.status) ? task : null;
    },
    { what: 'the task to end', deadlineMs: 60_000 },
  );
}

const spansOf = (traceId: string) => collector.spansOf(traceId);

/** `parent > name` of each, with the attempt where there is one. */
function tree(spans: readonly SeenSpan[]): string[] {
  const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
  names.set(CLIENT.spanId, 'the client');
  return spans.map(({ parentSpanId, name }) => `${names.get(parentSpanId) ?? parentSpanId} > ${name}`).sort();
}

describe('a task that is tried twice', () => {
  let task: TaskBody;
  let spans: SeenSpan[];

  beforeAll(async () => {
    task = await ended(
      {
        docker_image: 'busybox',
        command: 'env TRACEPARENT; exit 3',
        tag: 'seen',
        max_retries: 1,
        retry_delay_seconds: 0,
      },
      { traceparent: TRACEPARENT },
    );
    spans = await waitFor(
      () => {
        const seen = spansOf(CLIENT.traceId);
        return seen.filter(({ name }) => name === 'task.attempt').length === 2 ? seen : null;
      },
      { what: 'both attempts at the collector' },
    );
    // What ended before them is there by then, also of the other processes.
    await waitFor(() => spansOf(CLIENT.traceId).filter(({ name }) => name === 'task.place').length === 2, {
      what: 'the spans of the scheduler',
    });
    await waitFor(() => spansOf(CLIENT.traceId).some(({ name }) => name === 'POST /api/tasks'), {
      what: 'the span of the request',
    });
    spans = spansOf(CLIENT.traceId);
  });

  it('is one trace from the client to the container, over its retry', () => {
    const attempt = ['admit', 'pull', 'create', 'start', 'run', 'collect', 'commit', 'remove'];
    const each = [
      'task.submit > task.wait',
      'task.submit > task.place',
      'task.submit > task.attempt',
      ...attempt.map((phase) => `task.attempt > task.${phase}`),
    ];
    expect(tree(spans)).toEqual(
      ['the client > POST /api/tasks', 'POST /api/tasks > task.submit', ...each, ...each].sort(),
    );
  });

  it('says who did what, for which attempt, and how it ended', () => {
    const of = (name: string) => spans.filter((span) => span.name === name);
    expect(of('POST /api/tasks')[0]).toMatchObject({
      service: 'cloudai-api',
      attributes: { 'http.response.status_code': '201', 'http.route': '/api/tasks' },
    });
    expect(of('task.submit')[0]?.attributes).toMatchObject({ 'cloudai.task_id': task.task_id });
    expect(
      of('task.place').map(({ service, attributes }) => [service, attributes['cloudai.attempt']]),
    ).toEqual([
      ['cloudai-scheduler', '1'],
      ['cloudai-scheduler', '2'],
    ]);
    for (const { service, attributes, isError } of of('task.attempt')) {
      expect({ service, isError }).toEqual({ service: 'cloudai-runner', isError: true });
      expect(attributes).toMatchObject({
        'cloudai.task_id': task.task_id,
        'cloudai.worker_id': 'w1',
        'cloudai.tag': 'seen',
        'cloudai.reason': 'exit_code',
        'cloudai.exit_code': '3',
      });
    }
  });

  it('has times that follow each other', () => {
    const at = (name: string) => spans.filter((span) => span.name === name).map(({ beganAt }) => beganAt);
    const first = [
      'task.submit',
      'task.wait',
      'task.place',
      'task.create',
      'task.run',
      'task.collect',
      'task.commit',
    ];
    const began = first.map((name) => Math.min(...at(name)));
    expect(began).toEqual([...began].sort((a, b) => a - b));
    expect(spans.filter(({ beganAt, endedAt }) => endedAt < beganAt)).toEqual([]);
  });

  it('tells its program by TRACEPARENT, so that it can go on below the attempt', async () => {
    const printed = (await test.logs.read(task.task_id, 1, 1, 10)).map(({ line }) => line);
    const [attempt] = spans.filter(({ name }) => name === 'task.attempt');
    expect(printed).toEqual([`00-${CLIENT.traceId}-${attempt?.spanId}-01`]);
  });

  it('shows nobody who reads the task what trace it is of', async () => {
    const { text } = await test.call('GET', `/api/tasks/${task.task_id}`, { as: alice });
    expect(text).not.toContain(CLIENT.traceId);
  });
});

describe('a trace', () => {
  it('is not made where the caller says that it is not recorded', async () => {
    const unseen = 'c'.repeat(32);
    await ended({ docker_image: 'busybox' }, { traceparent: `00-${unseen}-${CLIENT.spanId}-00` });
    // One that is recorded, sent later, is there.
    const seen = 'd'.repeat(32);
    await ended({ docker_image: 'busybox' }, { traceparent: `00-${seen}-${CLIENT.spanId}-01` });
    await waitFor(() => spansOf(seen).some(({ name }) => name === 'task.attempt'), {
      what: 'the later trace',
    });
    expect(spansOf(unseen)).toEqual([]);
  });

  it('of its own begins where the caller names none, or none of that form', async () => {
    const { task_id: id } = await ended({ docker_image: 'busybox' }, { traceparent: 'nonsense' });
    const { spec } = (await test.store.tasks.get(id)) ?? { spec: null };
    expect(spec?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });
});

describe('the counters', () => {
  const value = (text: string, sample: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${sample} `))
        ?.slice(sample.length + 1) ?? Number.NaN,
    );

  it('of the cluster are the same at the API and at the leader', async () => {
    const door = await openMetricsDoor({
      host: '127.0.0.1',
      port: 0,
      contentType: 'text/plain',
      render: () => schedulerRegistry(() => scheduler.report()).render(),
      log,
    });
    ends.push(() => door.close());
    const atLeader = async () => (await fetch(door.url ?? '')).text();
    const atApi = async () => (await test.call('GET', '/metrics')).text;
    const expected: readonly (readonly [sample: string, least: number])[] = [
      ['cloudai_scheduler_leading', 1],
      ['cloudai_task_placements_total', 5],
      ['cloudai_task_wait_seconds_count{tag="seen"}', 2],
      ['cloudai_task_run_seconds_count{tag="seen"}', 1],
      ['cloudai_tasks_ended_total{state="failed",reason="exit_code"}', 1],
      ['cloudai_tasks_ended_total{state="completed",reason=""}', 3],
      ['cloudai_task_retries_total{reason="exit_code"}', 1],
      ['cloudai_sla_ended_total{outcome="in_time"}', 3],
      ['cloudai_scheduler_pass_duration_seconds_count', 1],
    ];
    for (const ask of [atLeader, atApi]) {
      await waitFor(
        async () => {
          const text = await ask();
          return expected.every(([sample, least]) => value(text, sample) >= least);
        },
        { what: `${ask.name} to count what happened`, deadlineMs: 30_000, everyMs: 300 },
      );
    }
    const text = await atApi();
    expect(value(text, 'cloudai_task_retries_total{reason="exit_code"}')).toBe(1);
    expect(value(text, 'cloudai_tasks_ended_total{state="failed",reason="exit_code"}')).toBe(1);
    const other = await fetch(`${new URL(door.url ?? '').origin}/other`);
    expect(other.status).toBe(404);
  });

  it('of the runner tell phases and ends', async () => {
    const text = await measured.registry.render();
    expect(value(text, 'cloudai_runner_attempts_ended_total{outcome="failed",reason="exit_code"}')).toBe(2);
    expect(value(text, 'cloudai_runner_state{state="up"}')).toBe(1);
    for (const phase of ['create', 'run', 'commit']) {
      expect(
        value(text, `cloudai_runner_phase_duration_seconds_count{phase="${phase}"}`),
      ).toBeGreaterThanOrEqual(5);
    }
  });

  it('of tasks against their deadlines are there when all were looked at', async () => {
    const made = await test.call<TaskBody>('POST', '/api/tasks', {
      as: alice,
      // Of a kind of which nothing is known, so its deadline is minutes away.
      body: { docker_image: 'never-seen', command: 'forever' },
    });
    await waitFor(
      async () => (await test.call('GET', '/metrics')).text.includes('cloudai_sla_tasks{state="safe"} 1'),
      {
        what: 'the task to be counted as safe',
        deadlineMs: 30_000,
        everyMs: 300,
      },
    );
    await test.call('POST', `/api/tasks/${made.body.task_id}/cancel`, { as: alice, body: { force: true } });
  });
});
