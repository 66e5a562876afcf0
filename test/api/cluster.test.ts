// /workers and /telemetry, and what an admin does to workers.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TelemetryReply, WorkerBody, WorkerListReply } from '../../shared/contracts/workers.ts';
import { AppError } from '../../shared/errors.ts';
import type { ClusterEvent, WorkerNudge } from '../../shared/model/event.ts';
import type { SchedulerReport } from '../../shared/model/scheduling.ts';
import { assignTask, finishTask, type Step, startTask } from '../../shared/model/task-life.ts';
import { NO_USAGE } from '../../shared/model/worker.ts';
import { uniqueName } from '../support/servers.ts';
import { makeRegistration, makeTask } from '../support/tasks.ts';
import { waitFor } from '../support/wait-for.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

let test: TestApi;
let admin: Person;
let id: string;

beforeAll(async () => {
  test = await openTestApi();
  admin = await test.signUp('root');
});
afterAll(() => test?.close());
beforeEach(async () => {
  id = uniqueName('w-');
  await test.store.workers.register(makeRegistration({ id, labels: { disk: 'ssd' } }));
});

type Reply = WorkerBody & Refused;

async function commit(step: Step) {
  if (!step.ok || !(await test.store.tasks.commit(step.task))) throw new Error('not committed');
  return step.task;
}

async function hold(state: 'assigned' | 'running') {
  const task = makeTask({ resources: { cpuMillis: 1_500, memoryMb: 100, gpus: 0, storageMb: 10 } });
  await test.store.tasks.insert([task]);
  const placed = await commit(assignTask(task, { workerId: id, term: 1, now: 1 }));
  if (state === 'assigned') return placed;
  const at = { attempt: 1, workerId: id, now: 2 };
  return commit(startTask(placed, { ...at, containerId: 'c', imageId: null, gpuIds: [] }));
}

/** Null when it never comes. */
const secondsUntil = (time: string | null) =>
  time === null ? null : (Date.parse(time) - Date.now()) / 1_000;

/** The view is kept for a moment: look until it shows what is expected. */
const seen = async (what: string, fits: (worker: WorkerBody) => boolean) =>
  waitFor(
    async () => {
      const { status, body } = await test.call<Reply>('GET', `/workers/${id}`);
      return status === 200 && fits(body) ? body : null;
    },
    { what },
  );

describe('a worker', () => {
  it('is shown with what it has, holds and has left', async () => {
    await hold('assigned');
    await hold('running');
    const worker = await seen('both tasks', ({ tasks }) => tasks.running === 1);
    expect(worker).toMatchObject({
      worker_id: id,
      state: 'ready',
      labels: { disk: 'ssd' },
      capacity: { cpu: 4, memory: 8192, gpu: 0, storage: 100_000 },
      reserved: { cpu: 3, memory: 200, gpu: 0, storage: 20 },
      free: { cpu: 1, memory: 7992, gpu: 0, storage: 99_980 },
      tasks: { assigned: 1, running: 1 },
      heartbeat_age_seconds: null,
      usage: null,
      fingerprint: { os: 'linux', cpu_cores: 4, runtime: 'scripted' },
    });
  });

  it('is shown with its heartbeat', async () => {
    await test.redis.presence.beat(
      {
        workerId: id,
        identity: 'machine',
        incarnation: 'life-1',
        usage: { ...NO_USAGE, cpuPercent: 12.5, memoryUsedMb: 300, storageUsedMb: 7, networkReceiveRate: 9 },
        running: [],
        troubles: [],
      },
      10_000,
      true,
    );
    const worker = await seen('the heartbeat', ({ usage }) => usage !== null);
    expect(worker.usage).toEqual({
      cpu_percent: 12.5,
      memory_used: 300,
      storage_used: 7,
      network_receive_rate: 9,
      network_transmit_rate: 0,
      gpus: [],
    });
    expect(worker.heartbeat_age_seconds).toBeGreaterThanOrEqual(0);
    expect(worker.heartbeat_age_seconds).toBeLessThan(10);
  });

  it('that is not there is 404, and a strange name 400', async () => {
    expect(await test.call('GET', '/workers/worker-nowhere')).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    expect(await test.call('GET', '/workers/a%20b')).toMatchObject({
      status: 400,
      body: { details: [{ field: 'id' }] },
    });
  });
});

