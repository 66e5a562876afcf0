// Decides recorded passes again, one after the other, and counts what came of it; on the way it can gather what they
// meant for one task. Loaded only by `replay`: it takes the whole plan.

import { type Decision, DecisionReader, type Gap } from '../../scheduler/core/decision-reader.ts';
import { type Difference, replayDecision } from '../../scheduler/core/replay.ts';
import { momentsOf, type TaskMoment } from '../../scheduler/core/task-moments.ts';

export interface TallyOptions {
  /** Only the newest so many passes. */
  readonly last?: number | undefined;
  readonly taskId?: string | undefined;
}

/** Gaps told one by one; there may be one for each line of a file that is none of decisions. */
const GAPS_KEPT = 20;
/** Of one task; beyond them only the count grows. */
const MOMENTS_KEPT = 10_000;

/** Of one pass that was decided again. */
interface Outcome extends Pick<Decision, 'now' | 'term'> {
  readonly verdict: ReturnType<typeof replayDecision>['verdict'];
  readonly placements: number;
  readonly preemptions: number;
  readonly moments: readonly TaskMoment[];
}

export class Tally {
  readonly #options: TallyOptions;
  readonly #reader = new DecisionReader();
  /** What came of the newest, where only those are wanted: decisions are too large to be held. */
  readonly #window: Outcome[] = [];
  entries = 0;
  passes = 0;
  placements = 0;
  preemptions = 0;
  different = 0;
  /** Decided by other rules of planning, and so not compared. */
  otherRules = 0;
  difference: Difference | null = null;
  firstAt: number | null = null;
  lastAt: number | null = null;
  readonly terms = new Set<number>();
  readonly gaps: Gap[] = [];
  gapCount = 0;
  readonly moments: TaskMoment[] = [];

  constructor(options: TallyOptions) {
    this.#options = options;
  }

  take(entry: unknown): void {
    this.entries += 1;
    const read = this.#reader.takeValue(entry);
    if (read?.kind === 'gap') {
      this.gapCount += 1;
      if (this.gaps.length < GAPS_KEPT) this.gaps.push(read);
    }
    if (read?.kind !== 'decision') return;
    const { last } = this.#options;
    const outcome = this.#replay(read);
    if (last === undefined) this.#count(outcome);
    else {
      this.#window.push(outcome);
      if (this.#window.length > last) this.#window.shift();
    }
  }

  end(): void {
    for (const outcome of this.#window.splice(0)) this.#count(outcome);
  }

  #replay(decision: Decision): Outcome {
    const { verdict, plan } = replayDecision(decision);
    const { taskId } = this.#options;
    return {
      verdict,
      now: decision.now,
      term: decision.term,
      placements: decision.made.placements.length,
      preemptions: decision.made.preemptions.length,
      moments: taskId === undefined ? [] : momentsOf(taskId, decision, plan),
    };
  }

  #count({ verdict, now, term, placements, preemptions, moments }: Outcome): void {
    this.passes += 1;
    this.placements += placements;
    this.preemptions += preemptions;
    this.firstAt ??= now;
    this.lastAt = now;
    this.terms.add(term);
    if (verdict === 'other_rules') this.otherRules += 1;
    else if (verdict !== 'identical') {
      this.different += 1;
      this.difference ??= verdict;
    }
    if (this.moments.length < MOMENTS_KEPT) this.moments.push(...moments);
  }
}
