// Where tasks would go that nobody has submitted. Pure, and by the very plan that places: the passes the scheduler
// would make from this picture on if nothing ended and nothing else came. It must never place by a rule of its own.

import type { LabelDemand } from '../../shared/model/labels.ts';
import {
  addResources,
  NO_RESOURCES,
  type Resources,
  resourceShape,
  subtractResources,
} from '../../shared/model/resources.ts';
import { Backlog, groupKey } from './backlog.ts';
import { PASS_LIMIT, plan } from './plan.ts';
import { BARE, type PlanMemory, type WaitingTask, type WaitReason, type WorkerView } from './snapshot.ts';
import { describeNow, describeRest, explainLack, type Lack, lackInShort } from './what-if-words.ts';

/** Tasks that are all alike. */
export interface Wish {
  readonly ownerId: string;
  readonly need: Resources;
  /** Direct assignment, or null. */
  readonly worker: string | null;
  readonly labels: LabelDemand;
  readonly priority: number;
  readonly count: number;
}

export interface Picture {
  /** In order of id. */
  readonly workers: readonly WorkerView[];
  /** What waits already; those of the same priority go before the wishes. */
  readonly backlog: readonly WaitingTask[];
  readonly memory: PlanMemory;
}

export interface WishFate {
  readonly placed: number;
  /** `waits`: not all of them now. `never`: no worker could run one even when empty. */
  readonly verdict: 'now' | 'waits' | 'never';
  /** Why the rest is not placed; null when there is no rest. */
  readonly reason: WaitReason | null;
  /** One to three sentences for a person. */
  readonly summary: string;
  /** Where the placed ones go, in the order in which the workers got their first. */
  readonly workers: readonly { readonly workerId: string; readonly count: number }[];
}

/** What a worker is given. */
export interface WorkerFate {
  readonly workerId: string;
  /** Of the wishes. */
  readonly placed: number;
  /** Of the backlog. */
  readonly placedAhead: number;
  /** What both need together. */
  readonly taken: Resources;
}

export interface WhatIf {
  /** In the order of the wishes. */
  readonly wishes: readonly WishFate[];
  /** Only workers that are given something. */
  readonly workers: readonly WorkerFate[];
  /** True when some of the backlog was left out, so that the answer may be too good. */
  readonly isPartial: boolean;
}

/** Their deadline plays no part. */
const FAR_MS = 1e12;
/** Tasks put into the index between two steps. */
const PUT_BATCH = 2_000;
/** Kinds of wishes × workers: what one pass may have to compare, some 50 ns each at worst. */
const WISH_LOOKS_MOST = 1_000_000;
/** The same of the backlog, where each may want a worker reserved, which costs some 250 ns. */
const BACKLOG_LOOKS_MOST = 500_000;
/** Workers judged in full for the texts, some 3 µs each. Kinds beyond that are told their reason alone. */
const JUDGED_MOST = 100_000;

/** How many kinds of wishes may be asked about at a time, so that a pass stays short. */
export function mostKinds(workers: number): number {
  return Math.max(1, Math.floor(WISH_LOOKS_MOST / Math.max(1, workers)));
}

/** How many kinds there are: what is alike for the plan is one. */
export function countKinds(wishes: readonly Wish[]): number {
  return new Set(wishes.map(keyOf)).size;
}

/**
 * Done in steps of a few milliseconds, so that a caller may let others run in between; `answerAtOnce` does all.
 * The same picture, wishes, time and seed give the same answer.
 */
