// When waiting tasks should start. Pure: the cluster is played on from now, tasks going where and when the plan would
// send them, and ending when tasks of their kind usually do. It must never place anything.
//
// What fits now is placed by the very plan that places. From then on nothing that waits fits anywhere, so only room
// or quota that an end gives back, or a back-off that is over, lets a task start: that worker takes the first in line that
// fits, and the next (list scheduling: R. L. Graham, "Bounds on Multiprocessing Timing Anomalies", 1969). A head that has
// waited too long keeps a worker, as in reservations.ts; what the leader keeps now is known from its board.
// Played three times: with each run as long as the median, the lower and the upper quartile of its kind. Shorter runs
// may delay a task (Graham's anomalies), so the band is made to hold the median.
// What comes later and goes first, preemption, failures, and the time it takes to fetch images are not foreseen; lines go
// by priority (which grows as they wait), the share of their owners and their turn, not by how near a deadline is.

import type { LabelDemand } from '../../shared/model/labels.ts';
import type { Resources } from '../../shared/model/resources.ts';
import type { RunTime } from '../../shared/model/run-times.ts';
import type { PlanRules } from '../../shared/model/scheduling.ts';
import { Backlog, groupKey } from './backlog.ts';
import { type Play, playOn } from './forecast-play.ts';
import { placeAll } from './passes.ts';
import type { OwnerView, PlanMemory, WorkerView } from './snapshot.ts';

/** How long a run takes or still takes. */
export type Span = Pick<RunTime, 'lowerMs' | 'medianMs' | 'upperMs'>;

export interface Waiting {
  readonly id: string;
  readonly ownerId: string;
  readonly labels: LabelDemand;
  readonly image: string;
  readonly submittedAt: number;
  readonly deadline: number;
  readonly priority: number;
  readonly resources: Resources;
  readonly worker: string | null;
  readonly notBefore: number;
  readonly queuedAt: number;
  readonly run: Span;
}

export interface Running {
  readonly ownerId: string;
  readonly workerId: string;
  readonly resources: Resources;
  readonly rest: Span;
}

/** Milliseconds since the epoch; `earliest` ≤ `at` ≤ `latest`. */
export interface StartEstimate {
  readonly at: number;
  readonly earliest: number;
  readonly latest: number;
}

export interface ForecastScene {
  /** In order of id. */
  readonly workers: readonly WorkerView[];
  readonly running: readonly Running[];
  /** What they hold, what `running` do included. */
  readonly owners: ReadonlyMap<string, OwnerView>;
  /** In order of priority, then id. May be only the beginning of the queue. */
  readonly queue: readonly Waiting[];
  readonly rules: PlanRules;
  /** As the leader told it last. */
  readonly memory: PlanMemory;
}

/** Kinds × workers that the plan may have to compare, some 50 ns each at worst: the queue is cut before it is more. */
const LOOKS_MOST = 2_000_000;
/** A run that outlived what its kind takes: its rest as a part of what it has taken. */
const OVERDUE = { lower: 0, median: 0.25, upper: 1 };

/** What is left of a run that has taken `elapsedMs`. */
export function restOf(run: Span, elapsedMs: number): Span {
  const rest = (of: number, overdue: number) => Math.max(of - elapsedMs, elapsedMs * overdue);
  return {
    lowerMs: rest(run.lowerMs, OVERDUE.lower),
    medianMs: rest(run.medianMs, OVERDUE.median),
    upperMs: rest(run.upperMs, OVERDUE.upper),
  };
}

/**
 * By task id; who is not there would never start as things are, or is too far down to say. In steps, so that a caller
 * may let others run in between.
 */
export function* forecast(
  scene: ForecastScene,
  now: number,
): Generator<void, Map<string, StartEstimate>, void> {
  const queue = beginning(scene);
  const told = new Map<string, StartEstimate>();
  const backlog = new Backlog();
  for (const task of queue) backlog.put({ ...task, expectedMs: task.run.medianMs, revision: 1 }, now);
  const tasks = new Map(queue.map((task) => [task.id, task]));
  const rules = { ...scene.rules, preemption: false };
  const { workers, owners, placements, memory } = yield* placeAll(
    { ...scene, rules, holdingsOf: () => [] },
    backlog,
    tasks,
    now,
    0,
  );
  const placed = new Set<string>();
  const served = new Set<string>();
  const started = placements.map(({ taskId, workerId }): Running => {
    placed.add(taskId);
    told.set(taskId, { at: now, earliest: now, latest: now });
    const task = tasks.get(taskId) as Waiting;
    const { ownerId, resources, run } = task;
    served.add(groupKey(task));
    return { ownerId, workerId, resources, rest: run };
  });
  const waiting = queue.filter(({ id }) => !placed.has(id));
  if (waiting.length === 0) return told;
  const running = [...scene.running, ...started];
  const play: Omit<Play, 'spanOf'> = {
    workers,
    running,
    owners,
    waiting,
    served,
    rules,
    memory,
  };
  yield;
  const usual = playOn({ ...play, spanOf: ({ medianMs }) => medianMs }, now);
  yield;
  const quick = playOn({ ...play, spanOf: ({ lowerMs }) => lowerMs }, now);
  yield;
  const slow = playOn({ ...play, spanOf: ({ upperMs }) => upperMs }, now);
  for (const { id } of waiting) {
    const [at, soon, late] = [usual.get(id), quick.get(id), slow.get(id)];
    if (at === undefined || soon === undefined || late === undefined) continue;
    told.set(id, { at, earliest: Math.min(soon, at), latest: Math.max(late, at) });
  }
  return told;
}

/** As much of the queue as is of few enough kinds. */
function beginning({ queue, workers }: ForecastScene): readonly Waiting[] {
  const most = Math.max(1, Math.floor(LOOKS_MOST / Math.max(1, workers.length)));
  const kinds = new Set<string>();
  const end = queue.findIndex((task) => {
    kinds.add(groupKey(task));
    return kinds.size > most;
  });
  return end === -1 ? queue : queue.slice(0, end);
}
