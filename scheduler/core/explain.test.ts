import { describe, expect, it } from 'vitest';
import type { Resources } from '../../shared/model/resources.ts';
import type { Reservation } from '../../shared/model/scheduling.ts';
import type { Task, TaskSpec } from '../../shared/model/task.ts';
import type { ResourceQuota } from '../../shared/model/user.ts';
import type { Worker } from '../../shared/model/worker.ts';
import { makeRegistration, makeTask } from '../../test/support/tasks.ts';
import { PLAIN_HOLDING } from '../../test/support/waiting.ts';
import { groupKey } from './backlog.ts';
import { explain } from './explain.ts';
import { sceneOf } from './scene.ts';
import type { Holding } from './snapshot.ts';

const NOW = 1_700_000_100_000;
const TASK = 'task-1';
/** For somebody else's line. */
const RESERVED: Reservation = {
  workerId: 'worker-1',
  groupKey: 'another',
  taskId: 'task-0',
  since: NOW - 1_000,
  until: NOW + 1_000,
  tried: [],
};
const amounts = (over: Partial<Resources> = {}): Resources => ({
  cpuMillis: 1000,
  memoryMb: 512,
  gpus: 0,
  storageMb: 0,
  ...over,
});
const worker = (id: string, capacity: Partial<Resources> = {}, over: Partial<Worker> = {}): Worker => ({
  ...makeRegistration({ id, capacity: amounts({ cpuMillis: 4000, memoryMb: 16_384, ...capacity }) }),
  maintenance: 'none',
  liveness: 'up',
  drainUntil: null,
  livenessAt: 0,
  ...over,
});
const holding = (workerId: string, over: Partial<Resources>): Holding => ({
  ...PLAIN_HOLDING,
  taskId: `task-on-${workerId}`,
  workerId,
  attempt: 1,
  state: 'running',
  resources: { cpuMillis: 0, memoryMb: 0, gpus: 0, storageMb: 0, ...over },
  assignedAt: 0,
});
const ask = (
  spec: Partial<TaskSpec>,
  workers: Worker[],
  {
    holdings = [] as Holding[],
    ahead = 0,
    over = {} as Partial<Task>,
    quotas = {} as Record<string, Partial<ResourceQuota>>,
    reservations = [] as Partial<Reservation>[],
    reader = 'user-1',
  } = {},
) => {
  const task = makeTask(spec, { id: TASK, ...over });
  const none = { cpuMillis: null, memoryMb: null, gpus: null };
  const limits = Object.entries(quotas).map(([id, quota]) => [id, { ...none, ...quota }] as const);
  const kept = reservations.map((one) => ({ ...RESERVED, ...one }));
  const known = { workers, holdings, quotas: new Map(limits), reservations: kept };
  return explain(task, sceneOf(known, NOW), { ahead, now: NOW, reader });
};