export function* whatIf(
  picture: Picture,
  wishes: readonly Wish[],
  now: number,
  seed: number,
): Generator<void, WhatIf, void> {
  const backlog = new Backlog();
  const needs = new Map<string, Resources>();
  const wishOf = new Map<string, number>();
  const admit = admission(picture, wishes);
  let isPartial = false;
  let looked = 0;
  for (const task of waitingTasks(picture.backlog, wishes, wishOf, now)) {
    if (++looked % PUT_BATCH === 0) yield;
    if (!wishOf.has(task.id) && !admit(task)) {
      isPartial = true;
      continue;
    }
    backlog.put(task, now);
    needs.set(task.id, task.resources);
  }

  const views = [...picture.workers];
  const indexOf = new Map(views.map(({ id }, index) => [id, index]));
  const wentTo = wishes.map(() => new Map<string, number>());
  const fates = new Map<string, WorkerFate>();
  let { memory } = picture;
  let waiting: ReadonlyMap<string, WaitReason> = new Map();
  for (let more = true; more; ) {
    yield;
    const made = plan(
      { workers: views, groups: backlog.groups(), ...BARE, memory, limit: PASS_LIMIT },
      now,
      seed,
    );
    for (const { taskId, workerId } of made.placements) {
      const need = needs.get(taskId) as Resources;
      const index = indexOf.get(workerId) as number;
      const view = views[index] as WorkerView;
      views[index] = { ...view, free: subtractResources(view.free, need) };
      backlog.remove(taskId);
      const wish = wishOf.get(taskId);
      fates.set(workerId, given(fates.get(workerId), workerId, need, wish !== undefined));
      const counts = wish === undefined ? undefined : wentTo[wish];
      counts?.set(workerId, (counts.get(workerId) ?? 0) + 1);
    }
    ({ memory, waiting, more } = made);
  }

  const explained = new Map<string, Lack>();
  let judged = 0;
  const answered: WishFate[] = [];
  for (const [index, wish] of wishes.entries()) {
    const workers = [...(wentTo[index] ?? [])].map(([workerId, count]) => ({ workerId, count }));
    const placed = workers.reduce((sum, { count }) => sum + count, 0);
    if (placed === wish.count) {
      answered.push({
        placed,
        verdict: 'now',
        reason: null,
        summary: describeNow(wish.count, workers),
        workers,
      });
      continue;
    }
    const kind = `${resourceShape(wish.need)}@${wish.worker ?? ''}`;
    let lack = explained.get(kind);
    if (!lack) {
      yield;
      judged += views.length;
      lack =
        judged <= JUDGED_MOST || explained.size === 0 ? explainLack(wish, views) : lackInShort(wish, views);
      explained.set(kind, lack);
    }
    const planned = waiting.get(keyOf(wish)) ?? 'no_room';
    answered.push({
      placed,
      verdict: lack.isFeasible ? 'waits' : 'never',
      reason: lack.isFeasible && planned === 'too_large' ? 'no_ready_worker' : (lack.reason ?? planned),
      summary: describeRest(wish.count, placed, lack),
      workers,
    });
  }
  return { wishes: answered, workers: [...fates.values()], isPartial };
}

/** All steps of `whatIf` in one go. */
export function answerAtOnce(...given: Parameters<typeof whatIf>): WhatIf {
  const steps = whatIf(...given);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Takes kinds of the backlog, first come first, as long as a pass can compare them with all workers. */
function admission(
  { workers }: Picture,
  wishes: readonly Wish[],
): (task: Parameters<typeof groupKey>[0]) => boolean {
  const kinds = new Set(wishes.map(keyOf));
  const most = kinds.size + Math.max(1, Math.floor(BACKLOG_LOOKS_MOST / Math.max(1, workers.length)));
  return (task) => {
    const key = groupKey(task);
    if (!kinds.has(key) && kinds.size >= most) return false;
    kinds.add(key);
    return true;
  };
}

function keyOf({ ownerId, priority, need, worker, labels }: Wish): string {
  return groupKey({ ownerId, priority, resources: need, worker, labels });
}

/** Ids of tasks begin with `task-`, so these come after all of them, as tasks submitted now would. */
function* waitingTasks(
  backlog: readonly WaitingTask[],
  wishes: readonly Wish[],
  wishOf: Map<string, number>,
  now: number,
): Generator<WaitingTask> {
  yield* backlog;
  for (const [index, { ownerId, need, worker, labels, priority, count }] of wishes.entries()) {
    for (let copy = 0; copy < count; copy += 1) {
      const id = `wish-${String(wishOf.size).padStart(9, '0')}`;
      wishOf.set(id, index);
      yield {
        id,
        ownerId,
        revision: 1,
        priority,
        resources: need,
        worker,
        labels,
        image: '',
        notBefore: 0,
        submittedAt: now,
        queuedAt: now,
        expectedMs: FAR_MS,
        deadline: now + 2 * FAR_MS,
      };
    }
  }
}

function given(fate: WorkerFate | undefined, workerId: string, need: Resources, isWish: boolean): WorkerFate {
  return {
    workerId,
    placed: (fate?.placed ?? 0) + (isWish ? 1 : 0),
    placedAhead: (fate?.placedAhead ?? 0) + (isWish ? 0 : 1),
    taken: addResources(fate?.taken ?? NO_RESOURCES, need),
  };
}
