// Who goes first, and where to: each rule by an example in which nothing else decides.

import { describe, expect, it } from 'vitest';
import type { Resources } from '../../shared/model/resources.ts';
import { DEFAULT_RULES, type PlanRules } from '../../shared/model/scheduling.ts';
import { BARE, PLAIN_HOLDING, PLAIN_WAITING, PLAIN_WORKER } from '../../test/support/waiting.ts';
import { Backlog, MOST_PATIENCE_MS } from './backlog.ts';
import { plan } from './plan.ts';
import { type Holding, NO_MEMORY, type Snapshot, type WaitingTask, type WorkerView } from './snapshot.ts';

const NOW = 1_000_000_000;
const MINUTE = 60_000;
const cores = (n: number, over: Partial<Resources> = {}): Resources => ({
  cpuMillis: n * 1000,
  memoryMb: 0,
  gpus: 0,
  storageMb: 0,
  ...over,
});
const worker = (id: string, n = 4, over: Partial<WorkerView> = {}): WorkerView => ({
  id,
  ...PLAIN_WORKER,
  state: 'ready',
  capacity: cores(n),
  free: cores(n),
  ...over,
});
let serial = 0;
const waits = (over: Partial<WaitingTask> = {}): WaitingTask => ({
  ...PLAIN_WAITING,
  id: `t${String(++serial).padStart(6, '0')}`,
  resources: cores(1),
  queuedAt: NOW,
  ...over,
});
const run = (
  tasks: readonly WaitingTask[],
  workers: readonly WorkerView[],
  over: Partial<Omit<Snapshot, 'rules'>> & { now?: number; rules?: Partial<PlanRules> } = {},
) => {
  const { now = NOW, rules, ...rest } = over;
  const backlog = new Backlog();
  for (const task of tasks) backlog.put(task, now);
  const snapshot: Snapshot = {
    ...BARE,
    workers,
    groups: backlog.groups(),
    memory: NO_MEMORY,
    limit: 1000,
    ...rest,
    rules: { ...DEFAULT_RULES, ...rules },
  };
  return plan(snapshot, now, 0);
};
const order = (made: ReturnType<typeof run>) => made.placements.map(({ taskId }) => taskId);
const where = (made: ReturnType<typeof run>) => made.placements.map(({ workerId }) => workerId);

describe('ageing', () => {
  it('lets a low priority pass a high one after as many steps as lie between', () => {
    const ageingMs = 10 * MINUTE;
    const old = waits({ priority: 3, ownerId: 'ada', queuedAt: NOW - 30 * MINUTE });
    const fresh = waits({ priority: 5, ownerId: 'bob' });
    expect(order(run([fresh, old], [worker('w1')], { rules: { ageingMs } }))).toEqual([old.id, fresh.id]);
    const younger = { ...old, queuedAt: NOW - 20 * MINUTE + 1 };
    expect(order(run([fresh, younger], [worker('w1')], { rules: { ageingMs } }))).toEqual([fresh.id, old.id]);
  });

  it('is of the head of a line: a long line that is served does not age', () => {
    const line = Array.from({ length: 4 }, () =>
      waits({ priority: 3, ownerId: 'ada', queuedAt: NOW - 50 * MINUTE }),
    );
    const fresh = waits({ priority: 5, ownerId: 'bob' });
    const made = run([...line, fresh], [worker('w1')], { rules: { ageingMs: 10 * MINUTE } });
    expect(order(made)).toEqual([line[0]?.id, fresh.id, line[1]?.id, line[2]?.id]);
  });
});

describe('deadlines', () => {
  const expectedMs = 10 * MINUTE;
  /** Due in `slack` beyond its run. */
  const due = (slackMinutes: number, over: Partial<WaitingTask> = {}) =>
    waits({ submittedAt: NOW, expectedMs, deadline: NOW + expectedMs + slackMinutes * MINUTE, ...over });

  it('let who must start now go first, not who has time or has missed it', () => {
    const [missed, safe, tight, tighter] = [due(-1), due(6), due(5), due(2)].map((task, n) => ({
      ...task,
      ownerId: `user-${n}`,
    })) as [WaitingTask, WaitingTask, WaitingTask, WaitingTask];
    const made = run([safe, missed, tight, tighter], [worker('w1')]);
    expect(order(made)).toEqual([tighter.id, tight.id, missed.id, safe.id]);
  });

  it('order a line, but nobody is overtaken for longer than the patience', () => {
    const far = waits({ submittedAt: NOW, deadline: NOW + 1e9 });
    const near = due(30);
    expect(order(run([far, near], [worker('w1')]))).toEqual([near.id, far.id]);
    const older = { ...far, submittedAt: NOW - MOST_PATIENCE_MS };
    expect(order(run([older, near], [worker('w1')]))).toEqual([far.id, near.id]);
  });
});

