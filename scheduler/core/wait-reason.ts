// Why something waits, as a code and as a sentence, by the rule that places (fit.ts). Pure, and one look at each worker
// for each line of tasks, so that thousands of waiting tasks can be told at a time. It must never place.

import { type LabelDemand, type LabelTerms, meetsTerms } from '../../shared/model/labels.ts';
import { fits, NO_RESOURCES, type Resources } from '../../shared/model/resources.ts';
import { describeSpan } from './amounts.ts';
import { groupKey } from './backlog.ts';
import { allows } from './fair-share.ts';
import { roomOf } from './fit.ts';
import type { Scene } from './scene.ts';
import type { WorkerView } from './snapshot.ts';
import { missing } from './wait-reasons.ts';
import {
  describeClosed,
  describeKept,
  describeMaking,
  describeNoRoom,
  describeOverQuota,
  describeQuotaUsed,
  describeTooLarge,
  describeUnlabelled,
  describeUnmountable,
} from './wait-words.ts';

/** Why it fits nowhere now. */
export type LackCode =
  | 'no_workers'
  | 'worker_missing'
  /** No worker has the labels it must find. */
  | 'labels_missing'
  /** Workers have these, and none lets be mounted what it mounts. */
  | 'mounts_missing'
  | 'never'
  /** It needs more than the quota of its owner in all. */
  | 'over_quota'
  | 'not_ready'
  /** It may start when others of its owner have ended. */
  | 'quota_used'
  | 'no_room';
export type WaitCode =
  | 'next'
  | 'behind'
  | 'retry_delay'
  | LackCode
  /** As `no_room`, and a worker is being kept free for it. */
  | 'reserved'
  /** As `reserved`, and tasks there have been told to leave. */
  | 'preempting';

/** These cannot start however long they wait, as long as the cluster and the quotas stay as they are. */
export const HOPELESS: readonly LackCode[] = [
  'no_workers',
  'worker_missing',
  'labels_missing',
  'mounts_missing',
  'never',
  'over_quota',
];

export interface Lack {
  readonly code: LackCode;
  readonly sentence: string;
  /** The worker that is being kept free for the line, with how many tasks it was told to let go. */
  readonly making: { readonly workerId: string; readonly taskId: string; readonly leaving: number } | null;
}

/** What there is for tasks of one line. */
export type Prospect = { readonly code: 'fits'; readonly workerId: string } | Lack;

/** What tells the lines apart. */
export interface LineAsked {
  readonly ownerId: string;
  readonly priority: number;
  readonly need: Resources;
  /** Direct assignment, or null. */
  readonly worker: string | null;
  readonly labels: LabelDemand;
}

export interface Waiter {
  readonly id: string;
  readonly attempt: number;
  /** Why it waits again. */
  readonly message: string | null;
  readonly notBefore: number;
}

export function lineKey({ need, ...line }: LineAsked): string {
  return groupKey({ ...line, resources: need });
}

/** True when the quota of its owner lets one more start. */
export function mayHave({ ownerId, need }: LineAsked, { owners }: Pick<Scene, 'owners'>): boolean {
  const owner = owners.get(ownerId);
  return owner === undefined || allows(owner.quota, owner.held, need);
}

/** @param reader user id of whoever is told: quotas are then `yours`, or those of the owner */
export function prospectOf(asked: LineAsked, scene: Scene, reader: string): Prospect {
  const { need, worker: target, labels } = asked;
  if (!mayHave(asked, scene)) return lackOf(asked, scene, reader);
  const key = lineKey(asked);
  const roomy = scene.workers.find(
    (worker) =>
      worker.state === 'ready' &&
      (target === null || target === worker.id) &&
      fits(need, worker.free) &&
      meetsTerms(labels.constraints, worker.labels) &&
      !isKeptFromLine(scene, worker.id, key),
  );
  return roomy ? { code: 'fits', workerId: roomy.id } : lackOf(asked, scene, reader);
}

