// The lines pinned under a followed task's output: the line being written, how the task is, what it does. Pure.

import { duration } from '../../client/words.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { TaskProgressBody, TaskUsageEvent } from '../../shared/contracts/live.ts';
import { bar, type Look, lineOf, type Piece, paintWith } from '../screen/glyphs.ts';
import { wholeSeconds } from '../screen/running-part.ts';
import type { Size } from '../screen/view.ts';
import { paintState } from '../words.ts';
import { progressInWords, stateInWords, usageInWords } from './words.ts';

export interface Pinned {
  /** Null before the first word of it. */
  readonly task: TaskBody | null;
  readonly progress: TaskProgressBody | null;
  readonly usage: TaskUsageEvent | null;
  readonly partial: string;
  /** Why it waits; empty when that is not known. */
  readonly waiting: string;
  /** Why the API is away; null when it is not. */
  readonly lost: string | null;
}

const BAR = 20;
const LEAST_BAR = 6;
/** Fewer lines leave no room for more than one of ours. */
const FEW_ROWS = 6;

export function pinnedPicture(
  { task, progress, usage, partial, waiting, lost }: Pinned,
  { columns, rows }: Size,
  look: Look,
  now: number,
): string {
  if (!task) return '';
  const ran = task.status === 'running' && task.started_at ? now - Date.parse(task.started_at) : null;
  const state = lineOf(
    [
      { text: stateInWords(task), paint: paintState(task.status, look.color) },
      ran === null ? '' : ` for ${duration(wholeSeconds(Math.max(0, ran)))}`,
      `  ${task.task_id}`,
    ],
    columns,
  );
  const doing = lineOf(doingPieces({ progress, usage, waiting, lost }, task, columns, look), columns);
  const lines = [
    ...(partial === '' ? [] : [lineOf([partial], columns)]),
    state,
    ...(doing === '' ? [] : [doing]),
  ];
  return (rows < FEW_ROWS ? [doing || state] : lines).join('\n');
}

function doingPieces(
  { progress, usage, waiting, lost }: Pick<Pinned, 'progress' | 'usage' | 'waiting' | 'lost'>,
  task: TaskBody,
  columns: number,
  look: Look,
): Piece[] {
  if (lost !== null) {
    return [{ text: `connection lost: ${lost}; trying again`, paint: paintWith('yellow', look) }];
  }
  if (task.status === 'queued')
    return waiting === '' ? [] : [{ text: waiting, paint: paintWith('dim', look) }];
  const used = usage === null ? '' : usageInWords(usage);
  const said = progress === null ? '' : progressInWords(progress);
  const percent = progress?.percent ?? null;
  const width = Math.min(BAR, columns - said.length - used.length - 4);
  return [
    ...(percent === null || width < LEAST_BAR ? [] : [`${bar(percent / 100, width, look)} `]),
    said,
    said !== '' && used !== '' ? '  ' : '',
    { text: used, paint: paintWith('dim', look) },
  ];
}