describe('fair share', () => {
  it('lets owners take turns, whoever came first and however much waits', () => {
    const many = Array.from({ length: 6 }, () => waits({ ownerId: 'ada' }));
    const few = Array.from({ length: 2 }, () => waits({ ownerId: 'bob' }));
    const made = run([...many, ...few], [worker('w1', 4)]);
    expect(order(made)).toEqual([many[0]?.id, few[0]?.id, many[1]?.id, few[1]?.id]);
  });

  it('is of the dimension of which an owner has most', () => {
    // The example of the paper: 9 cores and 18 GB, A needs (1 core, 4 GB), B (3 cores, 1 GB): A gets 3, B gets 2.
    const room = cores(9, { memoryMb: 18 });
    const a = Array.from({ length: 5 }, () => waits({ ownerId: 'a', resources: cores(1, { memoryMb: 4 }) }));
    const b = Array.from({ length: 5 }, () => waits({ ownerId: 'b', resources: cores(3, { memoryMb: 1 }) }));
    const placed = order(run([...b, ...a], [worker('w1', 9, { capacity: room, free: room })]));
    expect([a, b].map((own) => own.filter(({ id }) => placed.includes(id)).length)).toEqual([3, 2]);
  });

  it('counts what went out of turn, for a deadline', () => {
    const urgent = waits({ ownerId: 'ada', submittedAt: NOW, expectedMs: MINUTE, deadline: NOW + MINUTE });
    // Of another line of hers, which came first.
    const early = waits({ ownerId: 'ada', resources: cores(0.5), submittedAt: -MOST_PATIENCE_MS });
    const theirs = waits({ ownerId: 'bob' });
    expect(order(run([urgent, early, theirs], [worker('w1')]))).toEqual([urgent.id, theirs.id, early.id]);
  });

  it('counts what runs already', () => {
    const [mine, theirs] = [waits({ ownerId: 'ada' }), waits({ ownerId: 'bob' })];
    const owners = new Map([['ada', { held: cores(1), quota: null }]]);
    expect(order(run([mine, theirs], [worker('w1')], { owners }))).toEqual([theirs.id, mine.id]);
  });
});

describe('a quota', () => {
  it('holds back what is more than it, and lets others pass', () => {
    const quota = { cpuMillis: 2000, memoryMb: null, gpus: null };
    const owners = new Map([['ada', { held: cores(1), quota }]]);
    const own = Array.from({ length: 2 }, () => waits({ ownerId: 'ada' }));
    const large = waits({ ownerId: 'ada', resources: cores(3) });
    const other = waits({ ownerId: 'bob' });
    const made = run([...own, large, other], [worker('w1')], { owners });
    expect(order(made)).toEqual([other.id, own[0]?.id]);
    expect([...made.waiting.values()].sort()).toEqual(['over_quota', 'quota_used']);
  });

  it('of nothing keeps out only who asks for it', () => {
    const owners = new Map([
      ['ada', { held: cores(0), quota: { cpuMillis: null, memoryMb: null, gpus: 0 } }],
    ]);
    const gpu = cores(4, { gpus: 1 });
    const [plain, wants] = [
      waits({ ownerId: 'ada' }),
      waits({ ownerId: 'ada', resources: cores(1, { gpus: 1 }) }),
    ];
    const made = run([wants, plain], [worker('w1', 4, { capacity: gpu, free: gpu, freeGpus: ['a'] })], {
      owners,
    });
    expect(order(made)).toEqual([plain.id]);
  });
});