describe('a waiting task', () => {
  it('knows the best worker and what is free there', () => {
    const told = ask({ resources: amounts({ cpuMillis: 4000 }) }, [worker('worker-1'), worker('worker-2')], {
      holdings: [holding('worker-1', { cpuMillis: 4000 }), holding('worker-2', { cpuMillis: 2500 })],
      ahead: 2,
    });
    expect(told).toMatchObject({ position: 3, feasible: true, fitsNow: false });
    expect(told.summary).toBe(
      'Waits: needs 4 cores, the best worker (worker-2) has 1.5 free of 4. With 1.5 cores it could start now on worker-2.',
    );
    expect(told.workers.map(({ missing }) => missing)).toEqual([
      [{ dimension: 'cpuMillis', required: 4000, available: 0, missing: 4000 }],
      [{ dimension: 'cpuMillis', required: 4000, available: 1500, missing: 2500 }],
    ]);
  });

  it('names every dimension that is short', () => {
    const told = ask({ resources: amounts({ cpuMillis: 3000, memoryMb: 1000, gpus: 1 }) }, [
      worker('worker-1', { cpuMillis: 2000, memoryMb: 900 }),
    ]);
    expect(told).toMatchObject({ feasible: false, fitsNow: false, suggestion: null });
    expect(told.summary).toBe(
      'No worker of the cluster is large enough: needs 3 cores, 1000 MB memory and 1 GPU, the largest (worker-1) ' +
        'has 2 cores, 900 MB memory and 0 GPUs; it will start when such a worker joins.',
    );
  });

  it('too large for the cluster says by how much, and what would do', () => {
    const told = ask({ resources: amounts({ memoryMb: 65_536 }) }, [worker('worker-1')]);
    expect(told.feasible).toBe(false);
    expect(told.summary).toBe(
      'No worker of the cluster is large enough: needs 64 GB memory, the largest (worker-1) has 16 GB; it will ' +
        'start when such a worker joins. With 16 GB memory it could start now on worker-1.',
    );
  });

  it('in a cluster without workers', () => {
    expect(ask({}, [])).toMatchObject({
      summary: 'Waits: no workers have joined yet.',
      feasible: false,
      fitsNow: false,
    });
  });

  it('that fits is next, or has others before it', () => {
    expect(ask({}, [worker('worker-1')])).toMatchObject({
      summary: 'Next in line: it fits on worker-1 and is about to be placed.',
      fitsNow: true,
      position: 1,
    });
    expect(ask({}, [worker('worker-1')], { ahead: 7 }).summary).toBe(
      'In line: it fits on worker-1 now, and 7 tasks go before it.',
    );
  });

  it('in back-off says for how long and why', () => {
    const told = ask({}, [worker('worker-1')], {
      over: {
        notBefore: NOW + 11_500,
        attempt: 2,
        message: 'attempt 1 failed (exited with 3); it is tried again',
      },
    });
    expect(told).toMatchObject({ fitsNow: false, feasible: true });
    expect(told.summary).toBe(
      'Waits 12 s before attempt 2: attempt 1 failed (exited with 3); it is tried again.',
    );
  });
});

describe('a task that may wait for so long', () => {
  it('says until when, and that it is over', () => {
    const over = { queuedAt: NOW - 10_000 };
    const limited = (queueTimeoutSeconds: number) =>
      ask({ queueTimeoutSeconds }, [worker('worker-1')], { over }).summary;
    const placed = 'Next in line: it fits on worker-1 and is about to be placed.';
    expect(limited(0)).toBe(placed);
    expect(limited(40)).toBe(`${placed} It is given up in 30 s unless it is placed before.`);
    expect(limited(9)).toBe(`${placed} It has waited for as long as it may, and is given up.`);
  });
});

describe('direct assignment', () => {
  it('to a worker that is not there', () => {
    const told = ask({ worker: 'worker-9' }, [worker('worker-1')]);
    expect(told).toMatchObject({ feasible: false, fitsNow: false });
    expect(told.summary).toBe(
      'Waits for worker-9, the only worker it may run on, which is not part of the cluster. ' +
        'It could start now on worker-1 if it were not tied to worker-9.',
    );
    expect(told.workers[0]).toMatchObject({
      excludedBy: 'other_worker_requested',
      fitsWhenEmpty: true,
      fitsNow: false,
    });
  });
  it('to a worker that takes nothing', () => {
    const down = worker('worker-1', {}, { liveness: 'down' });
    expect(ask({ worker: 'worker-1' }, [down]).summary).toBe(
      'Waits for worker-1, the only worker it may run on, which is down.',
    );
  });
  it('to a worker that is busy or too small', () => {
    const holdings = [holding('worker-1', { cpuMillis: 3500 })];
    expect(ask({ worker: 'worker-1' }, [worker('worker-1')], { holdings }).summary).toBe(
      'Waits: needs 1 core, worker-1, the only worker it may run on, has 0.5 free of 4. ' +
        'With 0.5 cores it could start now on worker-1.',
    );
    expect(ask({ worker: 'worker-1', resources: amounts({ gpus: 2 }) }, [worker('worker-1')]).summary).toBe(
      'worker-1, the only worker it may run on, is not large enough: needs 2 GPUs, it has 0.',
    );
  });
});

