// What a pass of the plan costs: workers × waiting tasks × shapes.
//
// Method. One process, no store, no Redis: a ledger and a backlog are filled, then `plan` is called again and again on the
// same picture, which it does not change; the median of the passes counts, with the making of the picture. Workers are of
// three sizes and half full; tasks are of 20 owners and of so many shapes (needs × priorities). Twice: `busy`, where
// PASS_LIMIT tasks are placed in the pass, and `full`, where nothing fits anywhere and every line is turned away.
// Baseline in the same run: first fit by looking at all workers for each of the same tasks in turn (as many as are placed,
// at most 500, scaled), which knows no priority, owner or label. Ratios: cost per placement of the baseline / of the plan;
// pass with the most waiting tasks / with the fewest.
// Run: npx tsx bench/plan.ts [passes] [round-robin|best-fit|spread]

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Backlog } from '../scheduler/core/backlog.ts';
import { Ledger } from '../scheduler/core/ledger.ts';
import { PASS_LIMIT, plan } from '../scheduler/core/plan.ts';
import { NO_MEMORY, type Snapshot } from '../scheduler/core/snapshot.ts';
import { NO_DEMAND } from '../shared/model/labels.ts';
import { fits, type Resources, subtractResources } from '../shared/model/resources.ts';
import { DEFAULT_RULES, POLICIES, type PolicyName } from '../shared/model/scheduling.ts';
import { makeRegistration } from '../test/support/tasks.ts';
import { machineLine, quantile } from './machine.ts';

const passes = Number(process.argv[2] ?? 9);
const policy = (process.argv[3] ?? 'round-robin') as PolicyName;
if (!POLICIES.includes(policy)) throw new Error(`no policy ${policy}: one of ${POLICIES.join(', ')}`);

const WORKERS = [10, 1_000, 10_000];
const PENDING = [1_000, 100_000, 1_000_000];
const SHAPES = [1, 100, 5_000];
const OWNERS = 20;
const NOW = 1_700_000_000_000;
const SIZES: readonly Resources[] = [
  { cpuMillis: 8_000, memoryMb: 32_768, gpus: 0, storageMb: 0 },
  { cpuMillis: 16_000, memoryMb: 65_536, gpus: 0, storageMb: 0 },
  { cpuMillis: 64_000, memoryMb: 262_144, gpus: 4, storageMb: 0 },
];

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function needOf(shape: number): Resources {
  return {
    cpuMillis: 250 + 50 * (shape % 50),
    memoryMb: 256 + 64 * (Math.floor(shape / 50) % 100),
    gpus: 0,
    storageMb: 0,
  };
}

/** @param part of each worker that is held */
function fill(workers: number, part: number): Ledger {
  const ledger = new Ledger();
  for (let n = 0; n < workers; n += 1) {
    const id = `worker-${String(n).padStart(5, '0')}`;
    const capacity = SIZES[n % SIZES.length] as Resources;
    ledger.setWorker({
      ...makeRegistration({ id, capacity }),
      gpuIds: Array.from({ length: capacity.gpus }, (_, gpu) => `gpu-${gpu}`),
      maintenance: 'none',
      drainUntil: null,
      liveness: 'up',
      livenessAt: 0,
    });
    ledger.hold({
      taskId: `held-${n}`,
      ownerId: `owner-${n % OWNERS}`,
      workerId: id,
      priority: 5,
      attempt: 1,
      state: 'running',
      resources: {
        cpuMillis: Math.floor(capacity.cpuMillis * part),
        memoryMb: Math.floor(capacity.memoryMb * part),
        gpus: 0,
        storageMb: 0,
      },
      gpuIds: [],
      assignedAt: NOW,
      isLeaving: false,
    });
  }
  return ledger;
}

function queue(pending: number, shapes: number): Backlog {
  const backlog = new Backlog();
  for (let n = 0; n < pending; n += 1) {
    const shape = n % shapes;
    backlog.put(
      {
        id: `task-${String(n).padStart(10, '0')}`,
        ownerId: `owner-${shape % OWNERS}`,
        revision: 1,
        priority: 5,
        resources: needOf(shape),
        worker: null,
        labels: NO_DEMAND,
        image: 'busybox:latest',
        submittedAt: NOW - 10_000 + (n % 10_000),
        notBefore: 0,
        queuedAt: NOW - 10_000 + (n % 10_000),
        expectedMs: 300_000,
        deadline: NOW + 900_000,
      },
      NOW,
    );
  }
  return backlog;
}