describe('labels', () => {
  const disks = ['hdd', 'ssd', 'nvme'].map((disk, n) => worker(`w${n}`, 2, { labels: { disk } }));

  it('must be met, by any of the values', () => {
    const task = () => waits({ labels: { constraints: { disk: ['ssd', 'nvme'] }, prefer: {} } });
    const made = run(Array.from({ length: 5 }, task), disks);
    expect(where(made)).toEqual(['w1', 'w2', 'w1', 'w2']);
    expect([...made.waiting.values()]).toEqual(['no_room']);
  });

  it('that nobody has, or nobody who is ready, are told apart', () => {
    const tape = waits({ labels: { constraints: { disk: ['tape'] }, prefer: {} } });
    const ssd = waits({ labels: { constraints: { disk: ['ssd'] }, prefer: {} } });
    const closed = disks.map((one) => (one.id === 'w1' ? { ...one, state: 'cordoned' as const } : one));
    expect([...run([tape, ssd], closed).waiting.values()]).toEqual(['labels_missing', 'no_ready_match']);
  });

  it('that are preferred come first, until there is no room', () => {
    const task = () => waits({ labels: { constraints: {}, prefer: { disk: ['nvme'] } } });
    expect(where(run(Array.from({ length: 4 }, task), disks))).toEqual(['w2', 'w2', 'w0', 'w1']);
  });

  it('that nobody has are looked for once in a pass, however many lines demand them', () => {
    let looks = 0;
    const states = ['ready', 'cordoned'] as const;
    const many = Array.from(
      { length: 200 },
      (_, n): WorkerView => ({
        ...worker(`w${n}`, 4, { state: states[n % 2] as WorkerView['state'] }),
        get labels() {
          looks += 1;
          return { disk: 'ssd' };
        },
      }),
    );
    const labels = { constraints: { disk: ['tape'] }, prefer: {} };
    const tasks = Array.from({ length: 50 }, (_, n) => waits({ ownerId: `user-${n}`, labels }));
    expect(new Set(run(tasks, many).waiting.values())).toEqual(new Set(['labels_missing']));
    expect(looks).toBeLessThan(4 * many.length);
  });
});

describe('a policy', () => {
  const loaded = [worker('w0', 4), worker('w1', 4, { free: cores(1) }), worker('w2', 4, { free: cores(3) })];

  it('of best fit fills up the fullest, keeping GPUs for who needs them', () => {
    expect(where(run([waits(), waits()], loaded, { rules: { policy: 'best-fit' } }))).toEqual(['w1', 'w2']);
    const gpu = cores(4, { gpus: 1 });
    const mixed = [
      worker('w0', 1, { capacity: gpu, free: cores(1, { gpus: 1 }), freeGpus: ['a'] }),
      worker('w1', 4),
    ];
    const wants = waits({ resources: cores(1, { gpus: 1 }) });
    expect(where(run([waits()], mixed, { rules: { policy: 'best-fit' } }))).toEqual(['w1']);
    expect(run([wants], mixed, { rules: { policy: 'best-fit' } }).placements).toEqual([
      { taskId: wants.id, workerId: 'w0', gpuIds: ['a'] },
    ]);
  });

  it('of spread takes the emptiest', () => {
    const made = run([waits(), waits(), waits()], loaded, { rules: { policy: 'spread' } });
    expect(where(made)).toEqual(['w0', 'w2', 'w0']);
  });

  it('takes the worker with the image where it does not matter otherwise', () => {
    const alike = [worker('w0'), worker('w1'), worker('w2')];
    const images = new Map([[PLAIN_WAITING.image, ['w2']]]);
    for (const policy of ['round-robin', 'best-fit', 'spread'] as const) {
      expect(where(run([waits()], alike, { images, rules: { policy } }))).toEqual(['w2']);
    }
    // Round-robin serves all the others before it comes back to it.
    const made = run(
      Array.from({ length: 6 }, () => waits()),
      alike,
      { images },
    );
    expect(where(made)).toEqual(['w2', 'w0', 'w1', 'w2', 'w0', 'w1']);
    const fuller = [worker('w0'), worker('w1'), worker('w2', 4, { free: cores(3) })];
    expect(where(run([waits()], fuller, { images, rules: { policy: 'spread' } }))).toEqual(['w0']);
  });
});

