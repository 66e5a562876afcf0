// Where tasks would go that nobody has submitted. Pure, and by the very plan that places: the passes the scheduler
// would make from this picture on if nothing ended and nothing else came. It must never place by a rule of its own.

import type { LabelDemand } from '../../shared/model/labels.ts';
import { addResources, NO_RESOURCES, type Resources } from '../../shared/model/resources.ts';
import { Backlog, groupKey } from './backlog.ts';
import { lesserOf } from './fit.ts';
import { type Afterwards, type Before, type Candidate, placeAll } from './passes.ts';
import { keptOf, type OwnerScene, type Scene } from './scene.ts';
import type { WaitingTask, WaitReason } from './snapshot.ts';
import { HOPELESS, type LineAsked, lineKey } from './wait-reason.ts';
import { describeNow, describeRest, explainLack, type Lack, lackInShort, WISH } from './what-if-words.ts';

/** Tasks that are all alike. */
export interface Wish {
  readonly ownerId: string;
  readonly need: Resources;
  /** Direct assignment, or null. */
  readonly worker: string | null;
  readonly labels: LabelDemand;
  readonly priority: number;
  readonly image: string;
  /** How long one should run, and within which time from now on it should have ended. */
  readonly expectedMs: number;
  readonly slaMs: number;
  readonly count: number;
}

export interface Picture extends Before {
  readonly owners: ReadonlyMap<string, OwnerScene>;
  /** By id of the worker how many tasks there have been told to leave it. */
  readonly leaving: ReadonlyMap<string, number>;
  /** What waits already; those of the same line go before the wishes. */
  readonly backlog: readonly WaitingTask[];
}

export interface WishFate {
  readonly placed: number;
  /** `waits`: not all of them now. `never`: no worker could run one even when empty, or the quota is too small for one. */
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
  return new Set(wishes.map((wish: LineAsked) => lineKey(wish))).size;
}

/**
 * Done in steps of a few milliseconds, so that a caller may let others run in between.
 * The same picture, wishes, time and seed give the same answer.
 * @param reader user id of whoever is told: quotas are then `yours`, or those of the owner
 */
export function* whatIf(
  picture: Picture,
  wishes: readonly Wish[],
  now: number,
  seed: number,
  reader: string,
): Generator<void, WhatIf, void> {
  const backlog = new Backlog();
  const candidates = new Map<string, Candidate>();
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
    candidates.set(task.id, task);
  }

  const made = yield* placeAll(picture, backlog, candidates, now, seed);
  const wentTo = wishes.map(() => new Map<string, number>());
  const fates = new Map<string, WorkerFate>();
  for (const { taskId, workerId } of made.placements) {
    const { resources } = candidates.get(taskId) as Candidate;
    const wish = wishOf.get(taskId);
    fates.set(workerId, given(fates.get(workerId), workerId, resources, wish !== undefined));
    const counts = wish === undefined ? undefined : wentTo[wish];
    counts?.set(workerId, (counts.get(workerId) ?? 0) + 1);
  }

  const scene = sceneAfter(picture, made, candidates, now);
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
    const line = lineKey(wish);
    let lack = explained.get(line);
    if (!lack) {
      yield;
      judged += scene.workers.length;
      const isWhole = judged <= JUDGED_MOST || explained.size === 0;
      lack = isWhole ? explainLack(wish, scene, reader) : lackInShort(wish, scene, reader);
      explained.set(line, lack);
    }
    answered.push({
      placed,
      verdict: HOPELESS.some((code) => code === lack.code) ? 'never' : 'waits',
      reason: lack.reason,
      summary: describeRest(wish.count, placed, lack),
      workers,
    });
  }
  return { wishes: answered, workers: [...fates.values()], isPartial };
}

/** What the reasons of those that are left are read from. */
function sceneAfter(
  picture: Picture,
  { workers, owners, placements, preemptions, memory }: Afterwards,
  candidates: ReadonlyMap<string, Candidate>,
  now: number,
): Scene {
  const before = new Map<string, OwnerScene>(picture.owners);
  for (const { taskId } of placements) {
    const { ownerId, resources } = candidates.get(taskId) as Candidate;
    const one = before.get(ownerId);
    const least = one && one.tasks > 0 ? lesserOf(one.least, resources) : resources;
    const { held, quota } = owners.get(ownerId) ?? { held: NO_RESOURCES, quota: null };
    before.set(ownerId, { held, quota, tasks: (one?.tasks ?? 0) + 1, least });
  }
  const leaving = new Map(picture.leaving);
  for (const { workerId } of preemptions) leaving.set(workerId, (leaving.get(workerId) ?? 0) + 1);
  return { workers, owners: before, kept: keptOf(memory.reservations, now), leaving };
}

/** Takes kinds of the backlog, first come first, as long as a pass can compare them with all workers. */
function admission(
  { workers }: Picture,
  wishes: readonly Wish[],
): (task: Parameters<typeof groupKey>[0]) => boolean {
  const kinds = new Set(wishes.map((wish: LineAsked) => lineKey(wish)));
  const most = kinds.size + Math.max(1, Math.floor(BACKLOG_LOOKS_MOST / Math.max(1, workers.length)));
  return (task) => {
    const key = groupKey(task);
    if (!kinds.has(key) && kinds.size >= most) return false;
    kinds.add(key);
    return true;
  };
}

/** Ids of tasks begin with `task-`, so these come after all of them, as tasks submitted now would. */
function* waitingTasks(
  backlog: readonly WaitingTask[],
  wishes: readonly Wish[],
  wishOf: Map<string, number>,
  now: number,
): Generator<WaitingTask> {
  yield* backlog;
  for (const [index, wish] of wishes.entries()) {
    const { ownerId, need, worker, labels, priority, count, image, expectedMs, slaMs } = wish;
    for (let copy = 0; copy < count; copy += 1) {
      const id = `${WISH}${String(wishOf.size).padStart(9, '0')}`;
      wishOf.set(id, index);
      yield {
        id,
        ownerId,
        revision: 1,
        priority,
        resources: need,
        worker,
        labels,
        image,
        notBefore: 0,
        submittedAt: now,
        queuedAt: now,
        expectedMs,
        deadline: now + slaMs,
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
