// Why a task waits, or where it stands: per worker, per dimension, and in words. Pure, and by the same rules that
// place (fit.ts), so that the answer is what will happen.

import { demandOf } from '../../shared/model/mounts.ts';
import { NO_RESOURCES, type Shortfall, shortfalls } from '../../shared/model/resources.ts';
import { waitExpiresAt } from '../../shared/model/retry.ts';
import type { Task } from '../../shared/model/task.ts';
import { isTerminal } from '../../shared/model/task-states.ts';
import { describeSpan } from './amounts.ts';
import { judge, roomOf, type Verdict } from './fit.ts';
import type { OwnerScene, Scene } from './scene.ts';
import { describeChange, suggestChange } from './suggest.ts';
import {
  HOPELESS,
  isKeptFromLine,
  type LineAsked,
  lineKey,
  mayHave,
  prospectOf,
  type WaitCode,
  waitOf,
} from './wait-reason.ts';

export interface QuotaVerdict extends Pick<OwnerScene, 'held' | 'quota'> {
  /** How many tasks of the owner hold something. */
  readonly tasks: number;
  /** Against what of the quota is left. */
  readonly missing: readonly Shortfall[];
}

export interface Explanation {
  /** One or more sentences for a person, the suggestion included. */
  readonly summary: string;
  /** Why it waits, as a code; null when it does not wait. */
  readonly reason: WaitCode | null;
  /** The smallest change with which it could start now, as a sentence; null when there is none or no need. */
  readonly suggestion: string | null;
  /** Place among the waiting tasks, 1 is next; null when it does not wait. */
  readonly position: number | null;
  /** False when it cannot start while the cluster and the quotas are as they are; null when it does not wait. */
  readonly feasible: boolean | null;
  /** True when the next plan would place it if it were alone; null when it does not wait. */
  readonly fitsNow: boolean | null;
  /** What its owner may hold; null without a quota, and when it does not wait. */
  readonly quota: QuotaVerdict | null;
  /** The worker that is being kept free for it, or null. */
  readonly reservedWorker: string | null;
  /** One for each worker, in order of id; empty when the task does not wait. */
  readonly workers: readonly Verdict[];
}

export interface Asking {
  /** How many waiting tasks go before this one. */
  readonly ahead: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** User id of whoever is told. */
  readonly reader: string;
}

export function explain(task: Task, scene: Scene, { ahead, now, reader }: Asking): Explanation {
  if (task.state !== 'queued') {
    return {
      summary: `${describeNotWaiting(task)}${describeTrouble(task, scene)}`,
      reason: null,
      suggestion: null,
      position: null,
      feasible: null,
      fitsNow: null,
      quota: null,
      reservedWorker: null,
      workers: [],
    };
  }
  const asked = lineOf(task);
  const owner = scene.owners.get(task.ownerId);
  const { verdicts, mayGo } = judgeAll(asked, scene);
  const fitsNow = task.notBefore <= now && mayGo;
  const share = { held: owner?.held ?? NO_RESOURCES, quota: owner?.quota ?? null };
  const change = task.notBefore > now || fitsNow ? null : suggestChange(asked, share, verdicts);
  const suggestion = change && describeChange(change);
  const prospect = prospectOf(asked, scene, reader);
  const told = waitOf(task, prospect, ahead, now);
  const making = prospect.code === 'fits' ? null : prospect.making;
  const sentences = [told.summary, suggestion, describeExpiry(task, now)];
  return {
    summary: sentences.filter((one) => one !== null).join(' '),
    reason: told.reason,
    suggestion,
    position: ahead + 1,
    feasible: prospect.code === 'fits' || !HOPELESS.includes(prospect.code),
    fitsNow,
    quota: owner ? quotaVerdict(asked, owner) : null,
    reservedWorker: making?.taskId === task.id ? making.workerId : null,
    workers: verdicts,
  };
}

/** Each worker for one line, and whether a task of it that is due could be placed now. */
export function judgeAll(
  asked: LineAsked,
  scene: Scene,
): { readonly verdicts: readonly Verdict[]; readonly mayGo: boolean } {
  const key = lineKey(asked);
  const verdicts = scene.workers.map((worker) => judge(asked, worker, isKeptFromLine(scene, worker.id, key)));
  return { verdicts, mayGo: mayHave(asked, scene) && verdicts.some((verdict) => verdict.fitsNow) };
}

/** Null when it may wait for ever. */
function describeExpiry(task: Task, now: number): string | null {
  const expiresAt = waitExpiresAt(task);
  if (expiresAt === null) return null;
  if (expiresAt <= now) return 'It has waited for as long as it may, and is given up.';
  return `It is given up in ${describeSpan(expiresAt - now)} unless it is placed before.`;
}

function lineOf({ ownerId, spec }: Task): LineAsked {
  const { priority, resources: need, worker } = spec;
  return { ownerId, priority, need, worker, labels: demandOf(spec) };
}

function quotaVerdict({ need }: LineAsked, { held, quota, tasks }: OwnerScene): QuotaVerdict | null {
  if (quota === null) return null;
  return { held, quota, tasks, missing: shortfalls(need, roomOf(quota, held)) };
}

/** Why what is to happen with a placed task may take long. */
function describeTrouble(task: Task, { workers }: Scene): string {
  const worker = isTerminal(task.state) ? undefined : workers.find(({ id }) => id === task.workerId);
  return worker?.trouble === undefined ? '' : ` ${worker.id} is unhealthy: ${worker.trouble}.`;
}

function describeNotWaiting(task: Task): string {
  const on = task.workerId === null ? '' : ` on ${task.workerId}`;
  const because = task.message === null || task.message === '' ? '' : `: ${task.message.replace(/\.$/, '')}`;
  if (!isTerminal(task.state) && task.cancel) {
    return `Is being cancelled${on}: it ends once its container is gone.`;
  }
  switch (task.state) {
    case 'assigned':
      return `Given to ${task.workerId} (attempt ${task.attempt}), which prepares to start it.`;
    case 'running':
      return `Runs${on} (attempt ${task.attempt}).`;
    case 'completed':
      return `Completed${on}.`;
    case 'failed':
      return `Failed${on}${because || `: ${task.reason ?? 'for no known reason'}`}.`;
    default:
      return `Was cancelled${because}.`;
  }
}
