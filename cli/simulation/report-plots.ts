// Which plots a report has. Pure.

import type { Dimension } from '../../shared/model/resources.ts';
import { DIMENSION_NAMES, whole } from './figures.ts';
import { type Axis, type Plot, roundTicks } from './plots.ts';
import type { PolicyPlay } from './run-plays.ts';

const HOUR_MS = 3_600_000;
const TIME_STEPS = [1 / 60, 1 / 12, 1 / 4, 1 / 2, 1, 2, 4, 6, 12, 24, 48, 120].map(
  (hours) => hours * HOUR_MS,
);
const COUNT_STEPS = [1, 10, 100, 1_000, 10_000, 100_000].flatMap((unit) => [unit, 2 * unit, 5 * unit]);
const WAIT_TICKS = [1_000, 10_000, 60_000, 600_000, HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS];
const PARTS: Axis['ticks'] = [0, 0.2, 0.4, 0.6, 0.8, 1];

export function plotsOf(plays: readonly PolicyPlay[]): Plot[] {
  const time = timeAxis(Math.max(1, ...plays.map(({ series }) => series.points.at(-1)?.atMs ?? 0)));
  const used = (Object.keys(DIMENSION_NAMES) as Dimension[]).filter((one) =>
    plays.some(({ series }) => series.points.some((point) => point.used[one] > 0)),
  );
  const parts = (label: string): Axis => ({
    label,
    ticks: PARTS,
    text: (value) => `${Math.round(value * 100)}%`,
  });
  return [
    ...used.map(
      (one): Plot => ({
        title: `${capital(DIMENSION_NAMES[one])} used`,
        x: time,
        y: parts('of all there are'),
        lines: linesOf(plays, ({ series }) => series.points.map((point) => [point.atMs, point.used[one]])),
      }),
    ),
    {
      title: 'Tasks waiting',
      x: time,
      y: countAxis(
        Math.max(...plays.flatMap(({ series }) => series.points.map(({ waiting }) => waiting)), 1),
      ),
      lines: linesOf(plays, ({ series }) => series.points.map((point) => [point.atMs, point.waiting])),
    },
    {
      title: 'How long tasks waited',
      x: waitAxis(Math.max(...plays.map(({ waits }) => waits?.max ?? 0))),
      y: parts('of the tasks waited no longer'),
      lines: linesOf(plays, ({ waitCurve }) => waitCurve),
    },
  ];
}

function linesOf(
  plays: readonly PolicyPlay[],
  points: (play: PolicyPlay) => readonly (readonly [number, number])[],
): Plot['lines'] {
  return plays.map((play) => ({ name: play.rules.policy, points: points(play) }));
}

function timeAxis(most: number): Axis {
  const ticks = roundTicks(most, TIME_STEPS);
  return { label: 'simulated time', ticks, text: shortSpan };
}

function countAxis(most: number): Axis {
  return { label: 'tasks', ticks: roundTicks(most, COUNT_STEPS), text: whole };
}

function waitAxis(most: number): Axis {
  const beyond = WAIT_TICKS.findIndex((tick) => tick >= most);
  const ticks = WAIT_TICKS.slice(0, beyond === -1 ? WAIT_TICKS.length : Math.max(2, beyond + 1));
  for (let last = ticks.at(-1) as number; last < most; last = ticks.at(-1) as number) ticks.push(last * 10);
  const text = (value: number) => (value === WAIT_TICKS[0] ? '≤ 1s' : shortSpan(value));
  return { label: 'wait', ticks, text, isLog: true };
}

/** Of a mark of an axis, so a round one: `30m`, `6h`, `1.5h`, `2d`. */
function shortSpan(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 60_000) return `${ms / 1_000}s`;
  if (ms < HOUR_MS) return `${ms / 60_000}m`;
  if (ms < 48 * HOUR_MS) return `${Number((ms / HOUR_MS).toFixed(2))}h`;
  return `${Number((ms / (24 * HOUR_MS)).toFixed(2))}d`;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