describe('workers that take nothing new', () => {
  it('are named with their state', () => {
    const told = ask({}, [
      worker('worker-1', {}, { maintenance: 'cordoned' }),
      worker('worker-2', {}, { liveness: 'down' }),
      worker('worker-3', { cpuMillis: 500 }),
    ]);
    expect(told).toMatchObject({ feasible: true, fitsNow: false });
    expect(told.workers.map(({ excludedBy }) => excludedBy)).toEqual(['cordoned', 'down', null]);
    expect(told.summary).toBe(
      'Waits: no worker that is large enough is ready (worker-1 is cordoned and worker-2 is down). ' +
        'It could start now on worker-1 if that were uncordoned.',
    );
  });
});

describe('labels', () => {
  const ssd = { constraints: { disk: ['ssd', 'nvme'] } };
  it('that nobody has: says what the nearest has instead, and what would do', () => {
    const told = ask(ssd, [worker('worker-1', {}, { labels: { disk: 'hdd' } }), worker('worker-2')]);
    expect(told).toMatchObject({ reason: 'labels_missing', feasible: false, fitsNow: false });
    expect(told.summary).toBe(
      'No worker of the cluster has the labels it needs (disk=nvme|ssd): the nearest (worker-1) has disk=hdd; it will ' +
        'start when such a worker joins. It could start now on worker-1 if it did not need disk=nvme|ssd.',
    );
    expect(told.workers.map(({ excludedBy, unmet }) => [excludedBy, unmet])).toEqual([
      ['labels', ssd.constraints],
      ['labels', ssd.constraints],
    ]);
  });

  it('that only a full, a small or a closed worker has', () => {
    const has = { labels: { disk: 'ssd' } };
    const other = worker('worker-2');
    const full = [holding('worker-1', { cpuMillis: 3500 })];
    expect(ask(ssd, [worker('worker-1', {}, has), other], { holdings: full })).toMatchObject({
      reason: 'no_room',
      summary:
        'Waits: needs 1 core, the best worker with disk=nvme|ssd (worker-1) has 0.5 free of 4. ' +
        'It could start now on worker-2 if it did not need disk=nvme|ssd.',
    });
    expect(ask(ssd, [worker('worker-1', { cpuMillis: 500 }, has), other])).toMatchObject({
      reason: 'never',
      feasible: false,
      summary: expect.stringContaining(
        'No worker with disk=nvme|ssd is large enough: needs 1 core, the largest (worker-1) has 0.5',
      ),
    });
    const closed = worker('worker-1', {}, { ...has, maintenance: 'draining' });
    expect(ask(ssd, [closed, other])).toMatchObject({
      reason: 'not_ready',
      feasible: true,
      summary: expect.stringContaining('no worker with disk=nvme|ssd is ready (worker-1 is draining)'),
    });
  });

  it('of the only worker it may run on', () => {
    expect(ask({ ...ssd, worker: 'worker-1' }, [worker('worker-1')]).summary).toBe(
      'worker-1, the only worker it may run on, does not have the labels it needs (disk=nvme|ssd): it has no disk. ' +
        'It could start now on worker-1 if it did not need disk=nvme|ssd.',
    );
  });
});

describe('a quota', () => {
  const holdings = [1, 2, 3].map((n) => ({ ...holding('worker-1', { cpuMillis: 1000 }), taskId: `t${n}` }));
  const quotas = { 'user-1': { cpuMillis: 3000 } };

  it('that is used up says what is held and when that ends', () => {
    const told = ask({}, [worker('worker-1')], { holdings, quotas });
    expect(told).toMatchObject({ reason: 'quota_used', feasible: true, fitsNow: false });
    expect(told.summary).toBe(
      'Waits: needs 1 core, and you hold 3 of your 3 cores; it starts when one of your 3 running tasks ends. ' +
        'With a quota of 4 cores it could start now on worker-1.',
    );
    expect(told.quota).toMatchObject({ tasks: 3, missing: [{ dimension: 'cpuMillis', missing: 1000 }] });
    // There is room: it is not the worker's fault.
    expect(told.workers[0]).toMatchObject({ fitsNow: true, excludedBy: null });
  });

  it('of somebody else is told as such, and when more than one must end', () => {
    const large = { resources: amounts({ cpuMillis: 2000 }) };
    expect(ask(large, [worker('worker-1')], { holdings, quotas, reader: 'root' }).summary).toBe(
      'Waits: needs 2 cores, and its owner holds 3 of the 3 cores of the quota; it may start when enough of the ' +
        'owner’s 3 running tasks have ended. No worker has room for it now either.',
    );
  });

  it('that is smaller than the task in all says so plainly', () => {
    const told = ask({ resources: amounts({ cpuMillis: 3500 }) }, [worker('worker-1')], { quotas });
    expect(told).toMatchObject({ reason: 'over_quota', feasible: false });
    expect(told.summary).toBe(
      'It is larger than your quota in all: needs 3.5 cores, allowed are 3; it cannot start unless the quota grows. ' +
        'With a quota of 3.5 cores it could start now on worker-1.',
    );
  });

  it('suggests a smaller task where a larger quota alone would not do', () => {
    const told = ask({ resources: amounts({ cpuMillis: 9000 }) }, [worker('worker-1')], { quotas });
    expect(told.suggestion).toBe('With 3 cores it could start now on worker-1.');
  });
});

