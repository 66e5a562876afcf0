// Who gets which worker: labels, quotas, images and policies, as the leader has them from records and boards.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Scheduler } from '../../../scheduler/scheduler.ts';
import { type ClusterEvent, taskChanged } from '../../../shared/model/event.ts';
import type { Resources } from '../../../shared/model/resources.ts';
import type { PolicyName } from '../../../shared/model/scheduling.ts';
import type { Task, TaskSpec } from '../../../shared/model/task.ts';
import { NO_QUOTA, newUser } from '../../../shared/model/user.ts';
import type { EventBus } from '../../../shared/ports/coordination.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { gate } from '../../support/gate.ts';
import { waitFor } from '../../support/wait-for.ts';
import { Bed, leading } from './bed.ts';

const need = (over: Partial<Resources> = {}): Resources => ({
  cpuMillis: 1_000,
  memoryMb: 128,
  gpus: 0,
  storageMb: 0,
  ...over,
});

describe('a leader', () => {
  let bed: Bed;
  let scheduler: Scheduler;
  let imageReads = 0;
  const stay = gate();
  beforeAll(async () => {
    bed = await Bed.open({ workerLeaseSeconds: 20 });
    const run = ({ spec }: Task) => (spec.tag === 'stays' ? stay.opened : Promise.resolve());
    await bed.addWorker('w-a', { run, labels: { disk: 'hdd', zone: 'a' } });
    await bed.addWorker('w-b', {
      run,
      labels: { disk: 'ssd', zone: 'b' },
      mounts: [{ path: '/sets', readOnly: true }],
    });
    await bed.addWorker('w-c', { run, labels: { disk: 'nvme', zone: 'c' } });
    await bed.redis.images.post('w-b', [{ name: 'team/rare:1', sizeBytes: null }], 60_000);
    scheduler = await bed.addScheduler({
      // Of empty workers none is better than another.
      rules: { policy: 'spread' },
      images: (real) => ({
        post: (...all) => real.post(...all),
        all: async (known) => {
          const lists = await real.all(known);
          imageReads += 1;
          return lists;
        },
      }),
    });
    await leading(scheduler);
    await waitFor(() => imageReads > 0, { what: 'the images of the workers' });
  });
  afterAll(() => bed.close());
  afterEach(async () => {
    await waitFor(() => scheduler.status().holding === 0 && scheduler.status().backlog === 0, {
      what: 'an empty cluster',
    });
  });
  const placesOf = async (specs: readonly Partial<TaskSpec>[]): Promise<(string | null)[]> => {
    const tasks = await bed.submit(specs);
    const ids = tasks.map(({ id }) => id);
    const done = new Map((await bed.until(ids, ['completed'])).map((task) => [task.id, task.workerId]));
    return ids.map((id) => done.get(id) ?? null);
  };

  it('gives a task only to workers with the labels it must have', async () => {
    const ssd = { constraints: { disk: ['ssd', 'nvme'] } };
    expect(new Set(await placesOf([ssd, ssd, ssd, ssd]))).toEqual(new Set(['w-b', 'w-c']));
    expect(await placesOf([{ constraints: { disk: ['ssd', 'nvme'], zone: ['c', 'a'] } }])).toEqual(['w-c']);
  });

  it('gives a task only to workers that let be mounted what it mounts', async () => {
    const mounts = (source: string, readOnly: boolean) => ({ mounts: [{ source, target: '/m', readOnly }] });
    const asked = mounts('/sets/images', true);
    expect(await placesOf([asked, asked, asked])).toEqual(['w-b', 'w-b', 'w-b']);
    const [waits] = await bed.submit([mounts('/sets/images', false)]);
    expect(await placesOf([asked])).toEqual(['w-b']);
    expect((await bed.task(waits!.id)).state).toBe('queued');
    const worker = await bed.addWorker('w-open', { mounts: [{ path: '/sets', readOnly: false }] });
    const [done] = await bed.until([waits!.id], ['completed']);
    expect(done?.workerId).toBe('w-open');
    await worker.die();
    await bed.store.workers.remove('w-open');
    await bed.redis.bus.publish({ type: 'worker', workerId: 'w-open' });
  });

  it('lets a task wait until a worker with its labels joins', async () => {
    const [rare] = await bed.submit([{ constraints: { arch: ['riscv'] } }]);
    expect(await placesOf([{}])).toHaveLength(1);
    expect((await bed.task(rare!.id)).state).toBe('queued');
    const worker = await bed.addWorker('w-rare', { labels: { arch: 'riscv' } });
    const [done] = await bed.until([rare!.id], ['completed']);
    expect(done?.workerId).toBe('w-rare');
    await worker.die();
    await bed.store.workers.remove('w-rare');
    await bed.redis.bus.publish({ type: 'worker', workerId: 'w-rare' });
  });

  it('prefers a worker with the labels that are better, and takes another when that is full', async () => {
    const prefer = { prefer: { zone: ['b'] }, resources: need({ cpuMillis: 4_000 }) };
    for (let n = 0; n < 3; n += 1) expect(await placesOf([prefer])).toEqual(['w-b']);
    const [stays] = await bed.submit([{ ...prefer, tag: 'stays' }]);
    await bed.until([stays!.id], ['running']);
    expect(await placesOf([prefer])).not.toEqual(['w-b']);
    stay.open();
  });

  it('gives a task to a worker that has its image when others are as good', async () => {
    for (let n = 0; n < 3; n += 1)
      expect(await placesOf([{ image: 'docker.io/team/rare:1' }])).toEqual(['w-b']);
  });
});

