import { describe, expect, it } from 'vitest';
import { DEFAULT_RULES } from '../../shared/model/scheduling.ts';
import { PLAIN_HOLDING, PLAIN_WAITING, PLAIN_WORKER } from '../../test/support/waiting.ts';
import { Backlog } from './backlog.ts';
import { placeAll } from './passes.ts';
import type { WaitingTask, WorkerView } from './snapshot.ts';

const NOW = 1_000_000_000;
const cores = (n: number) => ({ cpuMillis: n * 1000, memoryMb: 0, gpus: 0, storageMb: 0 });
const waits = (id: string, over: Partial<WaitingTask>): WaitingTask => ({
  ...PLAIN_WAITING,
  ...{ id, resources: cores(2), queuedAt: NOW },
  ...over,
});
const worker = (id: string, free: number): WorkerView => ({
  ...PLAIN_WORKER,
  ...{ id, state: 'ready', capacity: cores(2), free: cores(free) },
});

describe('passes one after the other', () => {
  it('tell a task once to leave, although its place is not free in the next', () => {
    const [kept, high] = [waits('t1', { priority: 1 }), waits('t2', { ownerId: 'eve', priority: 9 })];
    const backlog = new Backlog();
    for (const task of [kept, high]) backlog.put(task, NOW);
    const line = [...backlog.groups()].find(({ priority }) => priority === 1);
    const reservation = {
      workerId: 'w1',
      groupKey: line?.key ?? '',
      taskId: 't1',
      since: NOW,
      until: NOW + 1,
    };
    const low = { ...PLAIN_HOLDING, taskId: 'low', workerId: 'w0', attempt: 1, state: 'running' as const };
    const holdingsOf = (id: string) =>
      id === 'w0' ? [{ ...low, priority: 0, resources: cores(2), assignedAt: NOW }] : [];
    const before = {
      workers: [worker('w0', 0), worker('w1', 2)],
      owners: new Map(),
      holdingsOf,
      rules: { ...DEFAULT_RULES, preemption: true },
      // What ends a reservation may make room for others: another pass follows.
      memory: { recent: [], reservations: [{ ...reservation, tried: [] }] },
    };
    const steps = placeAll(before, backlog, new Map([kept, high].map((task) => [task.id, task])), NOW, 0);
    let passes = 0;
    let step = steps.next();
    for (; !step.done; step = steps.next()) passes += 1;
    expect(passes).toBe(2);
    expect(step.value.placements).toMatchObject([{ taskId: 't1', workerId: 'w1' }]);
    expect(step.value.preemptions).toMatchObject([{ taskId: 'low', forTask: 't2' }]);
  });
});