describe('a worker that is kept free', () => {
  const half = [holding('worker-1', { cpuMillis: 2000 })];
  it('for others is not said to be where it is about to be placed', () => {
    const told = ask({}, [worker('worker-1')], { reservations: [{}] });
    expect(told).toMatchObject({ reason: 'no_room', fitsNow: false, feasible: true });
    expect(told.summary).toBe(
      'Waits: worker-1 has room, but is kept free for a task that has waited longer.',
    );
    expect(told.workers[0]).toMatchObject({ excludedBy: 'reserved', fitsNow: false });
    expect(ask({}, [worker('worker-1')], { reservations: [{ until: NOW }] })).toMatchObject({
      reason: 'next',
    });
  });

  it('for this task is named, and what leaves it', () => {
    const large = { resources: amounts({ cpuMillis: 4000 }) };
    const line = { ...makeTask(large).spec, ownerId: 'user-1' };
    const own = { groupKey: groupKey({ ...line, labels: line }), taskId: TASK };
    const told = ask(large, [worker('worker-1')], { holdings: half, reservations: [own] });
    expect(told).toMatchObject({ reason: 'reserved', reservedWorker: 'worker-1' });
    expect(told.summary).toContain('worker-1 is being kept free for it.');
    const holdings = half.map((one) => ({ ...one, isLeaving: true }));
    const making = ask(large, [worker('worker-1')], { holdings, reservations: [own] });
    expect(making.reason).toBe('preempting');
    expect(making.summary).toContain(
      'worker-1 is being made free for it: 1 task there has been told to leave.',
    );
    // Another one of the same line waits behind that.
    const next = { reservations: [{ ...own, taskId: 'task-0' }], holdings: half };
    expect(ask(large, [worker('worker-1')], next)).toMatchObject({ reason: 'no_room', reservedWorker: null });
    // Once there is room it goes there, and nobody else of another line.
    expect(ask(large, [worker('worker-1')], { reservations: [own] })).toMatchObject({ fitsNow: true });
  });
});

describe('a task that does not wait', () => {
  it.each<[Partial<Task>, string]>([
    [{ state: 'assigned', workerId: 'w1' }, 'Given to w1 (attempt 1), which prepares to start it.'],
    [{ state: 'running', workerId: 'w1', attempt: 2 }, 'Runs on w1 (attempt 2).'],
    [
      { state: 'running', workerId: 'w1', cancel: { requestedAt: 1, requestedBy: 'alice', force: false } },
      'Is being cancelled on w1: it ends once its container is gone.',
    ],
    [{ state: 'completed', workerId: 'w1' }, 'Completed on w1.'],
    [{ state: 'failed', workerId: 'w1', message: 'exited with 3' }, 'Failed on w1: exited with 3.'],
    [{ state: 'cancelled', message: 'cancelled by alice' }, 'Was cancelled: cancelled by alice.'],
  ])('%j', (over, summary) => {
    const told = ask({}, [worker('w1')], { over });
    expect(told).toEqual({
      summary,
      reason: null,
      suggestion: null,
      position: null,
      feasible: null,
      fitsNow: null,
      quota: null,
      reservedWorker: null,
      workers: [],
    });
  });
});
