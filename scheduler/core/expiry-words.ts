// What a task that was given up had waited for, in words, from what the last pass said of its line. Pure.

import type { WaitReason } from './snapshot.ts';

const WORDS: Readonly<Record<WaitReason, (worker: string) => string>> = {
  not_yet: () => 'it was not to be placed yet',
  no_ready_worker: () => 'no worker was ready',
  labels_missing: () => 'no worker had the labels it needs',
  mounts_missing: () => 'no worker let be mounted what it mounts',
  no_ready_match: () => 'no worker with the labels it needs was ready',
  over_quota: () => 'it needs more than the quota of its owner in all',
  quota_used: () => 'the quota of its owner was used up',
  worker_unknown: (worker) => `${worker}, the only worker it may run on, was not part of the cluster`,
  worker_down: (worker) => `${worker}, the only worker it may run on, was down`,
  worker_cordoned: (worker) => `${worker}, the only worker it may run on, was cordoned`,
  worker_draining: (worker) => `${worker}, the only worker it may run on, was draining`,
  worker_unhealthy: (worker) => `${worker}, the only worker it may run on, was unhealthy`,
  too_large: () => 'no ready worker was large enough',
  no_room: () => 'no worker had room for it',
  reserved: () => 'no worker had room for it yet; one was being kept free for it',
  preempting: () => 'no worker had room for it yet; others were leaving one for it',
};

/** @param worker direct assignment, or null */
export function waitedForWords(reason: WaitReason, worker: string | null): string {
  return WORDS[reason](worker ?? 'the worker');
}