describe('telemetry', () => {
  it('sums up workers that are up and counts tasks', async () => {
    const down = uniqueName('w-');
    await test.store.workers.register(makeRegistration({ id: down }));
    await test.store.workers.setLiveness(down, 'down', 5);
    const body = await waitFor(
      async () => {
        const reply = await test.call<TelemetryReply>('GET', '/telemetry');
        return reply.body.workers.some(({ worker_id, state }) => worker_id === down && state === 'down')
          ? reply.body
          : null;
      },
      { what: 'the worker to be down in telemetry' },
    );
    const up = body.workers.filter(({ state }) => state !== 'down');
    expect(body.totals.capacity.cpu).toBe(up.length * 4);
    expect(body.totals.free.cpu).toBe(body.totals.capacity.cpu - body.totals.reserved.cpu);
    expect(body.workers_by_state.down).toBe(1);
    expect(body.queue_depth).toBe(body.tasks_by_state.queued);
    expect(Date.parse(body.at)).toBeGreaterThan(Date.now() - 5_000);
    const list = await test.call<WorkerListReply>('GET', '/workers');
    expect(list.body.workers.map(({ worker_id }) => worker_id).sort()).toEqual(
      body.workers.map(({ worker_id }) => worker_id).sort(),
    );
  });

  it('tells what the scheduler says of itself, but not whose task a worker is kept for', async () => {
    const seenScheduler = (what: string, fits: (scheduler: TelemetryReply['scheduler']) => boolean) =>
      waitFor(
        async () => {
          const { body } = await test.call<TelemetryReply>('GET', '/telemetry');
          return fits(body.scheduler) ? { scheduler: body.scheduler } : null;
        },
        { what },
      );
    await seenScheduler('no scheduler', (scheduler) => scheduler === null);
    const at = Date.now();
    const report: SchedulerReport = {
      at,
      term: 3,
      rules: { policy: 'best-fit', ageingMs: 600_000, reserveAfterMs: 60_000, preemption: true },
      recent: ['w-1'],
      served: [],
      reservations: [
        {
          workerId: 'w-1',
          groupKey: 'secret-key',
          taskId: 'task-1',
          since: at - 5_000,
          until: at + 60_000,
          tried: ['w-2'],
        },
      ],
      waiting: 9,
      lines: 4,
      placed: 7,
      preempted: 1,
    };
    await test.redis.schedulerBoard.post(report, 60_000);
    const { scheduler } = await seenScheduler('the scheduler', (one) => one !== null);
    expect(scheduler).toEqual({
      leading: true,
      policy: 'best-fit',
      ageing_seconds: 600,
      reserve_after_seconds: 60,
      preemption: true,
      waiting_lines: 4,
      reservations: [
        {
          worker_id: 'w-1',
          since: new Date(at - 5_000).toISOString(),
          until: new Date(at + 60_000).toISOString(),
        },
      ],
      at: new Date(at).toISOString(),
    });
    await test.redis.schedulerBoard.post({ ...report, at: at - 120_000 }, 60_000);
    await seenScheduler('a silent scheduler', (one) => one?.leading === false);
  });

  it('is there when nobody can say how the scheduler does', async () => {
    const deaf = await openTestApi({
      parts: () => ({
        schedulerBoard: {
          post: async () => undefined,
          read: async () => {
            throw new AppError('queue_unavailable', 'Redis is away');
          },
        },
      }),
    });
    try {
      const reply = await deaf.call<TelemetryReply>('GET', '/telemetry');
      expect(reply).toMatchObject({ status: 200, body: { scheduler: null, workers: [] } });
    } finally {
      await deaf.close();
    }
  });

  it('is read once for all who ask at the same moment', async () => {
    let reads = 0;
    const busy = await openTestApi({
      parts: ({ presence }) => ({
        presence: {
          beat: (...args) => presence.beat(...args),
          leave: (...args) => presence.leave(...args),
          extend: (...args) => presence.extend(...args),
          present: () => {
            reads += 1;
            return presence.present();
          },
        },
      }),
    });
    try {
      await Promise.all(Array.from({ length: 200 }, () => busy.call('GET', '/telemetry')));
      expect(reads).toBeLessThanOrEqual(3);
    } finally {
      await busy.close();
    }
  });
});