function pictureOf(ledger: Ledger, backlog: Backlog): Snapshot {
  return {
    workers: ledger.views(),
    groups: backlog.groups(),
    owners: ledger.owners(),
    images: new Map(),
    holdingsOf: (workerId) => ledger.holdingsOf(workerId),
    rules: { ...DEFAULT_RULES, policy },
    memory: NO_MEMORY,
    limit: PASS_LIMIT,
  };
}

/** Median milliseconds of a pass, and what one placed. */
function measure(ledger: Ledger, backlog: Backlog): { ms: number; placed: number } {
  const took: number[] = [];
  let placed = 0;
  for (let n = 0; n < passes; n += 1) {
    const begin = performance.now();
    placed = plan(pictureOf(ledger, backlog), NOW, n).placements.length;
    took.push(performance.now() - begin);
  }
  return { ms: quantile(took, 0.5), placed };
}

const BASELINE_MOST = 500;

/** Milliseconds for one placement by looking at all workers for each task. */
function firstFitMs(ledger: Ledger, shapes: number, count: number): number {
  const free = ledger.views().map((view) => view.free);
  const tries = Math.min(count, BASELINE_MOST);
  const begin = performance.now();
  let placed = 0;
  for (let n = 0; n < tries; n += 1) {
    const need = needOf(n % shapes);
    let best = -1;
    for (let index = 0; index < free.length; index += 1) {
      if (fits(need, free[index] as Resources) && best === -1) best = index;
    }
    if (best === -1) continue;
    free[best] = subtractResources(free[best] as Resources, need);
    placed += 1;
  }
  return (performance.now() - begin) / Math.max(1, placed);
}

console.log(`# ${machineLine()}`);
console.log(
  `# policy ${policy}, at most ${PASS_LIMIT} placements a pass, ${OWNERS} owners, median of ${passes} passes`,
);
console.log('workers  waiting    shapes  busy ms  placed  µs each  first fit/plan  full ms  heap MB');
/** By workers and shapes: the passes, the fewest waiting tasks first. */
const byScene = new Map<string, { busy: number; full: number }[]>();
for (const pending of PENDING) {
  for (const shapes of SHAPES) {
    if (shapes > pending) continue;
    collect();
    const before = process.memoryUsage().heapUsed;
    const backlog = queue(pending, shapes);
    collect();
    const heapMb = (process.memoryUsage().heapUsed - before) / 2 ** 20;
    for (const workers of WORKERS) {
      const half = fill(workers, 0.5);
      const busy = measure(half, backlog);
      const base = busy.placed === 0 ? Number.NaN : firstFitMs(half, shapes, busy.placed);
      const full = measure(fill(workers, 1), backlog);
      const each = busy.ms / Math.max(1, busy.placed);
      console.log(
        [
          String(workers).padStart(7),
          String(pending).padStart(8),
          String(shapes).padStart(8),
          busy.ms.toFixed(2).padStart(8),
          String(busy.placed).padStart(7),
          (each * 1_000).toFixed(2).padStart(8),
          (base / each).toFixed(1).padStart(15),
          full.ms.toFixed(2).padStart(8),
          heapMb.toFixed(0).padStart(8),
        ].join(' '),
      );
      const key = `${workers} workers, ${shapes} shapes`;
      byScene.set(key, [...(byScene.get(key) ?? []), { busy: each, full: full.ms }]);
    }
  }
}
console.log(`\ncost with ${PENDING.at(-1)} waiting / with the fewest, per placement and per full pass:`);
for (const [scene, all] of byScene) {
  const [few, many] = [all[0], all.at(-1)];
  if (!few || !many || all.length < 2) continue;
  console.log(`${scene}: ${(many.busy / few.busy).toFixed(2)}, ${(many.full / few.full).toFixed(2)}`);
}
