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

export class Tally {
  readonly #options: TallyOptions;
  readonly #reader = new DecisionReader();
  /** The newest, where only those are wanted. */
  readonly #window: Decision[] = [];
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
    if (last === undefined) this.#replay(read);
    else {
      this.#window.push(read);
      if (this.#window.length > last) this.#window.shift();
    }
  }

  end(): void {
    for (const decision of this.#window.splice(0)) this.#replay(decision);
  }

  #replay(decision: Decision): void {
    const { verdict, plan } = replayDecision(decision);
    this.passes += 1;
    this.placements += decision.made.placements.length;
    this.preemptions += decision.made.preemptions.length;
    this.firstAt ??= decision.now;
    this.lastAt = decision.now;
    this.terms.add(decision.term);
    if (verdict === 'other_rules') this.otherRules += 1;
    else if (verdict !== 'identical') {
      this.different += 1;
      this.difference ??= verdict;
    }
    const { taskId } = this.#options;
    if (taskId === undefined || this.moments.length >= MOMENTS_KEPT) return;
    this.moments.push(...momentsOf(taskId, decision, plan));
  }
}
