// The smallest change with which a waiting task could start now, as a value and as a sentence. Pure.

import { describeTerms, type LabelTerms, NO_TERMS } from '../../shared/model/labels.ts';
import { type Resources, type Shortfall, shortfalls } from '../../shared/model/resources.ts';
import type { ResourceQuota } from '../../shared/model/user.ts';
import { describeAmount, joinWords } from './amounts.ts';
import { allows } from './fair-share.ts';
import { type Asked, distance, judge, lesserOf, roomOf, type Verdict } from './fit.ts';

/** A container below this does not start. */
const LEAST_MEMORY_MB = 6;

export interface OwnerShare {
  readonly held: Resources;
  readonly quota: ResourceQuota | null;
}

/** Each is enough by itself, and names the worker where the task could start then. */
export type Change = { readonly workerId: string } & (
  | { readonly kind: 'untie'; readonly from: string }
  | { readonly kind: 'drop_labels'; readonly terms: LabelTerms }
  | { readonly kind: 'raise_quota'; readonly quota: ResourceQuota; readonly short: readonly Shortfall[] }
  | { readonly kind: 'uncordon' }
  | { readonly kind: 'shrink'; readonly need: Resources; readonly short: readonly Shortfall[] }
);

/**
 * In this order: another worker than the one asked for, fewer labels that it must find, a larger quota, a worker in
 * maintenance that has room, a smaller request. Null when none of these alone would do.
 */
export function suggestChange(asked: Asked, owner: OwnerShare, verdicts: readonly Verdict[]): Change | null {
  const left = roomOf(owner.quota, owner.held);
  if (!allows(owner.quota, owner.held, asked.need)) {
    return raisedQuota(asked.need, owner, verdicts) ?? smallestCut(asked.need, left, verdicts);
  }
  return (
    untied(asked, verdicts) ??
    unlabelled(asked, verdicts) ??
    opened(verdicts) ??
    smallestCut(asked.need, left, verdicts)
  );
}

export function describeChange(change: Change): string {
  const { workerId } = change;
  switch (change.kind) {
    case 'untie':
      return `It could start now on ${workerId} if it were not tied to ${change.from}.`;
    case 'drop_labels':
      return `It could start now on ${workerId} if it did not need ${describeTerms(change.terms)}.`;
    case 'raise_quota': {
      const most = change.short.map(({ dimension }) =>
        describeAmount(dimension, change.quota[dimension as keyof ResourceQuota] ?? 0),
      );
      return `With a quota of ${joinWords(most)} it could start now on ${workerId}.`;
    }
    case 'uncordon':
      return `It could start now on ${workerId} if that were uncordoned.`;
    case 'shrink': {
      const wanted = change.short.map(({ dimension, available }) => describeAmount(dimension, available));
      return `With ${joinWords(wanted)} it could start now on ${workerId}.`;
    }
  }
}

function untied(asked: Asked, verdicts: readonly Verdict[]): Change | null {
  const { worker: from } = asked;
  if (from === null) return null;
  const other = verdicts.find(
    ({ worker, isKept }) => judge({ ...asked, worker: null }, worker, isKept).fitsNow,
  );
  return other ? { kind: 'untie', workerId: other.worker.id, from } : null;
}

/** The worker for which the fewest terms have to go. */
function unlabelled(asked: Asked, verdicts: readonly Verdict[]): Change | null {
  const free = { ...asked, labels: { constraints: NO_TERMS } };
  let best: Change | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  for (const { worker, isKept, excludedBy, unmet } of verdicts) {
    const count = Object.keys(unmet).length;
    const isForTerms = excludedBy === 'labels' || excludedBy === 'mounts';
    if (!isForTerms || count >= fewest || !judge(free, worker, isKept).fitsNow) continue;
    [best, fewest] = [{ kind: 'drop_labels', workerId: worker.id, terms: unmet }, count];
  }
  return best;
}

function opened(verdicts: readonly Verdict[]): Change | null {
  const closed = verdicts.find(
    ({ excludedBy, missing, isKept }) =>
      (excludedBy === 'cordoned' || excludedBy === 'draining') && missing.length === 0 && !isKept,
  );
  return closed ? { kind: 'uncordon', workerId: closed.worker.id } : null;
}

function raisedQuota(
  need: Resources,
  { held, quota }: OwnerShare,
  verdicts: readonly Verdict[],
): Change | null {
  const fitting = verdicts.find(({ fitsNow }) => fitsNow);
  if (!fitting) return null;
  const short = shortfalls(need, roomOf(quota, held));
  const isShort = (of: keyof ResourceQuota) => short.some(({ dimension }) => dimension === of);
  const most = (of: keyof ResourceQuota) => (isShort(of) ? held[of] + need[of] : (quota?.[of] ?? null));
  const raised = { cpuMillis: most('cpuMillis'), memoryMb: most('memoryMb'), gpus: most('gpus') };
  return { kind: 'raise_quota', workerId: fitting.worker.id, quota: raised, short };
}

/** The open worker for which the request would have to shrink in the fewest dimensions, then by the least. */
function smallestCut(need: Resources, left: Resources, verdicts: readonly Verdict[]): Change | null {
  let best: Change | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const { worker, excludedBy } of verdicts) {
    if (excludedBy !== null) continue;
    const room = lesserOf(worker.free, left);
    const short = shortfalls(need, room);
    const far = distance(short);
    if (far >= least || !isUsable(short)) continue;
    [best, least] = [{ kind: 'shrink', workerId: worker.id, need: lesserOf(need, room), short }, far];
  }
  return best;
}

/** A task cannot do without cpu and memory, and one that asks for a GPU hardly runs without any. */
function isUsable(short: readonly Shortfall[]): boolean {
  return short.every(({ dimension, available }) =>
    dimension === 'memoryMb' ? available >= LEAST_MEMORY_MB : available > 0,
  );
}