describe('a quota of cores', () => {
  it('holds back what would go over it, and lets go when others have ended or the quota grows', async () => {
    const bed = await Bed.open({ workerLeaseSeconds: 20 });
    try {
      const alice = {
        ...newUser({ id: 'user-1', username: 'alice', passwordHash: 'x', role: 'user', createdAt: 1 }),
        quota: { ...NO_QUOTA, cpuMillis: 2_000 },
      };
      await bed.store.users.insert(alice);
      const stay = gate();
      await bed.addWorker('w1', { capacity: { cpuMillis: 16_000 }, run: () => stay.opened });
      await leading(await bed.addScheduler());
      const mine = await bed.submit(Array.from({ length: 6 }, () => ({ resources: need() })));
      const [other] = await bed.submit([{ resources: need() }], { over: { ownerId: 'user-2' } });
      await bed.until([other!.id], ['running']);
      const running = async () =>
        (await bed.store.tasks.getMany(mine.map(({ id }) => id))).filter(({ state }) => state === 'running');
      await waitFor(async () => (await running()).length === 2, { what: 'two running tasks' });
      // A later one of somebody else goes by: whoever is over quota holds nobody up.
      const [later] = await bed.submit([{ resources: need() }], { over: { ownerId: 'user-2' } });
      await bed.until([later!.id], ['running']);
      expect(await running()).toHaveLength(2);

      const known = await bed.store.users.get('user-1');
      const grown = { ...known!, quota: { ...NO_QUOTA, cpuMillis: 4_000 }, revision: known!.revision + 1 };
      expect(await bed.store.users.commit(grown)).toBe('written');
      await bed.redis.bus.publish({ type: 'quota', userId: 'user-1' });
      await waitFor(async () => (await running()).length === 4, { what: 'four running tasks' });
      stay.open();
      await bed.until(
        mine.map(({ id }) => id),
        ['completed'],
      );
    } finally {
      await bed.close();
    }
  });

  it('holds for tasks submitted after it was set, although the leader hears of them first', async () => {
    // So that no repair reads the quota meanwhile.
    const bed = await Bed.open({ workerLeaseSeconds: 20, reconcileSeconds: 600 });
    try {
      const user = newUser({ id: 'user-1', username: 'a', passwordHash: 'x', role: 'user', createdAt: 1 });
      await bed.store.users.insert(user);
      let hear: (event: ClusterEvent) => void = () => undefined;
      let onRead = (): void => undefined;
      const bus = (real: EventBus): EventBus => ({
        publish: (event) => real.publish(event),
        publishMany: (events) => real.publishMany(events),
        nudge: (...all) => real.nudge(...all),
        onNudge: (...all) => real.onNudge(...all),
        subscribe: (handler) => {
          hear = handler;
          return real.subscribe(handler);
        },
      });
      const store = (real: Store): Store => ({
        ...real,
        nextTerm: () => real.nextTerm(),
        close: () => real.close(),
        tasks: new Proxy(real.tasks, {
          get: (tasks, name) => {
            const member = Reflect.get(tasks, name).bind(tasks);
            if (name !== 'getMany') return member;
            return (ids: readonly string[]) => {
              onRead();
              return tasks.getMany(ids);
            };
          },
        }),
      });
      const stay = gate();
      await bed.addWorker('w1', { capacity: { cpuMillis: 16_000 }, run: () => stay.opened });
      await leading(await bed.addScheduler({ bus, store }));
      const others = { over: { ownerId: 'user-2' } };
      const runsForOthers = async () => {
        const [task] = await bed.submit([{ resources: need() }], others);
        await bed.until([task!.id], ['running']);
      };
      // The second is placed after the repair of the first turn.
      await runsForOthers();
      await runsForOthers();

      const limited = { ...user, quota: { ...NO_QUOTA, cpuMillis: 1_000 }, revision: user.revision + 1 };
      expect(await bed.store.users.commit(limited)).toBe('written');
      const small = { resources: need({ cpuMillis: 400 }) };
      const mine = await bed.submit([small, small, small], { quietly: true });
      onRead = () => hear({ type: 'quota', userId: 'user-1' });
      for (const task of mine) hear(taskChanged(task));
      await bed.until(
        mine.slice(0, 2).map(({ id }) => id),
        ['running'],
      );
      await runsForOthers();
      expect((await bed.task(mine[2]!.id)).state).toBe('queued');
      stay.open();
      await bed.until([mine[2]!.id], ['completed']);
    } finally {
      await bed.close();
    }
  });
});

describe('the policy', () => {
  it.each<[PolicyName, string[]]>([
    ['best-fit', ['w-busy', 'w-busy']],
    ['spread', ['w-empty', 'w-empty']],
    ['round-robin', ['w-busy', 'w-empty']],
  ])('%s places as its name says', async (policy, expected) => {
    const bed = await Bed.open({ workerLeaseSeconds: 20 });
    try {
      const stay = gate();
      const capacity = { cpuMillis: 8_000 };
      await bed.addWorker('w-busy', { capacity, run: () => stay.opened });
      await bed.addWorker('w-empty', { capacity, run: () => stay.opened });
      await leading(await bed.addScheduler({ rules: { policy } }));
      const [first] = await bed.submit([{ worker: 'w-busy', resources: need({ cpuMillis: 4_000 }) }]);
      await bed.until([first!.id], ['running']);
      const places: (Task['workerId'] | undefined)[] = [];
      for (let n = 0; n < 2; n += 1) {
        const [task] = await bed.submit([{ resources: need() }]);
        const [placed] = await bed.until([task!.id], ['running']);
        places.push(placed?.workerId);
      }
      expect(policy === 'round-robin' ? places.toSorted() : places).toEqual(expected);
      stay.open();
    } finally {
      await bed.close();
    }
  });
});