describe('maintenance', () => {
  it('cordons, drains and frees, and tells the others', async () => {
    const events: ClusterEvent[] = [];
    const off = await test.redis.bus.subscribe((event) => void events.push(event));
    for (const [verb, state] of [
      ['cordon', 'cordoned'],
      ['drain', 'draining'],
      ['uncordon', 'ready'],
    ] as const) {
      const reply = await test.call<Reply>('POST', `/api/workers/${id}/${verb}`, { as: admin });
      expect(reply).toMatchObject({ status: 200, body: { worker_id: id, state } });
      expect((await test.call<Reply>('GET', `/workers/${id}`)).body.state).toBe(state);
    }
    await waitFor(
      () => events.filter((event) => event.type === 'worker' && event.workerId === id).length === 3,
      {
        what: 'three events',
      },
    );
    await off();
    expect((await test.call('POST', '/api/workers/nowhere/cordon', { as: admin })).status).toBe(404);
  });

  it('drains until a deadline, which the next drain changes and a cordon ends', async () => {
    const drain = async (body?: object) => {
      const reply = await test.call<Reply>('POST', `/api/workers/${id}/drain`, { as: admin, body });
      return { status: reply.status, body: reply.body, left: secondsUntil(reply.body.drain_until) };
    };
    await hold('running');
    expect((await drain()).body).toMatchObject({ state: 'draining', drain_until: null, message: null });
    const first = await drain({ deadline_seconds: 600 });
    expect(first.left).toBeGreaterThan(500);
    expect(first.left).toBeLessThanOrEqual(600);
    expect((await test.store.workers.get(id))?.drainUntil).toBe(Date.parse(first.body.drain_until ?? ''));
    expect((await drain({ deadline_seconds: 30 })).left).toBeLessThanOrEqual(30);
    expect((await drain({ deadline_seconds: 0 })).left).toBeLessThanOrEqual(0);
    expect((await drain({})).body.drain_until).toBeNull();
    await drain({ deadline_seconds: 600 });
    const cordoned = await test.call<Reply>('POST', `/api/workers/${id}/cordon`, { as: admin });
    expect(cordoned.body).toMatchObject({ state: 'cordoned', drain_until: null });
    expect((await test.store.workers.get(id))?.drainUntil).toBeNull();
  });

  it.each([
    [{ deadline_seconds: -1 }, 'deadline_seconds', /whole seconds from 0 \(at once\) to 2592000 \(30 days\)/],
    [{ deadline_seconds: 1.5 }, 'deadline_seconds', /whole seconds/],
    [{ deadline_seconds: '10m' }, 'deadline_seconds', /whole seconds/],
    [{ deadline_seconds: 2_592_001 }, 'deadline_seconds', /whole seconds/],
    [{ deadline: 5 }, 'deadline', /not a known field/],
  ])('refuses to drain with %j', async (body, field, message) => {
    const reply = await test.call<Reply>('POST', `/api/workers/${id}/drain`, { as: admin, body });
    expect(reply).toMatchObject({
      status: 400,
      body: { details: [{ field, message: expect.stringMatching(message) }] },
    });
    expect((await test.store.workers.get(id))?.maintenance).toBe('none');
  });

  it('says of a draining worker that it is empty', async () => {
    const placed = await hold('running');
    await test.call('POST', `/api/workers/${id}/drain`, { as: admin });
    await seen(
      'the draining worker with its task',
      ({ tasks, message }) => tasks.running === 1 && message === null,
    );
    const outcome = { kind: 'completed', exitCode: 0, message: null } as const;
    await commit(finishTask(placed, { attempt: 1, workerId: id, now: 3, dice: 0, outcome }));
    const empty = await seen('the empty worker', ({ tasks }) => tasks.running === 0);
    expect(empty).toMatchObject({
      state: 'draining',
      message: 'it is empty and can be removed or uncordoned',
    });
  });

  it('forgets a worker without tasks, and tells it', async () => {
    const nudges: WorkerNudge[] = [];
    const off = await test.redis.bus.onNudge(id, (nudge) => void nudges.push(nudge));
    expect((await test.call('DELETE', `/api/workers/${id}`, { as: admin })).status).toBe(204);
    await waitFor(() => nudges.length === 1, { what: 'the nudge' });
    expect(nudges).toEqual([{ type: 'removed' }]);
    await off();
    expect((await test.call('GET', `/workers/${id}`)).status).toBe(404);
    expect((await test.call('DELETE', `/api/workers/${id}`, { as: admin })).status).toBe(404);
  });

  it('keeps a worker that is up and holds tasks, and forgets it once it is down', async () => {
    await hold('running');
    const reply = await test.call<Refused>('DELETE', `/api/workers/${id}`, { as: admin });
    expect(reply).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(reply.body.message).toMatch(/holds 1 task: drain it first/);
    expect(await test.store.workers.get(id)).not.toBeNull();
    await test.store.workers.setLiveness(id, 'down', 5);
    expect((await test.call('DELETE', `/api/workers/${id}`, { as: admin })).status).toBe(204);
  });
});
