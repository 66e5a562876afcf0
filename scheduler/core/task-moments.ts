// What one recorded pass meant for one task: where it went and where else it fitted, or why it went on waiting. Pure.

import { meetsTerms } from '../../shared/model/labels.ts';
import { fits, type Resources, subtractResources } from '../../shared/model/resources.ts';
import type { Decision } from './decision-reader.ts';
import type { Group, GroupEntry, Plan, WaitReason, WorkerView } from './snapshot.ts';

interface Moment {
  readonly term: number;
  readonly pass: number;
  readonly at: number;
}
export interface Waited extends Moment {
  readonly kind: 'waited';
  /** `pass_full`: the pass had placed as many as it may before the line had its turn. */
  readonly reason: WaitReason | 'pass_full';
}
export interface Placed extends Moment {
  readonly kind: 'placed';
  readonly workerId: string;
  readonly gpuIds: readonly string[];
  /** Ready workers that met what it asks for and had room at that moment, the chosen one included, in order of id. */
  readonly fitted: readonly Fitting[];
}
export interface Evicted extends Moment {
  readonly kind: 'told_to_leave';
  readonly workerId: string;
  readonly forTask: string;
}
export interface Fitting {
  readonly workerId: string;
  readonly free: Resources;
  /** It was kept free for another line of tasks. */
  readonly isKept: boolean;
}
export type TaskMoment = Waited | Placed | Evicted;

/** @param plan as the pass was decided again; only why a task waited is taken from it */
export function momentsOf(taskId: string, decision: Decision, plan: Pick<Plan, 'waiting'>): TaskMoment[] {
  const { term, pass, now: at, made, snapshot } = decision;
  const moment = { term, pass, at };
  const moments: TaskMoment[] = made.preemptions
    .filter((one) => one.taskId === taskId)
    .map(({ workerId, forTask }) => ({ kind: 'told_to_leave', ...moment, workerId, forTask }));
  const groups = [...snapshot.groups];
  const group = groups.find((one) => entriesOf(one).some(({ id }) => id === taskId));
  if (!group) return moments;
  const placement = made.placements.find((one) => one.taskId === taskId);
  if (!placement) {
    moments.push({ kind: 'waited', ...moment, reason: plan.waiting.get(group.key) ?? 'pass_full' });
    return moments;
  }
  const { workerId, gpuIds } = placement;
  const fitted = workersAt(decision, groups, taskId)
    .filter((worker) => mayTake(worker, group))
    .map(({ id, free }) => ({ workerId: id, free, isKept: isKept(decision, id, group) }));
  moments.push({ kind: 'placed', ...moment, workerId, gpuIds, fitted });
  return moments;
}

/** The workers with what was free when the task had its turn. */
function workersAt({ snapshot, made }: Decision, groups: readonly Group[], taskId: string): WorkerView[] {
  const needs = new Map(groups.flatMap((group) => entriesOf(group).map(({ id }) => [id, group.need])));
  const free = new Map(snapshot.workers.map((worker) => [worker.id, worker.free]));
  for (const before of made.placements) {
    if (before.taskId === taskId) break;
    const [room, need] = [free.get(before.workerId), needs.get(before.taskId)];
    if (room && need) free.set(before.workerId, subtractResources(room, need));
  }
  return snapshot.workers.map((worker) => ({ ...worker, free: free.get(worker.id) ?? worker.free }));
}

function mayTake({ id, state, free, labels }: WorkerView, group: Group): boolean {
  const isAsked = group.worker === null || group.worker === id;
  return (
    state === 'ready' && isAsked && meetsTerms(group.labels.constraints, labels) && fits(group.need, free)
  );
}

function isKept({ snapshot, now }: Decision, workerId: string, { key }: Group): boolean {
  return snapshot.memory.reservations.some(
    (one) => one.workerId === workerId && one.groupKey !== key && one.until > now,
  );
}

function entriesOf(group: Group): GroupEntry[] {
  const entries: GroupEntry[] = [];
  const all = group.inOrder();
  for (let next = all.next(); !next.done; next = all.next()) entries.push(next.value);
  return entries;
}
