// The tasks that run, one a line. Pure.

import { duration, runTime } from '../../client/words.ts';
import { progressInWords, usageInWords } from '../follow/words.ts';
import { renderTable } from '../table.ts';
import { bar, type Look } from './glyphs.ts';
import type { RunningTask } from './view.ts';

const BAR = 8;
/** Narrower, a bar takes the place of words. */
const BAR_FROM_COLUMNS = 110;

/** A heading and a line for each. */
export function runningLines(
  tasks: readonly RunningTask[],
  columns: number,
  look: Look,
  now: number,
): string[] {
  const withBar = columns >= BAR_FROM_COLUMNS;
  const table = renderTable<RunningTask>(
    tasks,
    [
      { title: 'RUNNING', cell: ({ task }) => task.task_id },
      ...(tasks.some(({ task }) => task.name !== '')
        ? [{ title: 'NAME', cell: ({ task }: RunningTask) => task.name, min: 8, dispensable: 3 }]
        : []),
      { title: 'IMAGE', cell: ({ task }) => task.docker_image, min: 10, dispensable: 4 },
      { title: 'WORKER', cell: ({ task }) => task.worker_id ?? '', min: 8, dispensable: 2 },
      {
        title: 'RAN',
        cell: ({ task }) => duration(wholeSeconds(runTime(task, now) ?? 0)),
        align: 'right',
      },
      ...(tasks.some(({ usage }) => usage !== null)
        ? [{ title: 'USES', cell: usesText, dispensable: 5 }]
        : []),
      ...(tasks.some((one) => progressText(one) !== '')
        ? [{ title: 'PROGRESS', cell: progressCell, min: 4, dispensable: 1 }]
        : []),
    ],
    columns,
  );
  return table.trimEnd().split('\n');

  function progressCell(one: RunningTask): string {
    const percent = one.progress?.percent ?? null;
    const text = progressText(one);
    return withBar && percent !== null ? `${bar(percent / 100, BAR, look)} ${text}` : text;
  }
}

/** Tenths of seconds flicker in a picture that is drawn each second. */
export function wholeSeconds(ms: number): number {
  return ms < 10_000 ? Math.floor(ms / 1_000) * 1_000 : ms;
}

const progressText = ({ progress }: RunningTask) => (progress ? progressInWords(progress) : '');
const usesText = ({ usage }: RunningTask) => (usage ? usageInWords(usage) : '');