describe('preemption', () => {
  const holding = (taskId: string, over: Partial<Holding> = {}): Holding => ({
    ...PLAIN_HOLDING,
    taskId,
    workerId: 'w0',
    attempt: 3,
    state: 'running',
    resources: cores(1),
    assignedAt: NOW,
    ...over,
  });
  const full = [worker('w0', 2, { free: cores(0) }), worker('w1', 2, { free: cores(0) })];
  const on = (all: Record<string, Holding[]>) => (id: string) => all[id] ?? [];
  const rules = { preemption: true };

  it('takes the lowest, the youngest first, and keeps the worker until they are gone', () => {
    const holdingsOf = on({
      w0: [holding('old', { priority: 2, assignedAt: NOW - 1 }), holding('new', { priority: 2 })],
      w1: [holding('low', { priority: 1, workerId: 'w1' }), holding('high', { priority: 7, workerId: 'w1' })],
    });
    const small = waits({ priority: 7 });
    const made = run([small], full, { rules, holdingsOf });
    expect(made.preemptions).toEqual([{ taskId: 'low', attempt: 3, workerId: 'w1', forTask: small.id }]);
    expect([...made.waiting.values()]).toEqual(['preempting']);
    const leaving = on({ w1: [holding('low', { priority: 1, workerId: 'w1', isLeaving: true })] });
    const later = run([small, waits({ priority: 1, ownerId: 'eve' })], full, {
      rules,
      holdingsOf: leaving,
      memory: made.memory,
    });
    expect(later).toMatchObject({ preemptions: [], placements: [] });
    const free = [full[0] as WorkerView, worker('w1', 2, { free: cores(1) })];
    const [eager] = [waits({ priority: 9, ownerId: 'eve' })];
    const last = run([small, eager], free, { rules: { preemption: false }, memory: made.memory });
    expect(last.placements).toEqual([{ taskId: small.id, workerId: 'w1', gpuIds: [] }]);
  });

  it('takes nobody of the same priority, and nobody without its being switched on', () => {
    const holdingsOf = on({ w0: [holding('a', { priority: 5 })], w1: [holding('b', { priority: 6 })] });
    expect(run([waits()], full, { rules, holdingsOf }).preemptions).toEqual([]);
    expect(run([waits({ priority: 9 })], full, { holdingsOf }).preemptions).toEqual([]);
    expect(run([waits({ priority: 9 })], full, { rules, holdingsOf }).preemptions).toHaveLength(1);
  });

  it('sends nobody away for a task that the quota of its owner holds back', () => {
    const holdingsOf = on({ w0: [holding('a', { priority: 1 })], w1: [holding('b', { priority: 1 })] });
    const quota = { cpuMillis: 1_500, memoryMb: null, gpus: null };
    const owners = new Map([['ann', { held: cores(1), quota }]]);
    const made = run([waits({ ownerId: 'ann', priority: 9 })], full, { rules, holdingsOf, owners });
    expect(made.preemptions).toEqual([]);
    expect([...made.waiting.values()]).toEqual(['quota_used']);
  });

  it('leaves a worker that is kept in vain for one where others may be sent away', () => {
    const stays = holding('stays', { priority: 9 });
    const now = NOW + DEFAULT_RULES.reserveAfterMs;
    const large = waits({ priority: 7, resources: cores(2) });
    const first = run([large], full, { now, rules, holdingsOf: on({ w0: [stays], w1: [stays] }) });
    expect(first.memory.reservations).toMatchObject([{ workerId: 'w0' }]);
    const low = { priority: 1, workerId: 'w1', resources: cores(2) };
    const holdingsOf = on({ w0: [stays], w1: [holding('low', low)] });
    const made = run([large], full, { now: now + 1, rules, holdingsOf, memory: first.memory });
    expect(made.preemptions).toMatchObject([{ taskId: 'low', workerId: 'w1', forTask: large.id }]);
    expect(made.memory.reservations).toMatchObject([{ workerId: 'w1', taskId: large.id }]);
  });

  it('looks up once in a pass what runs on a worker, however many lines find no room', () => {
    let looks = 0;
    const many = Array.from({ length: 100 }, (_, n) => worker(`w${n}`, 2, { free: cores(0) }));
    const holdingsOf = () => {
      looks += 1;
      return [holding('a', { priority: 5 })];
    };
    const tasks = Array.from({ length: 50 }, (_, n) => waits({ ownerId: `user-${n}` }));
    expect(run(tasks, many, { rules, holdingsOf }).preemptions).toEqual([]);
    expect(looks).toBeLessThanOrEqual(many.length);
  });
});
