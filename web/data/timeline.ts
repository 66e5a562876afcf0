// Measured values over time, from what the API keeps and from what it pushes. Pure: each step gives a new timeline.
//
// What is pushed is averaged into steps, as the kept points are; the newest push stands at the end as it came, so that a
// plot of a week also shows what is true now.

import type { HistoryReply } from '../../shared/contracts/history.ts';
import type { TelemetryReply, WorkerBody } from '../../shared/contracts/workers.ts';
import type { HistoryMetric } from '../../shared/model/history.ts';
import type { PlotData, PlotSeries, PlotValue } from '../elements/time-plot-data.ts';

export type Measured = Readonly<Partial<Record<HistoryMetric, number>>>;

export interface Moment {
  /** Unix seconds. */
  readonly at: number;
  readonly values: Measured;
}

export interface Timeline {
  /** Ascending. */
  readonly moments: readonly Moment[];
  /** The step that is not over yet: its pushes so far. */
  readonly open: readonly Moment[];
}

export const NO_TIMELINE: Timeline = { moments: [], open: [] };

/** What the API keeps, and behind it what was pushed since. */
export function timelineOf({ metrics }: Pick<HistoryReply, 'metrics'>, before = NO_TIMELINE): Timeline {
  const byTime = new Map<number, Record<string, number>>();
  for (const { metric, points } of metrics) {
    for (const [iso, value] of points) {
      const at = Date.parse(iso) / 1000;
      const values = byTime.get(at);
      if (values) values[metric] = value;
      else byTime.set(at, { [metric]: value });
    }
  }
  const kept = [...byTime].map(([at, values]) => ({ at, values })).sort((a, b) => a.at - b.at);
  const last = kept.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  return {
    moments: [...kept, ...before.moments.filter(({ at }) => at > last)],
    open: before.open.filter(({ at }) => at > last),
  };
}

/** With one more push; what is older than `spanS` before it is forgotten. A push that is not newer changes nothing. */
export function extended(
  timeline: Timeline,
  pushed: Moment,
  { stepS, spanS }: { readonly stepS: number; readonly spanS: number },
): Timeline {
  const { moments, open } = timeline;
  const newest = open.at(-1) ?? moments.at(-1);
  if (newest && pushed.at <= newest.at) return timeline;
  const first = open[0];
  const isSameStep = first === undefined || Math.floor(first.at / stepS) === Math.floor(pushed.at / stepS);
  if (isSameStep) return { moments, open: [...open, pushed] };
  const since = pushed.at - spanS - stepS;
  return { moments: [...moments, meanOf(open)].filter(({ at }) => at >= since), open: [pushed] };
}

/** One moment for several: when they began, the mean of each value over those that have it. */
function meanOf(open: readonly Moment[]): Moment {
  const sums = new Map<string, { sum: number; count: number }>();
  for (const { values } of open) {
    for (const [metric, value] of Object.entries(values)) {
      const entry = sums.get(metric) ?? { sum: 0, count: 0 };
      sums.set(metric, { sum: entry.sum + value, count: entry.count + 1 });
    }
  }
  const values = Object.fromEntries([...sums].map(([metric, { sum, count }]) => [metric, sum / count]));
  return { at: open[0]?.at ?? 0, values };
}

/** For a plot: the newest push at its end, and a hole where nothing came for longer than `gapS`. */
export function withGaps({ moments, open }: Timeline, gapS: number): Moment[] {
  const newest = open.at(-1);
  const all = newest ? [...moments, newest] : moments;
  return all.flatMap((moment, index) => {
    const before = all[index - 1];
    return before && moment.at - before.at > gapS
      ? [{ at: before.at + gapS / 2, values: {} }, moment]
      : [moment];
  });
}

export interface Line extends Omit<PlotSeries, 'values'> {
  readonly of: (values: Measured) => PlotValue | undefined;
}

export function plotOf(moments: readonly Moment[], lines: readonly Line[]): PlotData {
  return {
    times: moments.map(({ at }) => at),
    series: lines.map(({ of, ...line }) => ({
      ...line,
      values: moments.map(({ values }) => of(values) ?? null),
    })),
  };
}

/** The cluster as it is now, as the history would keep it. */
export function clusterMoment(body: TelemetryReply): Moment {
  const { usage, reserved } = body.totals;
  const used =
    usage.cpu_percent === null
      ? {}
      : {
          cpu_percent: usage.cpu_percent,
          memory_used: usage.memory_used,
          network_receive_rate: usage.network_receive_rate,
          network_transmit_rate: usage.network_transmit_rate,
        };
  return {
    at: Date.parse(body.at) / 1000,
    values: {
      ...used,
      ...(usage.gpus ? { gpu_percent: usage.gpus.utilization_percent } : {}),
      cpu_reserved: reserved.cpu,
      memory_reserved: reserved.memory,
      gpu_reserved: reserved.gpu,
      queue_depth: body.queue_depth,
      running: body.tasks_by_state.running,
    },
  };
}

export function workerMoment(at: string, { usage, reserved, tasks }: WorkerBody): Moment {
  const gpus = usage?.gpus ?? [];
  const gpu = gpus.reduce((sum, { utilization_percent }) => sum + utilization_percent, 0);
  return {
    at: Date.parse(at) / 1000,
    values: {
      ...(usage
        ? {
            cpu_percent: usage.cpu_percent,
            memory_used: usage.memory_used,
            network_receive_rate: usage.network_receive_rate,
            network_transmit_rate: usage.network_transmit_rate,
          }
        : {}),
      ...(gpus.length > 0 ? { gpu_percent: gpu / gpus.length } : {}),
      cpu_reserved: reserved.cpu,
      memory_reserved: reserved.memory,
      gpu_reserved: reserved.gpu,
      running: tasks.running,
    },
  };
}
