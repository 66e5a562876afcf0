// What the measured use of an ended attempt says of its request, in a sentence for the user. Pure. It advises and never
// changes anything; with too little to go by it says nothing.

import type { Resources } from './resources.ts';
import type { Attempt } from './task.ts';
import type { AttemptUsage } from './usage.ts';

/** Fewer say little: one look may have met a pause of the program. */
const LEAST_SAMPLES = 5;
/** A shorter run is mostly start-up. */
const LEAST_RUN_MS = 30_000;

/** Above this share of the limit the next input that is a little larger ends in a kill. */
const MEMORY_TIGHT = 0.9;
/** Peaks are peaks of samples, so the true one may be higher. */
const MEMORY_ROOM = 1.25;
/** Below this share of the request most of it is kept from others for nothing. */
const MEMORY_LOOSE = 0.25;
/** Room above the highest sample for a request that is made smaller, and its steps in MB. */
const MEMORY_SPARE = 1.5;
const MEMORY_STEP_MB = 64;
/** To give back less than this is not worth a word. */
const LEAST_MEMORY_MB = 128;

const CPU_LOOSE = 0.25;
/** Of a program with bursts: what it needs to have them, at least twice the mean. */
const CPU_SPARE = 2;
const CPU_STEP_MILLIS = 100;
/** A request that would shrink by less is left alone: the program has bursts that reach for it. */
const CPU_SHRINKS_TO = 0.75;
/** Held back by its limit nearly all the time. */
const CPU_TIGHT = 0.95;
const CORE_MILLIS = 1_000;

/** Null when the request suits, and when there is too little to say so. */
export function usageHint(requested: Resources, attempt: Attempt): string | null {
  const { finishedAt, startedAt, usage, reason, state } = attempt;
  if (finishedAt === null || startedAt === null) return null;
  const ran = finishedAt - startedAt;
  // What was cut short may have come to need more.
  const isWhole = state !== 'evicted';
  const isSure = isWhole && usage != null && usage.samples >= LEAST_SAMPLES && ran >= LEAST_RUN_MS;
  const parts = [
    reason === 'oom_killed' ? killed(requested.memoryMb) : usage && memoryHint(requested, usage, isSure),
    isSure ? cpuHint(requested.cpuMillis, usage) : null,
  ].filter((part) => part != null);
  return parts.length === 0 ? null : parts.join(' ');
}

function killed(memoryMb: number): string {
  return `It was killed at its limit of ${memoryMb} MB of memory: try ${2 * memoryMb} MB (memory_required).`;
}

function memoryHint({ memoryMb }: Resources, usage: AttemptUsage, isSure: boolean): string | null {
  const peak = usage.memoryPeakMb;
  const seen = `At its peak it used ${Math.round(peak)} of the ${memoryMb} MB of memory it asked for`;
  // One look is enough to see that it is tight.
  if (peak > memoryMb * MEMORY_TIGHT) {
    const better = Math.max(roundUp(peak * MEMORY_ROOM, MEMORY_STEP_MB), memoryMb + MEMORY_STEP_MB);
    return `${seen}: ${better} MB (memory_required) would be safer.`;
  }
  const better = roundUp(Math.max(peak, 1) * MEMORY_SPARE, MEMORY_STEP_MB);
  if (!isSure || peak >= memoryMb * MEMORY_LOOSE || memoryMb - better < LEAST_MEMORY_MB) return null;
  return `${seen}: ${better} MB (memory_required) would do.`;
}

function cpuHint(requested: number, usage: AttemptUsage): string | null {
  const { cpuMeanMillis: mean, cpuPeakMillis: peak } = usage;
  const seen = `On average it used ${cores(mean)} of the ${cores(requested)} ${requested === CORE_MILLIS ? 'core' : 'cores'} it asked for`;
  if (mean < requested * CPU_LOOSE) {
    const better = roundUp(Math.max(peak, mean * CPU_SPARE, 1), CPU_STEP_MILLIS);
    return better > requested * CPU_SHRINKS_TO ? null : `${seen}: ${cores(better)} (cpu_required) would do.`;
  }
  // At one core exactly a program with one thread looks the same as one that is held back.
  if (mean < requested * CPU_TIGHT || requested === CORE_MILLIS) return null;
  const better = requested < CORE_MILLIS ? Math.min(CORE_MILLIS, 2 * requested) : 2 * requested;
  return `${seen}: with ${cores(better)} (cpu_required) it may end sooner.`;
}

function roundUp(amount: number, step: number): number {
  return Math.ceil(amount / step) * step;
}

function cores(millis: number): string {
  return String(Math.round(millis / 10) / 100);
}
