// The sentences about a wait. Pure; which of them is true is decided in wait-reason.ts.

import {
  countMet,
  describeTerms,
  type Labels,
  type LabelTerms,
  meetsTerms,
  unmetTerms,
} from '../../shared/model/labels.ts';
import { isMountTerm, mountTermWords, withoutMounts } from '../../shared/model/mounts.ts';
import { type Resources, shortfalls } from '../../shared/model/resources.ts';
import {
  bareAmount,
  describeAmount,
  describeFree,
  describeHave,
  describeNeed,
  joinWords,
} from './amounts.ts';
import { distanceTo, roomOf } from './fit.ts';
import type { OwnerScene } from './scene.ts';
import type { WorkerView } from './snapshot.ts';

/** `worker with disk=ssd`, or only `worker`. */
function workerWith(constraints: LabelTerms): string {
  const terms = describeTerms(constraints);
  return terms === '' ? 'worker' : `worker with ${terms}`;
}

/** `disk=hdd and no zone`: what stands there instead of what is asked for. */
function describeInstead(unmet: LabelTerms, labels: Labels): string {
  return joinWords(
    Object.entries(unmet).map(([name, values]) =>
      isMountTerm(name)
        ? `no leave to mount ${mountTermWords(name, values)}`
        : Object.hasOwn(labels, name)
          ? `${name}=${labels[name]}`
          : `no ${name}`,
    ),
  );
}

/** @param allowed none of them has the labels */
export function describeUnlabelled(
  constraints: LabelTerms,
  target: string | null,
  allowed: readonly WorkerView[],
): string {
  const nearest = allowed.reduce((best, one) =>
    countMet(constraints, one.labels) > countMet(constraints, best.labels) ? one : best,
  );
  const instead = describeInstead(unmetTerms(constraints, nearest.labels), nearest.labels);
  const wanted = describeTerms(constraints);
  if (target !== null) {
    return `${target}, the only worker it may run on, does not have the labels it needs (${wanted}): it has ${instead}.`;
  }
  return (
    `No worker of the cluster has the labels it needs (${wanted}): the nearest (${nearest.id}) has ${instead}; ` +
    'it will start when such a worker joins.'
  );
}

/** @param allowed some of them have the labels, and none of these lets be mounted what it mounts */
export function describeUnmountable(
  constraints: LabelTerms,
  target: string | null,
  allowed: readonly WorkerView[],
): string {
  const plain = withoutMounts(constraints);
  const unmet = allowed
    .filter(({ labels }) => meetsTerms(plain, labels))
    .map(({ labels }) => unmetTerms(constraints, labels))
    .reduce((best, one) => (Object.keys(one).length < Object.keys(best).length ? one : best));
  const folders = joinWords(Object.entries(unmet).map(([name, values]) => mountTermWords(name, values)));
  if (target !== null) {
    return `${target}, the only worker it may run on, does not let tasks mount ${folders} (MOUNT_ALLOW of its runner).`;
  }
  const which = Object.keys(plain).length === 0 ? 'worker of the cluster' : workerWith(plain);
  return `No ${which} lets tasks mount ${folders} (MOUNT_ALLOW of its runner); it will start when such a worker joins.`;
}

/** @param matching none of them is large enough */
export function describeTooLarge(
  need: Resources,
  constraints: LabelTerms,
  target: string | null,
  matching: readonly WorkerView[],
): string {
  const best = leastMissing(matching, ({ capacity }) => capacity, need);
  const missing = best ? shortfalls(need, best.capacity) : [];
  const needs = `needs ${describeNeed(missing)}`;
  if (target !== null) {
    return `${target}, the only worker it may run on, is not large enough: ${needs}, it has ${describeHave(missing)}.`;
  }
  const which = describeTerms(constraints) === '' ? 'worker of the cluster' : workerWith(constraints);
  return (
    `No ${which} is large enough: ${needs}, the largest (${best?.id}) has ` +
    `${describeHave(missing)}; it will start when such a worker joins.`
  );
}

