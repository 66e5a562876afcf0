// What an attempt used over time: `GET /api/tasks/{id}/usage?attempt=`. Like http.ts a browser may import this file.

import type { UsageSeries } from '../model/usage-series.ts';

export interface TaskUsageReply {
  task_id: string;
  /** The one asked for, or the newest that has started. */
  attempt: number;
  /** Mean over each step; a long run has longer steps, so that there are never more than a few hundred points. */
  step_seconds: number;
  /** Start of a step, cores in use, MB of memory, in order of time. Steps in which nothing was measured are left out. */
  points: [at: string, cpu: number, memory: number][];
}

export function taskUsageReply(
  taskId: string,
  { attempt, series }: { readonly attempt: number; readonly series: UsageSeries | null },
): TaskUsageReply {
  const { startAt, stepMs, points } = series ?? { startAt: 0, stepMs: 0, points: [] };
  return {
    task_id: taskId,
    attempt,
    step_seconds: stepMs / 1_000,
    points: points.map(([step, , cpuMillis, memoryMb]) => [
      new Date(startAt + step * stepMs).toISOString(),
      cpuMillis / 1_000,
      memoryMb,
    ]),
  };
}
