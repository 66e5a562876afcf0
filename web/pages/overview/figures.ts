// What the headline of the overview says, from one picture of the cluster. Pure.

import { trim } from '../../../client/words.ts';
import type { TelemetryReply } from '../../../shared/contracts/workers.ts';
import type { WorkerState } from '../../../shared/model/worker.ts';

export interface Figure {
  readonly name: string;
  readonly value: string;
  /** A word beside it; may be empty. */
  readonly note: string;
  readonly tone: '' | 'warn' | 'bad';
  /** Where what it counts is listed. */
  readonly href: string;
}

const AWAY: readonly WorkerState[] = ['down', 'unreachable', 'unhealthy', 'draining', 'cordoned'];

export function figuresOf(body: TelemetryReply): Figure[] {
  const { tasks_by_state: tasks, placements_per_second: rate, sla, workers_by_state: workers } = body;
  const number = (value: number) => value.toLocaleString('en');
  const figures: Figure[] = [
    workersFigure(workers),
    {
      name: 'Running',
      value: number(tasks.running),
      note: tasks.assigned > 0 ? `${number(tasks.assigned)} starting` : '',
      tone: '',
      href: '/tasks?status=running',
    },
    {
      name: 'Waiting',
      value: number(body.queue_depth),
      note: body.queue_depth > 0 && workers.ready === 0 ? 'no worker is ready' : '',
      tone: body.queue_depth > 0 && workers.ready === 0 ? 'bad' : '',
      href: '/queue',
    },
    {
      name: 'Placed / s',
      value: rate === null ? '–' : trim(rate, rate < 10 ? 1 : 0),
      note: rate === null ? 'no scheduler has said' : '',
      tone: rate === null ? 'warn' : '',
      href: '/tasks?status=assigned',
    },
  ];
  if (sla && sla.attainment !== null) {
    figures.push({
      name: `In time, ${spanWords(sla.window_seconds)}`,
      // Rounded down: 99.96 % are not all.
      value: `${trim(Math.floor(sla.attainment * 1_000) / 10, 1)}%`,
      note: sla.missed > 0 ? `${number(sla.missed)} missed` : 'none missed',
      tone: sla.missed > 0 ? 'warn' : '',
      href: '/tasks?status=completed',
    });
  }
  figures.push(
    {
      name: 'Completed',
      value: number(tasks.completed),
      note: '',
      tone: '',
      href: '/tasks?status=completed',
    },
    { name: 'Failed', value: number(tasks.failed), note: '', tone: '', href: '/tasks?status=failed' },
  );
  return figures;
}

function workersFigure(workers: TelemetryReply['workers_by_state']): Figure {
  const away = AWAY.filter((state) => workers[state] > 0);
  const [worst] = away;
  const rest = away.slice(1).reduce((sum, state) => sum + workers[state], 0);
  const more = rest > 0 ? `, ${rest.toLocaleString('en')} more not ready` : '';
  const words = worst ? `${workers[worst].toLocaleString('en')} ${worst}${more}` : '';
  const isBad = workers.down > 0 || workers.unhealthy > 0 || workers.ready === 0;
  const all = away.reduce((sum, state) => sum + workers[state], workers.ready);
  return {
    name: 'Workers ready',
    value: workers.ready.toLocaleString('en'),
    note: all === 0 ? 'none has joined' : words || 'all of them',
    tone: away.length === 0 && all > 0 ? '' : isBad ? 'bad' : 'warn',
    href: '/cluster',
  };
}

function spanWords(seconds: number): string {
  return seconds >= 3_600 ? `${trim(seconds / 3_600)} h` : `${trim(seconds / 60)} min`;
}
