// How tasks do against their deadlines: submitted + k × expected run time. Pure: time is handed in.
//
// The deadline follows from what was known when the task was submitted, so it does not move while the task waits, and
// neither its own run nor a later one shapes it. Whether it is in danger is judged by the newest knowledge.
// A task that failed or was cancelled has neither met nor missed anything: its own end says what there is to say, and
// counting it would mix how fast the cluster is with how good the programs are.

import type { RunTime } from './run-times.ts';
import type { Task } from './task.ts';

export interface Sla {
  readonly expectedMs: number;
  /** How many runs that is learned from; 0: it is the default. */
  readonly learnedFrom: number;
  readonly deadline: number;
  /**
   * `met`, `missed`: final once the task has completed. Before: `safe`; `at_risk` when less time is left than the
   * expected rest of the run; `missed` when the deadline has passed.
   */
  readonly state: 'safe' | 'at_risk' | 'met' | 'missed';
}

export interface SlaSubject extends Pick<Task, 'state' | 'submittedAt' | 'startedAt' | 'finishedAt'> {
  readonly kValue: number;
}

/** Milliseconds since the epoch: submitted + k × expected. */
export function deadlineOf(
  { submittedAt, kValue }: Pick<SlaSubject, 'submittedAt' | 'kValue'>,
  expectedMs: number,
): number {
  return Math.round(submittedAt + kValue * expectedMs);
}

/**
 * @param promised as of the submission
 * @param known by all that is known now
 * @returns null for a task that failed or was cancelled
 */
export function slaOf(task: SlaSubject, promised: RunTime, known: RunTime, now: number): Sla | null {
  const { state, submittedAt, startedAt, finishedAt, kValue } = task;
  if (state === 'failed' || state === 'cancelled') return null;
  const deadline = deadlineOf({ submittedAt, kValue }, promised.medianMs);
  const isMet = (finishedAt ?? now) <= deadline;
  const judged =
    state === 'completed'
      ? isMet
        ? 'met'
        : 'missed'
      : dangerOf({ deadline, expectedMs: known.medianMs, startedAt }, now);
  return { expectedMs: promised.medianMs, learnedFrom: promised.learnedFrom, deadline, state: judged };
}

/** How a task that has not ended does against its deadline. */
export function dangerOf(
  of: { readonly deadline: number; readonly expectedMs: number; readonly startedAt: number | null },
  now: number,
): 'safe' | 'at_risk' | 'missed' {
  const { deadline, expectedMs, startedAt } = of;
  const rest = Math.max(0, expectedMs - (startedAt === null ? 0 : Math.max(0, now - startedAt)));
  if (now > deadline) return 'missed';
  return deadline - now < rest ? 'at_risk' : 'safe';
}

export interface SlaAttainment {
  readonly windowMs: number;
  readonly met: number;
  readonly missed: number;
}

export const ATTAINMENT_WINDOW_MS = 24 * 3_600_000;
const BUCKET_MS = 60_000;

/** Counts of the last day, to the minute. */
export class AttainmentWindow {
  readonly #buckets = new Map<number, { met: number; missed: number }>();

  add(finishedAt: number, isMet: boolean): void {
    const minute = Math.floor(finishedAt / BUCKET_MS);
    const bucket = this.#buckets.get(minute) ?? { met: 0, missed: 0 };
    bucket[isMet ? 'met' : 'missed'] += 1;
    this.#buckets.set(minute, bucket);
  }

  /** Forgets what is older. */
  read(now: number): SlaAttainment {
    const first = Math.floor((now - ATTAINMENT_WINDOW_MS) / BUCKET_MS);
    let [met, missed] = [0, 0];
    for (const [minute, bucket] of this.#buckets) {
      if (minute <= first) this.#buckets.delete(minute);
      else [met, missed] = [met + bucket.met, missed + bucket.missed];
    }
    return { windowMs: ATTAINMENT_WINDOW_MS, met, missed };
  }
}
