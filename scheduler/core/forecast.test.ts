import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fits, type Resources } from '../../shared/model/resources.ts';
import { amounts, cluster, ids } from '../../test/support/generated-clusters.ts';
import { PLAIN_WAITING, PLAIN_WORKER } from '../../test/support/waiting.ts';
import {
  forecastAtOnce,
  type Running,
  restOf,
  type Span,
  type StartEstimate,
  type Waiting,
} from './forecast.ts';
import type { WorkerView } from './snapshot.ts';

const NOW = 1_700_000_000_000;
const MINUTE = 60_000;
const span = (minutes: number): Span => ({
  lowerMs: (minutes * MINUTE) / 2,
  medianMs: minutes * MINUTE,
  upperMs: minutes * 2 * MINUTE,
});
const cores = (n: number, gpus = 0): Resources => ({
  cpuMillis: n * 1000,
  memoryMb: 128,
  gpus,
  storageMb: 0,
});
const worker = (id: string, free: number, over: Partial<WorkerView> = {}): WorkerView => ({
  id,
  ...PLAIN_WORKER,
  state: 'ready',
  capacity: { ...cores(4), memoryMb: 8192 },
  free: { ...cores(free), memoryMb: 8192 },
  ...over,
});
let number = 0;
const waiting = (over: Partial<Waiting> = {}): Waiting => ({
  id: `task-${String(++number).padStart(6, '0')}`,
  ...PLAIN_WAITING,
  priority: 5,
  resources: cores(4),
  worker: null,
  notBefore: 0,
  queuedAt: NOW,
  run: span(10),
  ...over,
});
const running = (workerId: string, minutes: number, n = 4): Running => ({
  workerId,
  resources: cores(n),
  rest: span(minutes),
});
const inMinutes = (of: StartEstimate | undefined) =>
  of && [of.earliest, of.at, of.latest].map((at) => (at - NOW) / MINUTE);

describe('a forecast', () => {
  it('says now for what fits now', () => {
    const task = waiting();
    const told = forecastAtOnce({ workers: [worker('w1', 4)], running: [], queue: [task] }, NOW);
    expect(inMinutes(told.get(task.id))).toEqual([0, 0, 0]);
  });

  it('goes on from when what runs should end, one after the other', () => {
    const queue = [waiting(), waiting()];
    const told = forecastAtOnce({ workers: [worker('w1', 0)], running: [running('w1', 6)], queue }, NOW);
    expect(queue.map(({ id }) => inMinutes(told.get(id)))).toEqual([
      [3, 6, 12],
      [8, 16, 32],
    ]);
  });

  it('lets what fits pass what does not, and takes the worker that is free first', () => {
    const [large, small] = [waiting(), waiting({ resources: cores(1) })];
    const workers = [worker('w1', 0), worker('w2', 0)];
    const held = [running('w1', 0.9), running('w2', 0.5, 1), running('w2', 30, 3)];
    const told = forecastAtOnce({ workers, running: held, queue: [large, small] }, NOW);
    expect(inMinutes(told.get(small.id))?.[1]).toBe(0.5);
    expect(inMinutes(told.get(large.id))?.[1]).toBe(0.9);
  });

  it('keeps a worker for what has waited long, so that small tasks do not take its room for ever', () => {
    const large = waiting({ queuedAt: NOW - 2 * MINUTE });
    const small = Array.from({ length: 30 }, () => waiting({ resources: cores(1), run: span(5) }));
    const held = [1, 2, 3, 4].map((minutes) => running('w1', minutes, 1));
    const told = forecastAtOnce({ workers: [worker('w1', 0)], running: held, queue: [large, ...small] }, NOW);
    expect(inMinutes(told.get(large.id))?.[1]).toBe(4);
    expect(inMinutes(told.get((small[0] as Waiting).id))?.[1]).toBe(14);
  });

  it('starts a retry when its delay is over, not before', () => {
    const task = waiting({ notBefore: NOW + 3 * MINUTE });
    const told = forecastAtOnce({ workers: [worker('w1', 4)], running: [], queue: [task] }, NOW);
    expect(inMinutes(told.get(task.id))).toEqual([3, 3, 3]);
  });

  it('says nothing of an empty cluster, of closed workers, of what is too large and of missing workers', () => {
    const task = waiting();
    expect(forecastAtOnce({ workers: [], running: [], queue: [task] }, NOW).size).toBe(0);
    const queue = [task, waiting({ resources: cores(9) }), waiting({ worker: 'w9' })];
    const workers = [worker('w1', 4, { state: 'draining' })];
    expect(forecastAtOnce({ workers, running: [], queue }, NOW).size).toBe(0);
  });

  it('says nothing of what would start after a month', () => {
    const queue = [waiting({ run: span(20 * 24 * 60) }), waiting({ run: span(20 * 24 * 60) }), waiting()];
    const told = forecastAtOnce({ workers: [worker('w1', 4)], running: [], queue }, NOW);
    expect([...told.keys()]).toEqual([queue[0]?.id]);
  });

  it('takes a run that outlived its kind to need a part of its time again', () => {
    expect(restOf(span(10), 4 * MINUTE)).toEqual({
      lowerMs: MINUTE,
      medianMs: 6 * MINUTE,
      upperMs: 16 * MINUTE,
    });
    expect(restOf(span(10), 40 * MINUTE)).toEqual({
      lowerMs: 0,
      medianMs: 10 * MINUTE,
      upperMs: 40 * MINUTE,
    });
  });
});

