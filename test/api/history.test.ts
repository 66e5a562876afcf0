// /telemetry/history and what /telemetry takes from it, on points in a real store and with a clock that stands still.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HistoryReply } from '../../shared/contracts/history.ts';
import type { TaskListReply } from '../../shared/contracts/http.ts';
import type { TelemetryReply } from '../../shared/contracts/workers.ts';
import { CLUSTER_SERIES, HISTORY_METRICS, type HistoryPoint } from '../../shared/model/history.ts';
import { assignTask, takeBackTask } from '../../shared/model/task-life.ts';
import { NO_USAGE } from '../../shared/model/worker.ts';
import { uniqueName } from '../support/servers.ts';
import { makeRegistration, makeTask } from '../support/tasks.ts';
import { openTestApi, type Refused, type Seen, type TestApi } from './harness.ts';

/** In the middle of a coarse step and of a fine one. */
const NOW = Date.parse('2026-01-31T12:02:34.567Z');
const at = (iso: string) => Date.parse(`2026-01-31T${iso}Z`);
const clock = { now: () => NOW, monotonic: () => performance.now() };

let test: TestApi;
const worker = uniqueName('w-');

const ask = (query: string) => test.call<HistoryReply & Refused>('GET', `/telemetry/history?${query}`);

const point = (
  grain: HistoryPoint['grain'],
  time: string,
  values: HistoryPoint['values'],
  series = CLUSTER_SERIES,
): HistoryPoint => ({ series, grain, at: at(time), values });

beforeAll(async () => {
  test = await openTestApi({ parts: () => ({ clock }) });
  await test.store.workers.register(makeRegistration({ id: worker }));
  await test.store.history.put([
    point('coarse', '09:50:00', { running: 2, queue_depth: 1 }),
    point('coarse', '09:55:00', { running: 4 }),
    point('coarse', '11:50:00', { running: 6 }),
    point('fine', '11:55:00', { running: 8 }),
    point('fine', '11:55:10', { running: 9 }),
    point('fine', '12:02:00', { running: 10, placements_per_second: 3 }),
    point('fine', '12:02:10', { running: 11.00049, placements_per_second: 4.25 }),
    point('fine', '12:02:20', { running: 1 }, worker),
  ]);
});
afterAll(() => test?.close());

describe('history', () => {
  it('is of the cluster in the last hour, as fine as it is kept', async () => {
    const { status, body } = await ask('metric=running,cpu_percent');
    expect(status).toBe(200);
    expect(body).toEqual({
      metrics: [
        {
          metric: 'running',
          unit: 'tasks',
          points: [
            ['2026-01-31T11:55:00.000Z', 8],
            ['2026-01-31T11:55:10.000Z', 9],
            ['2026-01-31T12:02:00.000Z', 10],
            ['2026-01-31T12:02:10.000Z', 11],
          ],
        },
        { metric: 'cpu_percent', unit: 'percent', points: [] },
      ],
      step_seconds: 10,
      from: '2026-01-31T11:02:30.000Z',
      to: '2026-01-31T12:02:34.567Z',
      worker: null,
    });
  });

  it('has the mean of each step', async () => {
    const { body } = await ask('metric=running&from=2026-01-31T11:55:00Z&to=now&step=60');
    expect(body.step_seconds).toBe(60);
    expect(body.metrics[0]?.points).toEqual([
      ['2026-01-31T11:55:00.000Z', 8.5],
      ['2026-01-31T12:02:00.000Z', 10.5],
    ]);
  });

  it('goes back for days and still reaches up to now', async () => {
    const { body } = await ask('metric=running,queue_depth&from=-3h&step=10');
    expect(body.step_seconds).toBe(300);
    expect(body.metrics[0]?.points).toEqual([
      ['2026-01-31T09:50:00.000Z', 2],
      ['2026-01-31T09:55:00.000Z', 4],
      ['2026-01-31T11:50:00.000Z', 6],
      ['2026-01-31T11:55:00.000Z', 8.5],
      ['2026-01-31T12:00:00.000Z', 10.5],
    ]);
    expect(body.metrics[1]?.points).toEqual([['2026-01-31T09:50:00.000Z', 1]]);
    const week = await ask('metric=running&from=-7d');
    expect(week.body.step_seconds).toBe(600);
    expect(week.body.metrics[0]?.points[0]).toEqual(['2026-01-31T09:50:00.000Z', 3]);
    const past = await ask('metric=running&from=2026-01-31T09:00:00Z&to=2026-01-31T09:55:00Z');
    expect(past.body.metrics[0]?.points).toEqual([['2026-01-31T09:50:00.000Z', 2]]);
  });

  it('is of one worker, and nothing of one that is there but was never measured', async () => {
    const { body } = await ask(`metric=running&worker=${worker}`);
    expect(body.worker).toBe(worker);
    expect(body.metrics[0]?.points).toEqual([['2026-01-31T12:02:20.000Z', 1]]);
    const silent = uniqueName('w-');
    await test.store.workers.register(makeRegistration({ id: silent }));
    expect((await ask(`metric=running&worker=${silent}`)).body.metrics[0]?.points).toEqual([]);
    expect(await ask('metric=running&worker=nowhere')).toMatchObject({
      status: 404,
      body: { code: 'not_found', message: expect.stringContaining('nowhere') },
    });
  });

  it('says what is wrong with a question', async () => {
    const refused = async (query: string) => {
      const { status, body } = await ask(query);
      expect(status).toBe(400);
      expect(body.code).toBe('invalid_request');
      return body;
    };
    for (const query of ['', 'metric=', 'metric=cpu', 'metric=running,cpu']) {
      const { message } = await refused(query);
      for (const metric of HISTORY_METRICS) expect(message).toContain(metric);
    }
    expect((await refused('metric=running&from=yesterday')).message).toMatch(
      /"from" must be .*-15m.* or now/,
    );
    expect((await refused('metric=running&from=-1h&to=-2h')).message).toContain('"from" must be before "to"');
    expect((await refused('metric=running&from=now')).details).toMatchObject([{ field: 'from' }]);
    expect((await refused('metric=running&step=0')).message).toContain('"step"');
    expect((await refused('metric=running&step=1.5')).message).toContain('"step"');
    expect((await refused('metric=running&worker=*')).message).toContain('a worker id');
    expect((await refused('metric=running&until=now')).message).toContain('"until" is not a known field');
    expect((await refused(`metric=queue_depth&worker=${worker}`)).message).toContain('not queue_depth');
    expect((await refused('metric=cpu&from=x&step=y')).details).toHaveLength(3);
  });

  it('is closed where telemetry is', async () => {
    const closed = await openTestApi({ env: { OBSERVE_AUTH: 'required' } });
    try {
      const path = '/telemetry/history?metric=running';
      expect((await closed.call('GET', path)).status).toBe(401);
      expect((await closed.call('GET', path, { as: await closed.signUp('root') })).status).toBe(200);
    } finally {
      await closed.close();
    }
  });
});

