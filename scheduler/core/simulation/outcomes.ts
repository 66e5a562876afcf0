// What became of the tasks of a simulation, and the report on it. Pure.

import type { PlanRules } from '../../../shared/model/scheduling.ts';
import type { Plan, PlanMemory } from '../snapshot.ts';
import type { Sums } from './measures.ts';
import { boundedSlowdown, type Fairness } from './shares.ts';
import { curveOf, type Percentiles, percentilesOf } from './statistics.ts';
import type { TraceTask } from './trace.ts';

export interface PlayReport extends Omit<Sums, 'waitedMs'> {
  readonly rules: PlanRules;
  readonly tasks: {
    readonly ended: number;
    /** Fit no machine even when it is empty; they were left out of the play. */
    readonly infeasible: number;
    /** Waited at its end, and would have for ever. */
    readonly left: number;
  };
  /** From the first arrival to the last end. */
  readonly makespanMs: number;
  /** From submission to the start of the run that brought it to its end. */
  readonly waits: Percentiles | null;
  /** Highest priority first. */
  readonly waitsByPriority: readonly { readonly priority: number; readonly waits: Percentiles }[];
  /** Points [milliseconds, part of the tasks that waited no longer]. */
  readonly waitCurve: readonly (readonly [number, number])[];
  readonly slowdowns: Percentiles | null;
  readonly sla: { readonly met: number; readonly missed: number };
  readonly fairness: Fairness;
  readonly placements: number;
  readonly preemptions: number;
  readonly reservations: number;
  readonly passes: number;
}

interface Close {
  readonly now: number;
  /** Deadlines of what still waits. */
  readonly left: readonly number[];
  readonly sums: Sums;
  readonly fairness: Fairness;
}

export class Outcomes {
  readonly #waits: Float64Array;
  readonly #slowdowns: Float64Array;
  readonly #priorities: Uint8Array;
  #ended = 0;
  #infeasible = 0;
  #firstAt = Number.POSITIVE_INFINITY;
  #lastEnd = 0;
  #met = 0;
  #placements = 0;
  #preemptions = 0;
  #reservations = 0;
  #passes = 0;

  /** @param most how many tasks may end */
  constructor(most: number) {
    this.#waits = new Float64Array(most);
    this.#slowdowns = new Float64Array(most);
    this.#priorities = new Uint8Array(most);
  }

  get ended(): number {
    return this.#ended;
  }

  get infeasible(): number {
    return this.#infeasible;
  }

  addInfeasible(): void {
    this.#infeasible += 1;
  }

  addArrival(at: number): void {
    this.#firstAt = Math.min(this.#firstAt, at);
  }

  addPass({ placements, memory }: Plan, before: PlanMemory): void {
    this.#passes += 1;
    this.#placements += placements.length;
    for (const made of memory.reservations) {
      const isKnown = before.reservations.some(
        ({ taskId, workerId, since }) =>
          taskId === made.taskId && workerId === made.workerId && since === made.since,
      );
      if (!isKnown) this.#reservations += 1;
    }
  }

  addPreemption(): void {
    this.#preemptions += 1;
  }

  /** Returns its slowdown. */
  addEnd(task: TraceTask, end: { waitMs: number; now: number; isMet: boolean }): number {
    const slowdown = boundedSlowdown(end.waitMs, task.runMs);
    this.#waits[this.#ended] = end.waitMs;
    this.#slowdowns[this.#ended] = slowdown;
    this.#priorities[this.#ended] = task.priority;
    this.#ended += 1;
    this.#lastEnd = end.now;
    if (end.isMet) this.#met += 1;
    return slowdown;
  }

  report(rules: PlanRules, { now, left, sums, fairness }: Close): PlayReport {
    const ended = this.#ended;
    const waits = this.#waits.slice(0, ended);
    const { waitedMs: _, ...shown } = sums;
    const waitsByPriority = this.#byPriority();
    const percentiles = percentilesOf(waits);
    return {
      rules,
      tasks: { ended, infeasible: this.#infeasible, left: left.length },
      makespanMs: ended === 0 ? 0 : this.#lastEnd - this.#firstAt,
      waits: percentiles,
      waitsByPriority,
      waitCurve: curveOf(waits),
      slowdowns: percentilesOf(this.#slowdowns.slice(0, ended)),
      sla: { met: this.#met, missed: ended - this.#met + left.filter((deadline) => deadline < now).length },
      fairness,
      placements: this.#placements,
      preemptions: this.#preemptions,
      reservations: this.#reservations,
      passes: this.#passes,
      ...shown,
    };
  }

  #byPriority(): PlayReport['waitsByPriority'] {
    const counts = new Map<number, number>();
    for (const one of this.#priorities.subarray(0, this.#ended)) counts.set(one, (counts.get(one) ?? 0) + 1);
    return [...counts.keys()]
      .sort((a, b) => b - a)
      .map((priority) => {
        const waits = new Float64Array(counts.get(priority) ?? 0);
        let filled = 0;
        for (let at = 0; at < this.#ended; at += 1) {
          if (this.#priorities[at] === priority) waits[filled++] = this.#waits[at] as number;
        }
        return { priority, waits: percentilesOf(waits) as Percentiles };
      });
  }
}
