// What recorded passes meant for one task, in words. Pure.

import { amounts } from '../../client/words.ts';
import type { Placed, TaskMoment, Waited } from '../../scheduler/core/task-moments.ts';
import type { Resources } from '../../shared/model/resources.ts';
import { plain } from '../table.ts';

const REASONS: Readonly<Record<Waited['reason'], string>> = {
  not_yet: 'it was to be placed later, after a pause',
  no_ready_worker: 'no worker was ready',
  labels_missing: 'no worker had the labels it must have',
  mounts_missing: 'no worker let be mounted what it mounts',
  no_ready_match: 'no ready worker had the labels it must have',
  over_quota: 'it asks for more than its owner may have',
  quota_used: 'its owner had as much as they may have',
  worker_unknown: 'the worker it asked for was not in the cluster',
  worker_down: 'the worker it asked for was down',
  worker_cordoned: 'the worker it asked for was cordoned',
  worker_draining: 'the worker it asked for was draining',
  worker_unhealthy: 'the worker it asked for was unhealthy',
  too_large: 'no ready worker could have taken it even when empty',
  no_room: 'no worker had room',
  reserved: 'no worker had room, and one was being kept free for it',
  preempting: 'no worker had room, and tasks of lower priority were told to leave one for it',
  pass_full: 'the pass had placed as many as it may',
};

/** Where it fitted: so many are named. */
const NAMED = 8;

/** A paragraph for each placement and eviction, a line for each stretch of waiting. */
export function storyText(taskId: string, moments: readonly TaskMoment[]): string {
  if (moments.length === 0) {
    return `Nothing that is kept tells of ${plain(taskId)}: no pass looked at it or placed it.\n`;
  }
  return stretches(moments).map(stretchText).join('');
}

/** Passes in a row with the same reason belong together. */
function stretches(moments: readonly TaskMoment[]): TaskMoment[][] {
  const found: TaskMoment[][] = [];
  for (const moment of moments) {
    const last = found.at(-1)?.[0];
    const goesOn = last?.kind === 'waited' && moment.kind === 'waited' && last.reason === moment.reason;
    if (goesOn) found.at(-1)?.push(moment);
    else found.push([moment]);
  }
  return found;
}

function stretchText(stretch: readonly TaskMoment[]): string {
  const [first] = stretch as [TaskMoment];
  const last = stretch.at(-1) as TaskMoment;
  if (first.kind === 'waited') {
    const when =
      stretch.length === 1
        ? `${timeText(first.at)}  waited in ${passText(first)}`
        : `${timeText(first.at)}  waited in ${stretch.length} passes that placed others, until ${timeText(last.at)}`;
    return `${when}: ${REASONS[first.reason]}\n`;
  }
  if (first.kind === 'told_to_leave') {
    return `${timeText(first.at)}  told to leave ${plain(first.workerId)} for ${plain(first.forTask)} in ${passText(first)}\n`;
  }
  return placedText(first);
}

function placedText(placed: Placed): string {
  const { at, workerId, gpuIds, fitted } = placed;
  const devices = gpuIds.length === 0 ? '' : ` with ${gpuIds.map(plain).join(', ')}`;
  const others = fitted.filter((one) => one.workerId !== workerId);
  const named = others
    .slice(0, NAMED)
    .map(
      (one) =>
        `    ${plain(one.workerId)}: ${freeText(one.free)} free${one.isKept ? ', kept for another task' : ''}\n`,
    );
  const more = others.length > NAMED ? `    and ${others.length - NAMED} more\n` : '';
  const chosen = fitted.find((one) => one.workerId === workerId);
  const head = `${timeText(at)}  placed on ${plain(workerId)}${devices} in ${passText(placed)}`;
  const room = chosen ? `, which had ${freeText(chosen.free)} free` : '';
  const rest =
    others.length === 0 ? '  It fitted nowhere else.\n' : `  It would have fitted elsewhere, too:\n`;
  return `${head}${room}\n${rest}${named.join('')}${more}`;
}

function passText({ pass, term }: { pass: number; term: number }): string {
  return `pass ${pass} of term ${term}`;
}

function timeText(at: number): string {
  return new Date(at).toISOString();
}

function freeText({ cpuMillis, memoryMb, gpus, storageMb }: Resources): string {
  return amounts({ cpu: cpuMillis / 1_000, memory: memoryMb, gpu: gpus, storage: storageMb });
}