describe('telemetry', () => {
  it('has the newest placements per second, and totals of what was measured', async () => {
    await test.redis.presence.beat(
      {
        workerId: worker,
        identity: 'machine',
        incarnation: 'life-1',
        usage: { ...NO_USAGE, cpuPercent: 25, memoryUsedMb: 100, networkTransmitRate: 5 },
        running: [],
        troubles: [],
      },
      10_000,
      true,
    );
    const { body } = await test.call<TelemetryReply>('GET', '/telemetry');
    expect(body.placements_per_second).toBe(4.25);
    expect(body.totals.usage).toEqual({
      cpu_percent: 25,
      cpu_cores: 4,
      memory_used: 100,
      memory_total: 8_192,
      storage_used: 0,
      network_receive_rate: 0,
      network_transmit_rate: 5,
      gpus: null,
    });
  });

  it('says nothing of placements that are old news', async () => {
    const later = { now: () => NOW + 20_000, monotonic: () => performance.now() };
    const other = await openTestApi({ parts: () => ({ clock: later, store: test.store }) });
    try {
      const { body } = await other.call<TelemetryReply>('GET', '/telemetry');
      expect(body.placements_per_second).toBeNull();
    } finally {
      await other.close();
    }
  });
});

describe('a task', () => {
  it('has its timeline where it alone is asked for, and not in a list', async () => {
    const api = await openTestApi();
    try {
      const person = await api.signUp('alice');
      const task = makeTask({}, { ownerId: person.id });
      const placed = assignTask(task, { workerId: 'w1', term: 1, now: task.queuedAt + 10 });
      if (!placed.ok) throw new Error(placed.refusal);
      const lost = takeBackTask(placed.task, {
        attempt: 1,
        workerId: 'w1',
        now: task.queuedAt + 20,
        message: 'worker w1 was lost',
      });
      if (!lost.ok) throw new Error(lost.refusal);
      await api.store.tasks.insert([lost.task]);
      const { body } = await api.call<Seen>('GET', `/api/tasks/${task.id}`, { as: person });
      expect(body.timeline).toEqual([
        {
          state: 'queued',
          at: '2023-11-14T22:13:20.000Z',
          attempt: 1,
          worker_id: null,
          message: 'submitted',
        },
        { state: 'assigned', at: '2023-11-14T22:13:20.010Z', attempt: 1, worker_id: 'w1', message: null },
        {
          state: 'lost',
          at: '2023-11-14T22:13:20.020Z',
          attempt: 1,
          worker_id: 'w1',
          message: 'worker w1 was lost',
        },
        {
          state: 'queued',
          at: '2023-11-14T22:13:20.020Z',
          attempt: 2,
          worker_id: null,
          message: 'tried again',
        },
      ]);
      expect(body.attempts).toMatchObject([{ usage: null, progress: null, outputs: null, hint: null }]);
      const list = await api.call<TaskListReply>('GET', '/api/tasks', { as: person });
      expect(list.body.tasks[0]).not.toHaveProperty('timeline');
    } finally {
      await api.close();
    }
  });
});
