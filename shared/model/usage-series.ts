// What an attempt used over time: means over steps of equal length, of which there are never more than MAX_STEPS. When
// they are full, two steps become one. Pure.

/** Thousandths of a core and mebibytes, means of the samples in the step. Steps without a sample are left out. */
export type UsagePoint = readonly [step: number, samples: number, cpuMillis: number, memoryMb: number];

export interface UsageSeries {
  /** Where step 0 begins; milliseconds since the epoch. */
  readonly startAt: number;
  readonly stepMs: number;
  /** In order of time. */
  readonly points: readonly UsagePoint[];
}

export const MAX_STEPS = 240;
/** Longer than any task runs: a sample from a clock that is far off is left out. */
const LONGEST_MS = 10 * 365 * 86_400_000;

export function beginSeries(startAt: number, stepMs: number): UsageSeries {
  return { startAt, stepMs: Math.max(1, stepMs), points: [] };
}

/** A sample from before the last one, by a clock that was set back, counts for the last step. */
export function addSample(
  series: UsageSeries,
  sample: { readonly at: number; readonly cpuMillis: number; readonly memoryMb: number },
): UsageSeries {
  const passed = sample.at - series.startAt;
  if (!(passed < LONGEST_MS)) return series;
  let fitting = series;
  while (passed >= fitting.stepMs * MAX_STEPS) fitting = halved(fitting);
  const { startAt, stepMs, points } = fitting;
  const last = points[points.length - 1];
  const step = Math.max(last?.[0] ?? 0, Math.floor(passed / stepMs));
  const point: UsagePoint = [step, 1, sample.cpuMillis, sample.memoryMb];
  const rest = last?.[0] === step ? points.slice(0, -1) : points;
  return { startAt, stepMs, points: [...rest, last?.[0] === step ? joined(last, point) : point] };
}

/** Numbers no longer than they are worth, for the wire and the record. */
export function roundedSeries({ startAt, stepMs, points }: UsageSeries): UsageSeries {
  return {
    startAt,
    stepMs,
    points: points.map(([step, samples, cpu, memory]) => [
      step,
      samples,
      Math.round(cpu),
      memory < 100 ? Math.round(memory * 10) / 10 : Math.round(memory),
    ]),
  };
}

function halved({ startAt, stepMs, points }: UsageSeries): UsageSeries {
  const halves: UsagePoint[] = [];
  for (const [step, ...values] of points) {
    const point: UsagePoint = [Math.floor(step / 2), ...values];
    const last = halves[halves.length - 1];
    if (last?.[0] === point[0]) halves[halves.length - 1] = joined(last, point);
    else halves.push(point);
  }
  return { startAt, stepMs: 2 * stepMs, points: halves };
}

function joined(
  [step, samples, cpu, memory]: UsagePoint,
  [, more, otherCpu, otherMemory]: UsagePoint,
): UsagePoint {
  const all = samples + more;
  return [step, all, (cpu * samples + otherCpu * more) / all, (memory * samples + otherMemory * more) / all];
}