/** @param most what the quota allows in all */
export function describeOverQuota(need: Resources, most: Resources, isOwn: boolean): string {
  const missing = shortfalls(need, most);
  const whose = isOwn ? 'your quota' : 'the quota of its owner';
  return (
    `It is larger than ${whose} in all: needs ${describeNeed(missing)}, allowed are ${describeHave(missing)}; ` +
    'it cannot start unless the quota grows.'
  );
}

/** @param hasRoom it could start now but for the quota */
export function describeQuotaUsed(
  need: Resources,
  { held, quota, tasks, least }: OwnerScene,
  isOwn: boolean,
  hasRoom: boolean,
): string {
  const missing = shortfalls(need, roomOf(quota, held));
  const most = roomOf(quota);
  const holds = joinWords(
    missing.map(
      ({ dimension }) =>
        `${bareAmount(dimension, held[dimension])} of ${isOwn ? 'your' : 'the'} ${describeAmount(dimension, most[dimension])}`,
    ),
  );
  const whoHolds = isOwn ? `you hold ${holds}` : `its owner holds ${holds} of the quota`;
  // One that is about to end may give back less than what is missing.
  const isOneEnough = missing.every(({ dimension, missing: lacks }) => least[dimension] >= lacks);
  const whose = isOwn ? 'of your' : 'of the owner’s';
  const when =
    tasks === 1
      ? `${isOwn ? 'your' : 'the owner’s'} running task ends`
      : isOneEnough
        ? `one ${whose} ${tasks} running tasks ends`
        : `enough ${whose} ${tasks} running tasks have ended`;
  const room = hasRoom ? '' : ' No worker has room for it now either.';
  return `Waits: needs ${describeNeed(missing)}, and ${whoHolds}; it ${hasRoom ? 'starts' : 'may start'} when ${when}.${room}`;
}

/** @param large none of them is ready */
export function describeClosed(
  constraints: LabelTerms,
  target: string | null,
  large: readonly WorkerView[],
  matching: readonly WorkerView[],
): string {
  const [first] = large;
  if (target !== null && first) {
    return `Waits for ${target}, the only worker it may run on, which is ${describeStanding(first)}.`;
  }
  const shown = large.slice(0, 3).map((worker) => `${worker.id} is ${describeStanding(worker)}`);
  if (large.length > shown.length) shown.push(`${large.length - shown.length} more are not ready either`);
  const someReady = matching.some(({ state }) => state === 'ready');
  const which = `Waits: no ${workerWith(constraints)}${someReady ? ' that is large enough' : ''} is ready`;
  return `${which} (${joinWords(shown)}).`;
}

/** `cordoned`, or `unhealthy: its Docker does not answer`. */
function describeStanding({ state, trouble }: Pick<WorkerView, 'state' | 'trouble'>): string {
  return trouble === undefined ? state : `${state}: ${trouble}`;
}

/** @param home ready and large enough, but full */
export function describeNoRoom(
  need: Resources,
  constraints: LabelTerms,
  target: string | null,
  home: readonly WorkerView[],
  workers: number,
): string {
  const best = leastMissing(home, ({ free }) => free, need);
  if (!best) return 'Waits: no worker has room for it now.';
  const missing = shortfalls(need, best.free);
  const who =
    target !== null
      ? `${best.id}, the only worker it may run on,`
      : workers === 1
        ? `the only worker (${best.id})`
        : `the best ${workerWith(constraints)} (${best.id})`;
  return `Waits: needs ${describeNeed(missing)}, ${who} has ${describeFree(missing, best.capacity)}.`;
}

export function describeKept({ id }: Pick<WorkerView, 'id'>): string {
  return `Waits: ${id} has room, but is kept free for a task that has waited longer.`;
}

export function describeMaking(of: { readonly workerId: string; readonly leaving: number }): string {
  const { workerId, leaving } = of;
  if (leaving === 0) return `${workerId} is being kept free for it.`;
  const who = leaving === 1 ? '1 task there has' : `${leaving} tasks there have`;
  return `${workerId} is being made free for it: ${who} been told to leave.`;
}

function leastMissing(
  workers: readonly WorkerView[],
  room: (worker: WorkerView) => Resources,
  need: Resources,
): WorkerView | null {
  let best: WorkerView | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const worker of workers) {
    const far = distanceTo(need, room(worker));
    if (far < least) [best, least] = [worker, far];
  }
  return best;
}
