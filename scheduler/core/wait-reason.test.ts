import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_DEMAND } from '../../shared/model/labels.ts';
import { fits, shortfalls } from '../../shared/model/resources.ts';
import { amounts, cluster, demand, ids } from '../../test/support/generated-clusters.ts';
import { distance, distanceTo, judge } from './fit.ts';
import type { Scene } from './scene.ts';
import { prospectOf, waitOf } from './wait-reason.ts';

const target = fc.constantFrom(null, null, ...ids);
const waiter = { id: 'task-1', attempt: 1, message: null, notBefore: 0 };
const sceneOf = (workers: Scene['workers']): Scene => ({
  workers,
  owners: new Map(),
  kept: new Map(),
  leaving: new Map(),
});

describe('the reason of a wait', () => {
  it('is what the rule of placing says of each worker', () => {
    fc.assert(
      fc.property(amounts, target, demand, cluster, (need, wanted, labels, workers) => {
        const asked = { need, worker: wanted, labels, ownerId: 'user-1', priority: 5 };
        const verdicts = workers.map((worker) => judge(asked, worker));
        const { code } = prospectOf(asked, sceneOf(workers), 'user-1');
        const allowed = verdicts.filter(({ excludedBy }) => excludedBy !== 'other_worker_requested');
        const matching = allowed.filter(
          ({ excludedBy }) => excludedBy !== 'labels' && excludedBy !== 'mounts',
        );
        const large = matching.filter(({ fitsWhenEmpty }) => fitsWhenEmpty);
        const expected = verdicts.some(({ fitsNow }) => fitsNow)
          ? 'fits'
          : workers.length === 0 && wanted === null
            ? 'no_workers'
            : allowed.length === 0
              ? 'worker_missing'
              : matching.length === 0
                ? allowed.some(({ excludedBy }) => excludedBy === 'mounts')
                  ? 'mounts_missing'
                  : 'labels_missing'
                : large.length === 0
                  ? 'never'
                  : large.every(({ excludedBy }) => excludedBy !== null)
                    ? 'not_ready'
                    : 'no_room';
        expect(code).toBe(expected);
      }),
    );
  });

  it('of what fits depends on how many go before', () => {
    const prospect = { code: 'fits', workerId: 'w1' } as const;
    expect(waitOf(waiter, prospect, 0, 5).reason).toBe('next');
    expect(waitOf(waiter, prospect, 1, 5)).toEqual({
      reason: 'behind',
      summary: 'In line: it fits on w1 now, and 1 task goes before it.',
    });
  });

  it('is the delay before a retry as long as that lasts', () => {
    const prospect = { code: 'fits', workerId: 'w1' } as const;
    const again = { ...waiter, attempt: 2, message: 'exit code 1', notBefore: 5_000 };
    expect(waitOf(again, prospect, 0, 2_000)).toEqual({
      reason: 'retry_delay',
      summary: 'Waits 3 s before attempt 2: exit code 1.',
    });
    expect(waitOf(again, prospect, 0, 5_000).reason).toBe('next');
  });

  it('is that of its line, but for whom a worker is kept', () => {
    const need = { cpuMillis: 1000, memoryMb: 0, gpus: 0, storageMb: 0 };
    const asked = { need, worker: 'gone', labels: NO_DEMAND, ownerId: 'user-1', priority: 5 };
    const prospect = prospectOf(asked, sceneOf([]), 'user-1');
    expect(prospect.code).toBe('worker_missing');
    const making = { workerId: 'w1', taskId: 'task-1', leaving: 2 };
    const lack = { code: 'no_room', sentence: 'Waits.', making } as const;
    expect(waitOf(waiter, lack, 0, 5)).toEqual({
      reason: 'preempting',
      summary: 'Waits. w1 is being made free for it: 2 tasks there have been told to leave.',
    });
    expect(waitOf({ ...waiter, id: 'task-2' }, lack, 1, 5)).toEqual({ reason: 'no_room', summary: 'Waits.' });
  });

  it('measures distances like shortfalls do', () => {
    fc.assert(
      fc.property(amounts, amounts, (need, room) => {
        expect(distanceTo(need, room)).toBeCloseTo(distance(shortfalls(need, room)), 9);
        expect(distanceTo(need, room) === 0).toBe(fits(need, room));
      }),
    );
  });
});