describe('every forecast', () => {
  const tasks = fc.array(
    fc.record({
      priority: fc.constantFrom(3, 5),
      resources: amounts,
      worker: fc.constantFrom(null, null, null, ...ids),
      delayed: fc.constantFrom(0, 0, 0, 2),
      waits: fc.integer({ min: 0, max: 3 }),
      minutes: fc.integer({ min: 1, max: 9 }),
    }),
    { maxLength: 12 },
  );
  const scenes = fc.record({ workers: cluster, tasks }).map(({ workers, tasks: wanted }) => {
    const queue = wanted
      .map(({ delayed, waits, minutes, ...task }, n) =>
        waiting({
          ...task,
          id: `task-${String(n).padStart(3, '0')}`,
          notBefore: delayed === 0 ? 0 : NOW + delayed * MINUTE,
          queuedAt: NOW - waits * MINUTE,
          run: span(minutes),
        }),
      )
      .sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
    const held = workers.map(
      ({ id, capacity, free }, n): Running => ({
        workerId: id,
        resources: {
          cpuMillis: capacity.cpuMillis - free.cpuMillis,
          memoryMb: capacity.memoryMb - free.memoryMb,
          gpus: capacity.gpus - free.gpus,
          storageMb: capacity.storageMb - free.storageMb,
        },
        rest: span(n + 1),
      }),
    );
    return { workers, running: held, queue };
  });

  it('holds its band together, and nothing starts in the past or before its delay is over', () => {
    fc.assert(
      fc.property(scenes, (scene) => {
        const told = forecastAtOnce(scene, NOW);
        for (const { id, notBefore } of scene.queue) {
          const one = told.get(id);
          if (!one) continue;
          expect(one.earliest).toBeLessThanOrEqual(one.at);
          expect(one.at).toBeLessThanOrEqual(one.latest);
          expect(one.earliest).toBeGreaterThanOrEqual(Math.max(NOW, notBefore));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('lets tasks that are alike start in their order', () => {
    fc.assert(
      fc.property(scenes, (scene) => {
        const told = forecastAtOnce(scene, NOW);
        const alike = new Map<string, Waiting[]>();
        for (const task of scene.queue) {
          const { notBefore, priority, resources, worker: target } = task;
          const key = JSON.stringify([notBefore, priority, resources, target]);
          alike.set(key, [...(alike.get(key) ?? []), task]);
        }
        for (const line of alike.values()) {
          const starts = line.map(({ id }) => told.get(id));
          for (const [n, one] of starts.entries()) {
            const next = starts[n + 1];
            if (!one || !next) continue;
            expect(one.at).toBeLessThanOrEqual(next.at);
            expect(one.earliest).toBeLessThanOrEqual(next.earliest);
            expect(one.latest).toBeLessThanOrEqual(next.latest);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('tells of exactly those that an open worker is large enough for', () => {
    fc.assert(
      fc.property(scenes, (scene) => {
        const told = forecastAtOnce(scene, NOW);
        for (const { id, resources, worker: target } of scene.queue) {
          const able = scene.workers.some(
            (one) =>
              one.state === 'ready' &&
              (target === null || target === one.id) &&
              fits(resources, one.capacity),
          );
          expect(told.has(id)).toBe(able);
        }
      }),
      { numRuns: 100 },
    );
  });
});
