import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RULES, type PlanRules, POLICIES } from '../../shared/model/scheduling.ts';
import { readDecisions, replayDecisions } from '../../test/support/decisions.ts';
import { amounts, ids } from '../../test/support/generated-clusters.ts';
import { PLAIN_HOLDING, PLAIN_WAITING } from '../../test/support/waiting.ts';
import { Backlog } from './backlog.ts';
import type { Decision, Gap } from './decision-reader.ts';
import { LONGEST_DIFFERENCES_CHARS, Recorder } from './decision-record.ts';
import { plan } from './plan.ts';
import { replayDecision } from './replay.ts';
import {
  type Group,
  type GroupEntry,
  type Holding,
  NO_MEMORY,
  type OwnerView,
  type Plan,
  type PlanMemory,
  type Snapshot,
  type WaitingTask,
  type WorkerView,
} from './snapshot.ts';

const NOW = 1_764_000_000_000;
const PLENTY = 1_000_000_000;
const owners = ['ann', 'bob', 'eve'];

/** One pass with what changes before it. */
const step = fc.record({
  waits: fc.integer({ min: 1, max: 90_000 }),
  tasks: fc.array(
    fc.record({
      ownerId: fc.constantFrom(...owners),
      priority: fc.integer({ min: 0, max: 2 }),
      resources: amounts,
      worker: fc.option(fc.constantFrom(...ids, 'nowhere'), { freq: 6 }),
      labels: fc.constantFrom(
        { constraints: {}, prefer: {} },
        { constraints: { disk: ['ssd', 'nvme'] }, prefer: {} },
        { constraints: {}, prefer: { zone: ['a'] } },
      ),
      image: fc.constantFrom('python:3.9', 'busybox:latest'),
      notBefore: fc.constantFrom(0, 0, NOW + 50_000.5),
      expectedMs: fc.constantFrom(1_000, 300_000.25),
    }),
    { maxLength: 12 },
  ),
  workers: fc.array(
    fc.record({
      id: fc.constantFrom(...ids),
      state: fc.constantFrom('ready', 'ready', 'ready', 'cordoned', 'down', 'gone'),
      capacity: amounts,
      labels: fc.constantFrom({}, { disk: 'ssd' }, { disk: 'hdd', zone: 'a' }),
      gpus: fc.constantFrom([], ['GPU-0', 'GPU-1']),
    }),
    { maxLength: 4 },
  ),
  images: fc.option(fc.dictionary(fc.constantFrom('python:3.9', 'busybox:latest'), fc.subarray(ids))),
  quota: fc.option(fc.record({ owner: fc.constantFrom(...owners), cpuMillis: fc.nat(9_000) })),
  /** Of what runs: the first so many end. */
  end: fc.nat(5),
  dropTasks: fc.nat(2),
  rules: fc.record<PlanRules>({
    policy: fc.constantFrom(...POLICIES),
    preemption: fc.boolean(),
    ageingMs: fc.constantFrom(600_000, 1_000),
    reserveAfterMs: fc.constantFrom(60_000, 10),
  }),
  limit: fc.constantFrom(2, 1_000),
  /** The lines of this pass are lost. */
  isLost: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A cluster that changes from pass to pass, as the index keeps it: what has not changed is the same object. */
class Played {
  readonly backlog = new Backlog();
  readonly tasks = new Map<string, WaitingTask>();
  readonly workers = new Map<string, WorkerView>();
  readonly holdings: Holding[] = [];
  readonly owners = new Map<string, OwnerView>();
  images: Snapshot['images'] = new Map();
  memory: PlanMemory = NO_MEMORY;
  now = NOW;
  #serial = 0;

  change(one: Step): void {
    this.now += one.waits;
    for (const { id, state, capacity, labels, gpus } of one.workers) {
      if (state === 'gone') this.workers.delete(id);
      else {
        const view = { id, state, capacity, free: capacity, labels, freeGpus: gpus.slice(0, capacity.gpus) };
        this.workers.set(id, view as WorkerView);
      }
    }
    for (const task of one.tasks) {
      this.#serial += 1;
      const id = `task-${String(this.#serial).padStart(5, '0')}`;
      const submittedAt = this.now - task.resources.cpuMillis;
      const times = { submittedAt, queuedAt: this.now, deadline: submittedAt + 3 * task.expectedMs };
      const waiting = { ...PLAIN_WAITING, ...task, ...times, id, revision: 1 };
      this.tasks.set(id, waiting);
      this.backlog.put(waiting, this.now);
    }
    for (const { taskId } of this.holdings.splice(0, one.end)) this.#touch(taskId);
    for (const id of [...this.tasks.keys()].slice(0, one.dropTasks)) this.backlog.remove(id);
    if (one.images) this.images = new Map(Object.entries(one.images));
    if (one.quota) {
      const { owner, cpuMillis } = one.quota;
      const quota = { cpuMillis, memoryMb: null, gpus: null };
      this.owners.set(owner, { held: this.owners.get(owner)?.held ?? NOTHING, quota });
    }
    this.backlog.ripen(this.now);
  }

  snapshot({ rules, limit }: Pick<Step, 'rules' | 'limit'>): Snapshot {
    return {
      workers: [...this.workers.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
      groups: this.backlog.groups(),
      owners: this.owners,
      images: this.images,
      holdingsOf: (workerId) => this.holdings.filter((one) => one.workerId === workerId),
      rules,
      memory: this.memory,
      limit,
    };
  }

  apply(made: Plan): void {
    this.memory = made.memory;
    for (const { taskId, workerId, gpuIds } of made.placements) {
      const task = this.tasks.get(taskId) as WaitingTask;
      this.backlog.take(taskId, this.now);
      const { ownerId, priority, resources } = task;
      this.holdings.push({
        ...PLAIN_HOLDING,
        ...{ taskId, ownerId, workerId, priority, resources, gpuIds },
        attempt: 1,
        state: 'running',
        assignedAt: this.now,
      });
      const worker = this.workers.get(workerId) as WorkerView;
      const free = minus(worker.free, resources);
      this.workers.set(workerId, { ...worker, free, freeGpus: worker.freeGpus.slice(resources.gpus) });
      const owner = this.owners.get(ownerId) ?? { held: NOTHING, quota: null };
      this.owners.set(ownerId, { ...owner, held: minus(owner.held, minus(NOTHING, resources)) });
    }
  }

  #touch(taskId: string): void {
    const task = this.tasks.get(taskId) as WaitingTask;
    this.backlog.put({ ...task, revision: task.revision + 1 }, this.now);
  }
}

const NOTHING = { cpuMillis: 0, memoryMb: 0, gpus: 0, storageMb: 0 };
const minus = (a: typeof NOTHING, b: typeof NOTHING) => ({
  cpuMillis: a.cpuMillis - b.cpuMillis,
  memoryMb: a.memoryMb - b.memoryMb,
  gpus: a.gpus - b.gpus,
  storageMb: a.storageMb - b.storageMb,
});

/** What the plan asked for by key, and what it was told. */
interface Asked {
  readonly owners: readonly (readonly [string, unknown])[];
  readonly images: readonly (readonly [string, unknown])[];
  readonly holdings: readonly (readonly [string, unknown])[];
}

interface Recorded {
  readonly lines: string[];
  /** What the passes with an outcome that was kept saw and made, copied at that moment. */
  readonly kept: { seen: unknown; asked: Asked; made: Pick<Plan, 'placements' | 'preemptions'> }[];
}

function play(steps: readonly Step[], maxBytes = PLENTY): Recorded {
  const [cluster, recorder] = [new Played(), new Recorder({ term: 7, maxBytes })];
  const [lines, kept]: [string[], Recorded['kept']] = [[], []];
  for (const one of steps) {
    cluster.change(one);
    const seen = recorder.watch(cluster.snapshot(one));
    const made = plan(seen, cluster.now, 5);
    const { lines: told } = recorder.record(seen, cluster.now, 5, made);
    const { placements, preemptions } = made;
    if (maxBytes === PLENTY) expect(told.length > 0).toBe(placements.length + preemptions.length > 0);
    if (one.isLost && told.length > 0) recorder.leaveOut(1, 'lost in a test');
    else if (told.length > 0) {
      lines.push(...told);
      if (told.at(-1)?.startsWith('{"kind":"pass"')) {
        const asked = structuredClone({
          owners: [...seen.owners.seen([])],
          images: [...seen.images.seen([])],
          holdings: [...seen.holdings],
        });
        kept.push({
          seen: picture(seen, seen.groups),
          asked,
          made: structuredClone({ placements, preemptions }),
        });
      }
    }
    cluster.apply(made);
  }
  return { lines, kept };
}

/** What there is to see in a snapshot that no plan depends on being more than it asked for. */
function picture({ workers, rules, memory, limit }: Snapshot, groups: Iterable<Group>) {
  const lines = [...groups].map(({ key, ownerId, priority, need, worker, labels, servedAt, ...rest }) => {
    const seen = 'seen' in rest ? (rest.seen as unknown[]) : [...all(rest.inOrder())];
    const entries = seen.map((entry) => {
      const { id, queuedAt, notBefore, image, expectedMs, deadline, turn } = entry as GroupEntry;
      return { id, queuedAt, notBefore, image, expectedMs, deadline, turn };
    });
    return { key, ownerId, priority, need, worker, labels, servedAt, entries };
  });
  return structuredClone({ workers, rules, memory, limit, lines });
}

function askedAgain({ owners, images, holdingsOf }: Snapshot, asked: Asked): Asked {
  return {
    owners: asked.owners.map(([id]) => [id, owners.get(id)]),
    images: asked.images.map(([image]) => [image, images.get(image)]),
    holdings: asked.holdings.map(([workerId]) => [workerId, holdingsOf(workerId)]),
  };
}

function* all<T>(items: Iterator<T>): IterableIterator<T> {
  for (let next = items.next(); !next.done; next = items.next()) yield next.value;
}

const read = (lines: Iterable<string>): (Decision | Gap)[] => [...readDecisions(lines)];
const decisionsOf = (found: readonly (Decision | Gap)[]) =>
  found.filter((one): one is Decision => one.kind === 'decision');
const steps = fc.array(step, { minLength: 1, maxLength: 12 });

describe('recorded decisions', () => {
  it('are read as they were seen, and decided again alike, whatever changes between passes', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { lines, kept } = play(all);
        const decisions = decisionsOf(read(lines));
        expect(decisions.map(({ snapshot }) => picture(snapshot, snapshot.groups))).toEqual(
          kept.map(({ seen }) => seen),
        );
        expect(decisions.map(({ made }) => made)).toEqual(kept.map(({ made }) => made));
        expect(decisions.map(({ snapshot }, n) => askedAgain(snapshot, kept[n]?.asked as Asked))).toEqual(
          kept.map(({ asked }) => asked),
        );
        expect(replayDecisions(decisions)).toBeNull();
      }),
      { numRuns: 40 },
    );
  });

  it('can be read from anywhere in the ring: from the next full picture on', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (all, cut) => {
        // So small that there are several segments.
        const { lines, kept } = play(all, 20_000);
        const rest = lines.slice(cut % (lines.length + 1));
        const found = read(rest);
        const decisions = decisionsOf(found);
        expect(decisions.map(({ made }) => made)).toEqual(
          decisions.length === 0 ? [] : kept.slice(-decisions.length).map(({ made }) => made),
        );
        const firstKey = rest.findIndex((line) => line.startsWith('{"kind":"key"'));
        const after = rest.slice(Math.max(firstKey, 0)).filter((line) => line.startsWith('{"kind":"pass"'));
        expect(decisions).toHaveLength(firstKey < 0 ? 0 : after.length);
        expect(replayDecisions(decisions)).toBeNull();
      }),
      { numRuns: 30 },
    );
  });

  it('say when a line is missing, and go on behind it', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (all, which) => {
        const { lines } = play(all, 20_000);
        const passes = lines.flatMap((line, n) => (line.startsWith('{"kind":"pass"') ? [n] : []));
        fc.pre(passes.length > 1);
        const lost = passes[which % (passes.length - 1)] as number;
        const found = read(lines.filter((_, n) => n !== lost));
        expect(replayDecisions(decisionsOf(found))).toBeNull();
        const followedByKey = lines[lost + 1]?.includes('"kind":"pass"') === false;
        expect(found.some(({ kind }) => kind === 'gap') || followedByKey).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

const need = (over = {}) => ({ cpuMillis: 1_000, memoryMb: 0, gpus: 0, storageMb: 0, ...over });
const simple = (count: number, over: Partial<Step> = {}): Step => ({
  waits: 10,
  tasks: Array.from({ length: count }, () => ({
    ownerId: 'ann',
    priority: 1,
    resources: need(),
    worker: null,
    labels: { constraints: {}, prefer: {} },
    image: 'python:3.9',
    notBefore: 0,
    expectedMs: 1_000,
  })),
  workers: [],
  images: null,
  quota: null,
  end: 0,
  dropTasks: 0,
  rules: DEFAULT_RULES,
  limit: 1_000,
  isLost: false,
  ...over,
});
const workers: Step['workers'] = ['w1', 'w2'].map((id) => ({
  id,
  state: 'ready',
  capacity: need({ cpuMillis: 64_000 }),
  labels: {},
  gpus: [],
}));

describe('a record of evictions', () => {
  it('holds what was running, and is decided again alike', () => {
    const rules = { ...DEFAULT_RULES, preemption: true };
    const full = simple(2, { workers: workers.slice(0, 1), rules });
    const low = full.tasks.map((task) => ({ ...task, priority: 0, resources: need({ cpuMillis: 32_000 }) }));
    const high = low.slice(0, 1).map((task) => ({ ...task, priority: 2, ownerId: 'eve' }));
    const { lines, kept } = play([
      { ...full, tasks: low },
      { ...simple(0, { rules }), tasks: high },
    ]);
    expect(kept.at(-1)?.made.preemptions).toHaveLength(1);
    expect(kept.at(-1)?.asked.holdings).toMatchObject([['w1', [{}, {}]]]);
    const decisions = decisionsOf(read(lines));
    expect(decisions.map(({ snapshot }, n) => askedAgain(snapshot, kept[n]?.asked as Asked))).toEqual(
      kept.map(({ asked }) => asked),
    );
    expect(decisions.map(({ made }) => made)).toEqual(kept.map(({ made }) => made));
    expect(replayDecisions(decisions)).toBeNull();
    const other = lines.at(-1)?.replace(/"preempted":\[\["task-00001"/, '"preempted":[["task-00002"');
    const meddled = [...lines.slice(0, -1), other ?? ''];
    expect(meddled).not.toEqual(lines);
    expect(replayDecisions(decisionsOf(read(meddled)))?.what).toMatch(/^preemption 1 of 1 was: /);
  });
});

describe('a record that was meddled with', () => {
  const { lines } = play([simple(3, { workers }), simple(2), simple(2)]);
  const tampered = (which: number, change: (line: Record<string, unknown>) => void) =>
    lines.map((line, n) => {
      if (n !== which) return line;
      const value = JSON.parse(line) as Record<string, unknown>;
      change(value);
      return JSON.stringify(value);
    });
  const differenceIn = (changed: readonly string[]) => replayDecisions(decisionsOf(read(changed)));

  it('is found where the outcome is another', () => {
    expect(lines).toHaveLength(4);
    expect(differenceIn(lines)).toBeNull();
    const other = tampered(2, (line) => {
      const [[first, place, worker], ...rest] = line.placed as [[number, number, number]];
      line.placed = [[first, place, worker === 0 ? 1 : 0], ...rest];
    });
    expect(differenceIn(other)).toMatchObject({
      term: 7,
      pass: 2,
      what: expect.stringMatching(/^placement 1 of 2 was: task-\d+ on .*; decided again it is: task-\d+ on /),
    });
    const fewer = tampered(2, (line) => {
      line.placed = (line.placed as unknown[]).slice(1);
    });
    expect(differenceIn(fewer)?.what).toContain('placement 1 of 1 was');
  });

  it('is found where what was seen is another', () => {
    const smaller = tampered(1, (line) => {
      line.shapes = (line.shapes as number[][]).map((shape) => shape.map((n) => (n === 64_000 ? 500 : n)));
    });
    expect(differenceIn(smaller)?.what).toBe(
      'placement 1 of 3 was: task-00001 on w2; decided again it is: nothing more',
    );
  });

  it('is told of where it cannot be read, without harm to what comes later', () => {
    const gapIn = (changed: readonly string[]) => read(changed).find((one) => one.kind === 'gap')?.why;
    const nonsense = ['', '7', 'null', '{"kind":"pass"}', '{"kind":"key","format":1}', '[]', '{"half'];
    for (const line of nonsense) expect(() => read([line, ...lines])).not.toThrow();
    expect(gapIn(['{"half', ...lines])).toBe('line 1 cannot be read: it is not JSON');
    const beyond = tampered(2, (line) => {
      line.placed = [[99, 0, 0]];
    });
    expect(gapIn(beyond)).toBe('line 3 cannot be read: there is no line of tasks number 99');
    expect(gapIn(lines.slice(1))).toMatch(/^the records up to the next full picture need/);
    expect(decisionsOf(read(['{"half', ...lines]))).toHaveLength(3);
    const later = tampered(0, (line) => {
      line.format = 2;
    });
    expect(gapIn(later)).toBe('line 1 begins records of format 2, and this program reads format 1');
    expect(read(later)).toHaveLength(1);
  });

  it('is not compared when other rules decided it', () => {
    const others = tampered(0, (line) => {
      line.rules_version = 99;
    });
    const verdicts = decisionsOf(read(others)).map((one) => replayDecision(one).verdict);
    expect(verdicts).toEqual(['other_rules', 'other_rules', 'other_rules']);
  });
});

describe('a record that is too long', () => {
  it('is left out with a word why, and followed by a full picture', () => {
    const many = Array.from({ length: 20_000 }, (_, n) => ({
      ...(workers[0] as Step['workers'][number]),
      id: `a-worker-with-a-name-that-is-long-${String(n).padStart(8, '0')}`,
    }));
    const { lines, kept } = play(
      [simple(2, { workers }), simple(2, { workers: many }), simple(1)],
      PLENTY - 1,
    );
    const found = read(lines);
    expect(decisionsOf(found).map(({ made }) => made)).toEqual([kept[0]?.made, kept.at(-1)?.made]);
    const [gap] = found.filter((one) => one.kind === 'gap');
    expect(gap).toMatchObject({ passes: 1, why: expect.stringContaining('what has changed has ') });
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(LONGEST_DIFFERENCES_CHARS / 4);
    expect(replayDecisions(decisionsOf(found))).toBeNull();
  });
});
