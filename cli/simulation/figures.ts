// The figures of a report in words, a row for each and a column for each policy: the same in the terminal and on the page.
// What each means stands in docs/SIMULATION.md. Pure.

import { duration } from '../../client/words.ts';
import type { Parts } from '../../scheduler/core/simulation/fragmentation.ts';
import type { Percentiles } from '../../scheduler/core/simulation/statistics.ts';
import type { Dimension } from '../../shared/model/resources.ts';
import type { PolicyPlay } from './run-plays.ts';

export interface Figure {
  readonly name: string;
  /** In the order of the plays. */
  readonly cells: readonly string[];
}

export const DIMENSION_NAMES: Readonly<Record<Dimension, string>> = {
  cpuMillis: 'cores',
  memoryMb: 'memory',
  gpus: 'GPUs',
  storageMb: 'disk',
};
const DIMENSIONS = Object.keys(DIMENSION_NAMES) as Dimension[];
const NOTHING = '-';

export function figuresOf(plays: readonly PolicyPlay[]): Figure[] {
  const row = (name: string, cell: (play: PolicyPlay) => string): Figure => ({
    name,
    cells: plays.map(cell),
  });
  /** Left out where there is nothing to tell of any. */
  const perDimension = (name: (of: string) => string, parts: (play: PolicyPlay) => Parts | null): Figure[] =>
    DIMENSIONS.map((one) =>
      row(name(DIMENSION_NAMES[one]), (play) => percent(parts(play)?.[one] ?? null)),
    ).filter(({ cells }) => cells.some((cell) => cell !== NOTHING));
  const some = (name: string, count: (play: PolicyPlay) => number): Figure[] =>
    plays.some((play) => count(play) > 0) ? [row(name, (play) => whole(count(play)))] : [];
  const priorities = [
    ...new Set(plays.flatMap((play) => play.waitsByPriority.map(({ priority }) => priority))),
  ];
  return [
    row('tasks ended', ({ tasks }) => whole(tasks.ended)),
    ...some('fit no machine', ({ tasks }) => tasks.infeasible),
    ...some('waiting at the end', ({ tasks }) => tasks.left),
    row('wait, median', ({ waits }) => span(waits?.p50)),
    row('wait, p90', ({ waits }) => span(waits?.p90)),
    row('wait, p99', ({ waits }) => span(waits?.p99)),
    row('wait, longest', ({ waits }) => span(waits?.max)),
    ...(priorities.length < 2 ? [] : priorities.sort((a, b) => b - a)).map((priority) =>
      row(`wait of priority ${priority}, median / p99`, (play) => {
        const waits = play.waitsByPriority.find((one) => one.priority === priority)?.waits;
        return waits === undefined ? NOTHING : `${span(waits.p50)} / ${span(waits.p99)}`;
      }),
    ),
    row('met the deadline', ({ sla }) => percent(attainment(sla))),
    row('slowdown, mean / p99', ({ slowdowns }) => pair(slowdowns)),
    row('slowdown of the worst-off user', ({ fairness }) => decimal(fairness.worstSlowdown, 1)),
    row('fairness of slowdown', ({ fairness }) => decimal(fairness.ofSlowdown, 3)),
    row('fairness of shares', ({ fairness }) => decimal(fairness.ofShare, 3)),
    ...perDimension(
      (of) => `${of} used`,
      ({ used }) => used,
    ),
    ...perDimension(
      (of) => `${of} used while tasks come`,
      ({ usedWhileArriving }) => usedWhileArriving,
    ),
    ...perDimension(
      (of) => `${of} free while tasks wait`,
      ({ idleWhileWaiting }) => idleWhileWaiting,
    ),
    ...perDimension(
      (of) => `fragmentation of ${of}`,
      ({ fragmentation }) => fragmentation,
    ),
    row(
      'tasks waiting, mean / most',
      (play) => `${decimal(play.meanWaiting, 1)} / ${whole(play.mostWaiting)}`,
    ),
    row('first arrival to last end', ({ makespanMs }) => duration(makespanMs)),
    row('placements', ({ placements }) => whole(placements)),
    ...some('evictions', ({ preemptions }) => preemptions),
    ...some('workers reserved', ({ reservations }) => reservations),
    row('passes', ({ passes }) => whole(passes)),
    row(
      'planning, all / longest pass',
      (play) => `${duration(play.planningMs)} / ${Math.ceil(play.longestPassMs)} ms`,
    ),
  ];
}

export function attainment({ met, missed }: PolicyPlay['sla']): number | null {
  return met + missed === 0 ? null : met / (met + missed);
}

export function whole(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

function percent(part: number | null): string {
  return part === null ? NOTHING : `${(part * 100).toFixed(1)}%`;
}

function span(ms: number | undefined): string {
  return ms === undefined ? NOTHING : duration(ms);
}

function decimal(value: number | null, digits: number): string {
  return value === null ? NOTHING : value.toFixed(digits);
}

function pair(of: Percentiles | null): string {
  return of === null ? NOTHING : `${decimal(of.mean, 1)} / ${decimal(of.p99, 1)}`;
}