/** @param ahead how many waiting tasks go before it */
export function waitOf(
  task: Waiter,
  prospect: Prospect,
  ahead: number,
  now: number,
): { readonly reason: WaitCode; readonly summary: string } {
  if (task.notBefore > now) {
    const why = task.message ? `: ${task.message}` : '';
    const span = describeSpan(task.notBefore - now);
    return { reason: 'retry_delay', summary: `Waits ${span} before attempt ${task.attempt}${why}.` };
  }
  if (prospect.code !== 'fits') {
    const { code, sentence, making } = prospect;
    if (making?.taskId !== task.id) return { reason: code, summary: sentence };
    return {
      reason: making.leaving > 0 ? 'preempting' : 'reserved',
      summary: `${sentence} ${describeMaking(making)}`,
    };
  }
  const { workerId } = prospect;
  if (ahead === 0) {
    return { reason: 'next', summary: `Next in line: it fits on ${workerId} and is about to be placed.` };
  }
  const [before, go] = ahead === 1 ? ['1 task', 'goes'] : [`${ahead} tasks`, 'go'];
  return {
    reason: 'behind',
    summary: `In line: it fits on ${workerId} now, and ${before} ${go} before it.`,
  };
}

/** True when the worker is being kept free for another line. */
export function isKeptFromLine({ kept }: Pick<Scene, 'kept'>, workerId: string, key: string): boolean {
  if (kept.size === 0) return false;
  const reservation = kept.get(workerId);
  return reservation !== undefined && reservation.groupKey !== key;
}

/** Why something that may not be placed now waits: what no waiting can change is said first. */
function lackOf(asked: LineAsked, scene: Scene, reader: string): Lack {
  const { need, worker: target, labels, ownerId } = asked;
  const { workers } = scene;
  const lack = (code: LackCode, sentence: string): Lack => ({ code, sentence, making: null });
  if (workers.length === 0 && target === null)
    return lack('no_workers', 'Waits: no workers have joined yet.');
  const allowed = target === null ? workers : workers.filter(({ id }) => id === target);
  if (allowed.length === 0) {
    const sentence = `Waits for ${target}, the only worker it may run on, which is not part of the cluster.`;
    return lack('worker_missing', sentence);
  }
  const { constraints } = labels;
  const matching = withLabels(allowed, constraints);
  if (matching.length === 0) {
    const code = missing(labels, allowed);
    const describe = code === 'mounts_missing' ? describeUnmountable : describeUnlabelled;
    return lack(code, describe(constraints, target, allowed));
  }
  const large = matching.filter(({ capacity }) => fits(need, capacity));
  if (large.length === 0) return lack('never', describeTooLarge(need, constraints, target, matching));
  const owner = scene.owners.get(ownerId);
  const isOwn = ownerId === reader;
  const quota = owner?.quota ?? null;
  if (!allows(quota, NO_RESOURCES, need))
    return lack('over_quota', describeOverQuota(need, roomOf(quota), isOwn));
  const home = large.filter(({ state }) => state === 'ready');
  if (home.length === 0) {
    return lack('not_ready', describeClosed(constraints, target, large, matching));
  }
  const roomy = home.filter(({ free }) => fits(need, free));
  const key = lineKey(asked);
  if (owner && !allows(quota, owner.held, need)) {
    const hasRoom = roomy.some(({ id }) => !isKeptFromLine(scene, id, key));
    return lack('quota_used', describeQuotaUsed(need, owner, isOwn, hasRoom));
  }
  const making = makingFor(scene, key);
  const [first] = roomy;
  const sentence = first
    ? describeKept(first)
    : describeNoRoom(need, constraints, target, home, workers.length);
  return { code: 'no_room', sentence, making };
}

function makingFor({ kept, leaving }: Scene, key: string): Lack['making'] {
  for (const { workerId, groupKey: line, taskId } of kept.values()) {
    if (line === key) return { workerId, taskId, leaving: leaving.get(workerId) ?? 0 };
  }
  return null;
}

function withLabels(workers: readonly WorkerView[], constraints: LabelTerms): readonly WorkerView[] {
  if (Object.keys(constraints).length === 0) return workers;
  return workers.filter(({ labels }) => meetsTerms(constraints, labels));
}
