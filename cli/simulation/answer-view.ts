// The answer to "where would these go" as people read it in a terminal. No calls here.

import { whatIfWords } from '../../client/what-if-words.ts';
import { amounts, megabytes, trim } from '../../client/words.ts';
import type { WhatIfReply, WhatIfTaskBody, WhatIfWorkerBody } from '../../shared/contracts/what-if.ts';
import type { AmountsBody } from '../../shared/contracts/workers.ts';
import type { Session } from '../session.ts';
import { type Column, plain } from '../table.ts';
import { paintState } from '../words.ts';
import type { AskedTask } from './question.ts';

const TASKS_SHOWN = 40;
const WORKERS_SHOWN = 20;
/** Workers named for one kind of task. */
const NAMED = 4;
const BAR_WIDTH = 16;
/** What the API takes where nothing is said. */
const DEFAULTS: AmountsBody = { cpu: 1, memory: 512, gpu: 0, storage: 0 };

export function answerText(session: Session, asked: readonly AskedTask[], reply: WhatIfReply): string {
  return [
    `${whatIfWords(reply)}\n`,
    taskTable(session, asked, reply),
    whys(reply),
    workerTable(session, reply),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

interface TaskRow {
  readonly fate: WhatIfTaskBody;
  readonly task: AskedTask | undefined;
}

function taskTable(session: Session, asked: readonly AskedTask[], { tasks }: WhatIfReply): string {
  const rows = tasks.slice(0, TASKS_SHOWN).map((fate): TaskRow => ({ fate, task: asked[fate.index] }));
  const table = session.table<TaskRow>(rows, [
    { title: '#', cell: ({ fate }) => String(fate.index + 1), align: 'right', dispensable: 2 },
    { title: 'IMAGE', cell: ({ task }) => task?.docker_image ?? '', min: 8 },
    { title: 'NEEDS', cell: ({ task }) => (task ? amounts(needsOf(task)) : ''), min: 10, dispensable: 1 },
    { title: 'COUNT', cell: ({ fate }) => String(fate.count), align: 'right' },
    {
      title: 'NOW',
      cell: ({ fate }) => String(fate.placed),
      align: 'right',
      paint: (text, { fate }) => paintState(COLOR[fate.verdict], session.io.color)(text),
    },
    { title: 'WHERE', cell: ({ fate }) => whereText(fate), min: 12 },
  ]);
  return table + furtherText(tasks.length - rows.length, 'kind', 'kinds');
}

/** As the states that have these colours. */
const COLOR = { now: 'completed', waits: 'queued', never: 'failed' } as const;

function needsOf(task: AskedTask): AmountsBody {
  return {
    cpu: task.cpu_required ?? DEFAULTS.cpu,
    memory: task.memory_required ?? DEFAULTS.memory,
    gpu: task.gpu_required ?? DEFAULTS.gpu,
    storage: task.storage_required ?? DEFAULTS.storage,
  };
}

function whereText({ workers, verdict }: WhatIfTaskBody): string {
  if (workers.length === 0) return verdict === 'never' ? 'nowhere' : 'waits';
  const named = workers
    .slice(0, NAMED)
    .map(({ worker_id, count }) => (count === 1 ? worker_id : `${worker_id} ×${count}`));
  const more = workers.length - named.length;
  return named.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** Alike ones are said once. */
function whys({ tasks }: WhatIfReply): string {
  const numbers = new Map<string, number[]>();
  for (const { verdict, summary, index } of tasks.slice(0, TASKS_SHOWN)) {
    if (verdict === 'now') continue;
    numbers.set(summary, [...(numbers.get(summary) ?? []), index + 1]);
  }
  return [...numbers]
    .map(
      ([summary, which]) =>
        `${tasks.length === 1 ? '' : `#${which.slice(0, NAMED).join(', #')}${which.length > NAMED ? ', …' : ''}: `}${plain(summary)}\n`,
    )
    .join('');
}

function workerTable(session: Session, { workers }: WhatIfReply): string {
  if (workers.length === 0) return '';
  const shown = (
    workers.length <= WORKERS_SHOWN
      ? workers
      : workers.filter((worker) => worker.placed + worker.placed_ahead > 0 || worker.added)
  ).slice(0, WORKERS_SHOWN);
  const has = (of: keyof AmountsBody) => shown.some(({ capacity }) => capacity[of] > 0);
  const ahead = shown.some(({ placed_ahead }) => placed_ahead > 0);
  const changesStorage = shown.some(
    ({ before, after }) => before.reserved.storage !== after.reserved.storage,
  );
  const table = session.table<WhatIfWorkerBody>(shown, [
    { title: 'WORKER', cell: ({ worker_id }) => worker_id, min: 10 },
    ...(shown.some(({ state }) => state !== 'ready')
      ? [
          {
            title: 'STATE',
            cell: ({ state }: WhatIfWorkerBody) => state,
            paint: (text: string, { state }: WhatIfWorkerBody) => paintState(state, session.io.color)(text),
          },
        ]
      : []),
    ...(ahead
      ? [
          {
            title: 'AHEAD',
            cell: ({ placed_ahead }: WhatIfWorkerBody) => gain(placed_ahead),
            align: 'right' as const,
          },
        ]
      : []),
    { title: 'NEW', cell: ({ placed }) => gain(placed), align: 'right' },
    ...dimension('CORES', 'cpu', (value) => trim(value, 2), 3),
    ...dimension('MEMORY', 'memory', megabytes, 4),
    ...(has('gpu') ? dimension('GPUS', 'gpu', String, 5) : []),
    ...(changesStorage ? dimension('STORAGE', 'storage', megabytes, 6) : []),
  ]);
  const legend = '█ held now  ▒ would be added  · free\n';
  return table + furtherText(workers.length - shown.length, 'worker', 'workers') + legend;
}

function gain(count: number): string {
  return count === 0 ? '' : `+${count}`;
}

/** A bar that goes when there is no room, and the figures beside it. */
function dimension(
  title: string,
  of: keyof AmountsBody,
  text: (value: number) => string,
  dispensable: number,
): Column<WhatIfWorkerBody>[] {
  const picture: Column<WhatIfWorkerBody> = {
    title,
    cell: ({ before, after, capacity }) => bar(before.reserved[of], after.reserved[of], capacity[of]),
    dispensable: dispensable + 10,
  };
  const figures: Column<WhatIfWorkerBody> = {
    title: '',
    cell: ({ before, after, capacity }) => {
      if (capacity[of] === 0 && after.reserved[of] === 0) return '';
      const [held, then] = [text(before.reserved[of]), text(after.reserved[of])];
      return `${held === then ? held : `${held} → ${then}`} of ${text(capacity[of])}`;
    },
    dispensable,
    goesOn: picture,
  };
  return [picture, figures];
}

/** What is added shows in at least one cell. */
export function bar(before: number, after: number, capacity: number, width = BAR_WIDTH): string {
  if (capacity <= 0) return '';
  const cells = (amount: number) => Math.min(width, Math.max(0, Math.round((amount / capacity) * width)));
  const then = after > before ? Math.max(1, cells(after)) : cells(after);
  const held = after > before ? Math.min(cells(before), then - 1) : then;
  return '█'.repeat(held) + '▒'.repeat(then - held) + '·'.repeat(width - then);
}

function furtherText(count: number, one: string, many: string): string {
  return count > 0 ? `and ${count} more ${count === 1 ? one : many}; --json has all\n` : '';
}
