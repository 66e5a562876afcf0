// What an attempt used, as plots show it: the points the API has, and after them what was measured since. Pure.

import type { TaskUsageEvent } from '../../../shared/contracts/live.ts';
import type { TaskUsageReply } from '../../../shared/contracts/task-usage.ts';

/** Unix seconds, cores, MB. */
export interface UsageTimes {
  readonly times: number[];
  readonly cpu: (number | null)[];
  readonly memory: (number | null)[];
}

/** Nothing measured for so many steps is a gap, not a line. */
const GAP_STEPS = 4;
const LEAST_GAP_SECONDS = 15;

/** @param events of the attempt, in order of time; those that are in the reply already are passed over */
export function usageTimes(reply: TaskUsageReply, events: readonly TaskUsageEvent[]): UsageTimes {
  const result: UsageTimes = { times: [], cpu: [], memory: [] };
  const gap = Math.max(LEAST_GAP_SECONDS, GAP_STEPS * reply.step_seconds);
  const add = (time: number, cpu: number, memory: number) => {
    const last = result.times[result.times.length - 1];
    if (last !== undefined && time <= last) return;
    if (last !== undefined && time - last > gap) push(result, last + gap / 2, null, null);
    push(result, time, cpu, memory);
  };
  for (const [at, cpu, memory] of reply.points) add(Date.parse(at) / 1_000, cpu, memory);
  const [lastAt] = reply.points[reply.points.length - 1] ?? [];
  // Of the last step, the reply has the beginning.
  const from = lastAt === undefined ? 0 : Date.parse(lastAt) / 1_000 + reply.step_seconds;
  for (const { at, cpu, memory } of events) {
    const time = Date.parse(at) / 1_000;
    if (time >= from) add(time, cpu, memory);
  }
  return result;
}

function push(
  { times, cpu, memory }: UsageTimes,
  time: number,
  cores: number | null,
  mb: number | null,
): void {
  times.push(time);
  cpu.push(cores);
  memory.push(mb);
}
