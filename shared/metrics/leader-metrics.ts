// What the leading scheduler knows, as metrics: told by its own process, and by every copy of the API from its report. The
// same names and the same values wherever they are asked for.

import type { Registry } from 'prom-client';
import {
  type Distribution,
  PASS_BOUNDS,
  RUN_BOUNDS,
  type SlaStanding,
  WAIT_BOUNDS,
} from '../model/cluster-counts.ts';
import type { SchedulerReport } from '../model/scheduling.ts';
import { addReadMetric, type ReadMetricOptions, type Sample } from './registry.ts';

type Read = (report: SchedulerReport) => readonly Sample[];

interface LeaderMetric extends Omit<ReadMetricOptions, 'read'> {
  readonly read: Read;
}

const one = (value: number): Sample[] => [{ value }];

const LEADER_METRICS: readonly LeaderMetric[] = [
  {
    name: 'cloudai_scheduler_term',
    help: 'Term of the leading scheduler; grows with each change of leaders',
    type: 'gauge',
    read: ({ term }) => one(term),
  },
  {
    name: 'cloudai_scheduler_backlog_tasks',
    help: 'Waiting tasks the leader has in its index',
    type: 'gauge',
    read: ({ waiting }) => one(waiting),
  },
  {
    name: 'cloudai_scheduler_backlog_lines',
    help: 'Lines of alike waiting tasks: a pass costs by their number',
    type: 'gauge',
    read: ({ lines }) => one(lines),
  },
  {
    name: 'cloudai_scheduler_reserved_workers',
    help: 'Workers kept free for a task that has waited too long',
    type: 'gauge',
    read: ({ reservations }) => one(reservations.length),
  },
  {
    name: 'cloudai_scheduler_pass_duration_seconds',
    help: 'Passes of the scheduler, from looking to all written',
    type: 'histogram',
    read: ({ counts }) => (counts ? histogram(counts.passes, PASS_BOUNDS) : []),
  },
  {
    name: 'cloudai_task_placements_total',
    help: 'Tasks given to a worker',
    type: 'counter',
    read: ({ counts }) => (counts ? one(counts.placements) : []),
  },
  {
    name: 'cloudai_task_wait_seconds',
    help: 'From when a task could be placed to its placement, each attempt for itself',
    type: 'histogram',
    read: ({ counts }) => byTag(counts?.waits, WAIT_BOUNDS),
  },
  {
    name: 'cloudai_task_run_seconds',
    help: 'How long the last attempt of ended tasks ran',
    type: 'histogram',
    read: ({ counts }) => byTag(counts?.runs, RUN_BOUNDS),
  },
  {
    name: 'cloudai_tasks_ended_total',
    help: 'Tasks that ended; reason is empty unless they failed',
    type: 'counter',
    read: ({ counts }) =>
      Object.entries(counts?.ended ?? {}).map(([end, value]) => {
        const [state = '', reason = ''] = end.split('/');
        return { labels: { state, reason }, value };
      }),
  },
  {
    name: 'cloudai_task_retries_total',
    help: 'Attempts that failed or were lost and are tried again',
    type: 'counter',
    read: ({ counts }) => by('reason', counts?.retries),
  },
  {
    name: 'cloudai_task_platform_losses_total',
    help: 'Attempts that a fault of a worker has cost',
    type: 'counter',
    read: ({ counts }) => by('reason', counts?.losses),
  },
  {
    name: 'cloudai_task_evictions_total',
    help: 'Attempts that left their worker as the cluster wished',
    type: 'counter',
    read: ({ counts }) => by('cause', counts?.evictions),
  },
  {
    name: 'cloudai_sla_tasks',
    help: 'Unfinished tasks by how they stand against their deadline, as of the last walk through all',
    type: 'gauge',
    read: ({ standing }) => by('state', standing satisfies SlaStanding | null | undefined),
  },
  {
    name: 'cloudai_sla_ended_total',
    help: 'Completed tasks by whether they met their deadline',
    type: 'counter',
    read: ({ counts }) => by('outcome', counts && { in_time: counts.inTime, late: counts.late }),
  },
];

/** @param read what the leader says now; null when nobody leads, as far as is known */
export function addLeaderMetrics(registry: Registry, read: () => SchedulerReport | null): void {
  addReadMetric(registry, {
    name: 'cloudai_scheduler_leading',
    help: 'Whether a scheduler leads: of a scheduler, this one; of the API, any',
    type: 'gauge',
    read: () => one(read() === null ? 0 : 1),
  });
  for (const { read: of, ...metric } of LEADER_METRICS) {
    addReadMetric(registry, {
      ...metric,
      read: () => {
        const report = read();
        return report === null ? [] : of(report);
      },
    });
  }
}

function by(label: string, counts: Readonly<Record<string, number>> | null | undefined): Sample[] {
  return Object.entries(counts ?? {}).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

function byTag(
  tags: Readonly<Record<string, Distribution>> | undefined,
  bounds: readonly number[],
): Sample[] {
  return Object.entries(tags ?? {}).flatMap(([tag, one]) => histogram(one, bounds, { tag }));
}

function histogram(
  { counts, sum }: Distribution,
  bounds: readonly number[],
  labels: Readonly<Record<string, string>> = {},
): Sample[] {
  let total = 0;
  const buckets = counts.map((count, n) => {
    total += count;
    return { labels: { ...labels, le: bounds[n] ?? '+Inf' }, value: total, suffix: '_bucket' };
  });
  return [...buckets, { labels, value: sum, suffix: '_sum' }, { labels, value: total, suffix: '_count' }];
}
