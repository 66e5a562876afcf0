// The live picture of a cluster, cut to the size of the terminal: the head first, then as many machines and running
// tasks as there are lines for. Pure.

import { attainmentWords, keptWords } from '../../client/queue-words.ts';
import { schedulerWords } from '../../client/scheduler-words.ts';
import { duration, trim } from '../../client/words.ts';
import { TASK_STATES } from '../../shared/model/task.ts';
import { plain } from '../table.ts';
import { paintState } from '../words.ts';
import { type Look, lineOf, type Piece, paintWith } from './glyphs.ts';
import { runningLines, wholeSeconds } from './running-part.ts';
import { totalLines } from './totals-part.ts';
import type { ClusterView, Size } from './view.ts';
import { pickWorkers, workerLines } from './workers-part.ts';

/** An empty line, a heading and one line at least. */
const LEAST_PART = 3;

/** At most `rows - 1` lines: a screen that is drawn anew keeps its last line free. */
export function clusterPicture(view: ClusterView, size: Size, look: Look, now: number): string {
  const { columns } = size;
  const room = Math.max(1, size.rows - 1);
  const head = headLines(view, columns, look, now);
  const { workers } = view.telemetry;
  const running = view.running ?? [];
  const want = (count: number, more: boolean) => (count === 0 ? 0 : count + (more ? 3 : 2));
  const [forWorkers, forRunning] = divide(
    room - head.length,
    want(workers.length, false),
    want(running.length, view.more),
  );
  const lines = [...head];
  if (forWorkers >= LEAST_PART) {
    const most = shownOf(workers.length, forWorkers - 2, false);
    const shown = pickWorkers(workers, most);
    lines.push('', ...workerLines(shown, columns, look));
    if (forWorkers > LEAST_PART) lines.push(...moreLine(workers.length - most, false, columns, look));
  }
  if (forRunning >= LEAST_PART) {
    const most = shownOf(running.length, forRunning - 2, view.more);
    lines.push('', ...runningLines(running.slice(0, most), columns, look, now));
    if (forRunning > LEAST_PART) lines.push(...moreLine(running.length - most, view.more, columns, look));
  }
  const hint = lineOf([{ text: 'q or Ctrl-C ends this view', paint: paintWith('dim', look) }], columns);
  if (lines.length + 2 <= room) lines.push('', hint);
  return lines.slice(0, room).join('\n');
}

function headLines(
  { url, telemetry, silence }: ClusterView,
  columns: number,
  look: Look,
  now: number,
): string[] {
  const { workers_by_state, tasks_by_state, queue_depth, placements_per_second: placing } = telemetry;
  const counts = (all: readonly (readonly [name: string, number: number])[]): Piece[] => {
    const some = all.filter(([, number]) => number > 0);
    if (some.length === 0) return ['none'];
    return some.flatMap(([name, number], index) => [
      index === 0 ? '' : ', ',
      { text: `${number} ${name}`, paint: paintState(name, look.color) },
    ]);
  };
  // An API of an earlier release does not say.
  const deadlines = telemetry.sla ? attainmentWords(telemetry.sla) : null;
  const kept = keptWords(telemetry.retention_days);
  const named = (name: string, ...pieces: Piece[]) => lineOf([name.padEnd(9), ...pieces], columns);
  const red = (text: string): Piece => ({ text, paint: paintWith('red', look) });
  return [
    named('cluster', { text: url, paint: paintWith('bold', look) }),
    ...(silence
      ? [
          named('STALE', red(`no news for ${duration(wholeSeconds(silence.ms))}; trying again`)),
          named('', red(silence.why)),
        ]
      : []),
    named('workers', ...counts(Object.entries(workers_by_state))),
    named('tasks', ...counts(TASK_STATES.map((state) => [state, tasks_by_state[state]]))),
    named('waiting', `${queue_depth}${placing === null ? '' : `, ${trim(placing)} placed each second`}`),
    ...(deadlines === null ? [] : [named('in time', deadlines)]),
    ...(telemetry.scheduler === undefined
      ? []
      : [named('policy', plain(schedulerWords(telemetry.scheduler, now)))]),
    ...(kept === null ? [] : [named('keeps', kept)]),
    ...totalLines(telemetry, columns, look),
  ];
}

/** How many of `count` fit, when the last line says that there are more. */
function shownOf(count: number, lines: number, more: boolean): number {
  if (count + (more ? 1 : 0) <= lines) return count;
  return Math.max(1, lines - 1);
}

function moreLine(count: number, orMore: boolean, columns: number, look: Look): string[] {
  if (count <= 0 && !orMore) return [];
  const text = count <= 0 ? 'and more' : `and ${orMore ? 'at least ' : ''}${count} more`;
  return [lineOf([{ text, paint: paintWith('dim', look) }], columns)];
}

/** What each of two parts gets of the lines there are: what one does not want is the other's. */
export function divide(room: number, first: number, second: number): [number, number] {
  if (room < LEAST_PART) return [0, 0];
  const half = Math.floor(room / 2);
  const ofFirst = Math.min(first, Math.max(half, room - second));
  const ofSecond = Math.min(second, room - ofFirst);
  // Too few for two parts: the first has them.
  if (second > 0 && ofSecond < LEAST_PART) return [Math.min(first, room), 0];
  if (first > 0 && ofFirst < LEAST_PART) return [0, Math.min(second, room)];
  return [ofFirst, ofSecond];
}
