// Why wished-for tasks would wait, or where they would go, in words. Pure, and from the same judgement as explain.

import { NO_RESOURCES } from '../../shared/model/resources.ts';
import { judgeAll } from './explain.ts';
import type { Scene } from './scene.ts';
import type { WaitReason } from './snapshot.ts';
import { describeChange, suggestChange } from './suggest.ts';
import { HOPELESS, type LackCode, type LineAsked, prospectOf } from './wait-reason.ts';
import { describeKept, describeMaking } from './wait-words.ts';

/** How the ids of tasks begin that nobody has submitted: after all those of tasks. */
export const WISH = 'wish-';

export interface Lack {
  readonly code: LackCode;
  /** As the plan would call it. */
  readonly reason: WaitReason;
  /** Begins with `Waits` when waiting helps. */
  readonly sentence: string;
  readonly suggestion: string | null;
}

/**
 * @param scene as it is when all that may go has been placed
 * @param reader user id of whoever is told
 */
export function explainLack(asked: LineAsked, scene: Scene, reader: string): Lack {
  const lack = lackInShort(asked, scene, reader);
  const { verdicts, mayGo } = judgeAll(asked, scene);
  const owner = scene.owners.get(asked.ownerId);
  const share = { held: owner?.held ?? NO_RESOURCES, quota: owner?.quota ?? null };
  const change = mayGo ? null : suggestChange(asked, share, verdicts);
  return { ...lack, suggestion: change && describeChange(change) };
}

/** The same without a look at every dimension of every worker. */
export function lackInShort(asked: LineAsked, scene: Scene, reader: string): Lack {
  const prospect = prospectOf(asked, scene, reader);
  if (prospect.code === 'fits') {
    // It became free for others after the last pass.
    const sentence = describeKept({ id: prospect.workerId });
    return { code: 'no_room', reason: 'no_room', sentence, suggestion: null };
  }
  const { code, sentence, making } = prospect;
  const isMade = making?.taskId.startsWith(WISH) === true;
  return {
    code,
    reason: isMade ? (making.leaving > 0 ? 'preempting' : 'reserved') : reasonOf(code, asked, scene),
    sentence: isMade ? `${sentence} ${describeMaking(making)}` : sentence,
    suggestion: null,
  };
}

function reasonOf(code: LackCode, { worker: target, labels }: LineAsked, scene: Scene): WaitReason {
  switch (code) {
    case 'no_workers':
      return 'no_ready_worker';
    case 'worker_missing':
      return 'worker_unknown';
    case 'never':
      return 'too_large';
    case 'not_ready': {
      const state = target === null ? undefined : scene.workers.find(({ id }) => id === target)?.state;
      if (state !== undefined && state !== 'ready') return `worker_${state}`;
      return Object.keys(labels.constraints).length > 0 ? 'no_ready_match' : 'no_ready_worker';
    }
    default:
      return code;
  }
}

/** When all go now. */
export function describeNow(count: number, workers: readonly { readonly workerId: string }[]): string {
  const [first] = workers;
  if (!first) return '';
  const where = workers.length === 1 ? first.workerId : `${workers.length} workers`;
  return `${count === 1 ? 'Would' : `All ${count} would`} be placed now, on ${where}.`;
}

/** When some or none do. */
export function describeRest(count: number, placed: number, lack: Lack): string {
  const { sentence, suggestion } = lack;
  const why =
    count === 1 || HOPELESS.some((code) => code === lack.code)
      ? sentence
      : `${placed === 0 ? `None of ${count}` : `${placed} of ${count}`} would be placed now. The ` +
        `${placed === 0 ? 'first' : 'next'} one ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
  return suggestion === null ? why : `${why} ${suggestion}`;
}
