import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import type { PlacedTask } from '../../data/placed-tasks.ts';
import { segmentsOf, toneOf } from './allocation.ts';

const worker = (cpu: number, held: number, running = 2) =>
  ({
    worker_id: 'w-1',
    capacity: { cpu, memory: 1_024, gpu: 0, storage: 0 },
    reserved: { cpu: held, memory: 512, gpu: 0, storage: 0 },
    tasks: { assigned: 0, running },
  }) as WorkerBody;
const task = (id: number, cpu: number, status: PlacedTask['status'] = 'running') =>
  ({ task_id: `task-${id}`, name: `t${id}`, status, cpu_required: cpu, memory_required: 256 }) as PlacedTask;

describe('the allocation of a worker', () => {
  it('has a segment for each task, which leads to it, and one for what is free', () => {
    const found = segmentsOf(worker(4, 1.5), [task(1, 1), task(2, 0.5, 'assigned')], 'cpu', 12);
    expect(found.map(({ kind, label, amount }) => [kind, label, amount])).toEqual([
      ['task', 't1', 1],
      ['task', 't2', 0.5],
      ['free', 'free', 2.5],
    ]);
    expect(found[0]).toMatchObject({ href: '/tasks/task-1', isStarting: false });
    expect(found[1]).toMatchObject({ isStarting: true });
  });

  it('counts memory when asked to, and has nothing free when all is held', () => {
    const found = segmentsOf(worker(4, 1.5), [task(1, 1), task(2, 0.5)], 'memory', 12);
    expect(found.map(({ amount }) => amount)).toEqual([256, 256, 512]);
    expect(segmentsOf(worker(2, 2), [task(1, 2)], 'cpu', 12).map(({ kind }) => kind)).toEqual(['task']);
  });

  it('shows what others hold, without their names', () => {
    const found = segmentsOf(worker(4, 3), [task(1, 1)], 'cpu', 12);
    expect(found[1]).toMatchObject({ kind: 'others', label: '1 task of others', amount: 2, href: null });
  });

  it('takes the smallest together when there are too many', () => {
    const tasks = [task(1, 0.1), task(2, 1), task(3, 0.2), task(4, 0.5)];
    const found = segmentsOf(worker(4, 1.8, 4), tasks, 'cpu', 3);
    expect(found.map(({ label }) => label)).toEqual(['t2', 't4', '2 more tasks', 'free']);
    expect(found[2]).toMatchObject({ href: '/cluster/w-1' });
  });

  it('always adds up to the worker, as long as it is not held too much', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 40 });
    fc.assert(
      fc.property(
        sizes,
        fc.integer({ min: 2, max: 12 }),
        fc.integer({ min: 0, max: 9 }),
        (cores, most, more) => {
          const listed = cores.reduce((sum, one) => sum + one, 0);
          const tasks = cores.map((cpu, id) => task(id, cpu));
          const found = segmentsOf(worker(listed + more + 5, listed + more), tasks, 'cpu', most);
          expect(found.reduce((sum, { amount }) => sum + amount, 0)).toBe(listed + more + 5);
          expect(found.filter(({ kind }) => kind === 'task' || kind === 'more').length).toBeLessThanOrEqual(
            most,
          );
        },
      ),
    );
  });

  it('gives a task the same tone always', () => {
    expect(toneOf('task-01m8')).toBe(toneOf('task-01m8'));
    expect(new Set(Array.from({ length: 60 }, (_, id) => toneOf(`task-${id}`))).size).toBe(6);
  });
});
