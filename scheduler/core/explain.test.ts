import { describe, expect, it } from 'vitest';
import type { Resources } from '../../shared/model/resources.ts';
import type { Task, TaskSpec } from '../../shared/model/task.ts';
import type { Worker } from '../../shared/model/worker.ts';
import { makeRegistration, makeTask } from '../../test/support/tasks.ts';
import { PLAIN_HOLDING } from '../../test/support/waiting.ts';
import { explain } from './explain.ts';
import type { Holding } from './snapshot.ts';

const NOW = 1_700_000_100_000;
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
  { holdings = [] as Holding[], ahead = 0, over = {} as Partial<Task> } = {},
) => explain(makeTask(spec, over), workers, holdings, ahead, NOW);

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
      'Waits 12 s before attempt 2 (attempt 1 failed (exited with 3); it is tried again).',
    );
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
      suggestion: null,
      position: null,
      feasible: null,
      fitsNow: null,
      workers: [],
    });
  });
});
