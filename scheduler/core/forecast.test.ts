import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meetsTerms } from '../../shared/model/labels.ts';
import {
  addResources,
  fits,
  NO_RESOURCES,
  type Resources,
  sumResources,
} from '../../shared/model/resources.ts';
import { DEFAULT_RULES } from '../../shared/model/scheduling.ts';
import { amounts, cluster, demand, ids, owners, quotas } from '../../test/support/generated-clusters.ts';
import { PLAIN_WAITING, PLAIN_WORKER } from '../../test/support/waiting.ts';
import { groupKey } from './backlog.ts';
import { allows } from './fair-share.ts';
import {
  type ForecastScene,
  forecast,
  type Running,
  restOf,
  type Span,
  type StartEstimate,
  type Waiting,
} from './forecast.ts';
import { NO_MEMORY, type OwnerView, type WorkerView } from './snapshot.ts';

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
  resources: cores(4),
  queuedAt: NOW,
  run: span(10),
  ...over,
});
const running = (workerId: string, minutes: number, n = 4): Running => ({
  ownerId: PLAIN_WAITING.ownerId,
  workerId,
  resources: cores(n),
  rest: span(minutes),
});
const forecastAtOnce = (of: Partial<ForecastScene>, now: number) => {
  const bare = { workers: [], running: [], queue: [], owners: new Map(), rules: DEFAULT_RULES };
  const steps = forecast({ ...bare, memory: NO_MEMORY, ...of }, now);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
};
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

describe('a quota', () => {
  const quota = { cpuMillis: 4000, memoryMb: null, gpus: null };
  const scene = (queue: Waiting[], held: Running[], workers: WorkerView[]) => {
    const owner: OwnerView = {
      quota,
      held: held.reduce((sum, { resources }) => addResources(sum, resources), NO_RESOURCES),
    };
    return { workers, running: held, queue, owners: new Map([[PLAIN_WAITING.ownerId, owner]]) };
  };

  it('lets a task start, on whichever worker has room, when one of its owner ends', () => {
    const queue = [waiting(), waiting()];
    const told = forecastAtOnce(
      scene(queue, [running('w1', 6)], [worker('w1', 0), worker('w2', 4), worker('w3', 4)]),
      NOW,
    );
    expect(queue.map(({ id }) => inMinutes(told.get(id))?.[1])).toEqual([6, 16]);
  });

  it('that is too small for the task in all lets it never start, and holds nobody else up', () => {
    const [large, other] = [
      waiting({ resources: cores(5) }),
      waiting({ ownerId: 'user-2', resources: cores(4) }),
    ];
    const told = forecastAtOnce(
      scene([large, other], [], [worker('w1', 8, { capacity: { ...cores(8), memoryMb: 8192 } })]),
      NOW,
    );
    expect(told.has(large.id)).toBe(false);
    expect(inMinutes(told.get(other.id))).toEqual([0, 0, 0]);
  });
});

describe('the order of lines', () => {
  const started = (queue: Waiting[], over: Partial<ForecastScene> = {}) => {
    const told = forecastAtOnce(
      { workers: [worker('w1', 0)], running: [running('w1', 5)], queue, ...over },
      NOW,
    );
    return [...queue]
      .sort((a, b) => (told.get(a.id)?.at ?? 0) - (told.get(b.id)?.at ?? 0))
      .map(({ id }) => id);
  };

  it('gives owners their turns by what they hold', () => {
    const [a1, a2, b1] = [waiting(), waiting(), waiting({ ownerId: 'user-2' })];
    const two = {
      workers: [worker('w1', 0), worker('w2', 0)],
      running: [running('w1', 5), running('w2', 7)],
      owners: new Map([[PLAIN_WAITING.ownerId, { quota: null, held: cores(8) }]]),
    };
    // When the first of them ends, its owner still holds the other.
    expect(started([a1, a2, b1], two)).toEqual([b1.id, a1.id, a2.id]);
  });

  it('lets who has been passed over for long go before a higher priority', () => {
    const old = waiting({ priority: 4, queuedAt: NOW - 25 * MINUTE });
    const fresh = waiting({ priority: 5 });
    const rules = { ...DEFAULT_RULES, reserveAfterMs: 60 * MINUTE };
    expect(started([fresh, old], { rules })).toEqual([old.id, fresh.id]);
    expect(started([fresh, old], { rules: { ...rules, ageingMs: 60 * MINUTE } })).toEqual([fresh.id, old.id]);
  });

  it('keeps to what the leader has reserved', () => {
    const [large, small] = [waiting({ ownerId: 'user-2' }), waiting({ resources: cores(1) })];
    const reservation = {
      workerId: 'w1',
      groupKey: groupKey(large),
      taskId: large.id,
      since: NOW - MINUTE,
      until: NOW + 9 * MINUTE,
      tried: [],
    };
    const half = { workers: [worker('w1', 2)], running: [running('w1', 5, 2)], queue: [large, small] };
    const free = forecastAtOnce(half, NOW);
    expect(inMinutes(free.get(small.id))?.[1]).toBe(0);
    const kept = forecastAtOnce({ ...half, memory: { recent: [], reservations: [reservation] } }, NOW);
    expect(inMinutes(kept.get(large.id))?.[1]).toBe(5);
    expect(inMinutes(kept.get(small.id))?.[1]).toBe(15);
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
      ownerId: fc.constantFrom(...owners),
      labels: demand,
    }),
    { maxLength: 12 },
  );
  const holders = fc.array(fc.constantFrom(...owners), { minLength: ids.length, maxLength: ids.length });
  const scenes = fc.record({ workers: cluster, tasks, holders, quotas }).map((all) => {
    const { workers, tasks: wanted } = all;
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
        ownerId: all.holders[n] as string,
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
    const accounts = owners.map((id): [string, OwnerView] => {
      const mine = held.filter(({ ownerId }) => ownerId === id).map(({ resources }) => resources);
      return [id, { held: sumResources(mine), quota: all.quotas.get(id) ?? null }];
    });
    return { workers, running: held, queue, owners: new Map(accounts) };
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
          const key = `${groupKey(task)} ${task.notBefore}`;
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

  it('tells of exactly those that an open worker with their labels is large enough for, and their quota', () => {
    fc.assert(
      fc.property(scenes, (scene) => {
        const told = forecastAtOnce(scene, NOW);
        for (const { id, ownerId, resources, worker: target, labels } of scene.queue) {
          const quota = scene.owners.get(ownerId)?.quota ?? null;
          const able =
            allows(quota, NO_RESOURCES, resources) &&
            scene.workers.some(
              (one) =>
                one.state === 'ready' &&
                (target === null || target === one.id) &&
                meetsTerms(labels.constraints, one.labels) &&
                fits(resources, one.capacity),
            );
          expect(told.has(id)).toBe(able);
        }
      }),
      { numRuns: 100 },
    );
  });
});
