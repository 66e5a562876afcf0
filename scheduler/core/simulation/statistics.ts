// Figures about many numbers: percentiles, the curve of a distribution, Jain's index. Pure.

export interface Percentiles {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Null of nothing. By nearest rank: each figure is one that occurred. Sorts what it is given. */
export function percentilesOf(values: Float64Array): Percentiles | null {
  if (values.length === 0) return null;
  values.sort();
  const at = (part: number) => values[Math.max(0, Math.ceil(part * values.length) - 1)] as number;
  let sum = 0;
  for (const value of values) sum += value;
  return {
    count: values.length,
    mean: sum / values.length,
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    max: at(1),
  };
}

/** Most points of a curve: more than a plot has room for says nothing. */
const CURVE_POINTS = 160;

/** Points [value, part of all that is not greater], in order; few where there are many alike. */
export function curveOf(sorted: Float64Array): readonly (readonly [value: number, part: number])[] {
  const points: (readonly [number, number])[] = [];
  for (let step = 1; step <= CURVE_POINTS && sorted.length > 0; step += 1) {
    const rank = Math.ceil((step / CURVE_POINTS) * sorted.length);
    const value = sorted[rank - 1] as number;
    if (points.at(-1)?.[0] === value) points.pop();
    points.push([value, rank / sorted.length]);
  }
  return points;
}

/**
 * How equal the numbers are: 1 when all are the same, 1/n when one has everything. Null of nothing.
 * (Σx)² / (n·Σx²). Source: R. Jain, D. Chiu, W. Hawe, "A Quantitative Measure of Fairness and Discrimination for Resource
 * Allocation in Shared Computer Systems", DEC-TR-301, 1984.
 */
export function jainIndex(values: readonly number[]): number | null {
  let [sum, squares] = [0, 0];
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  return squares === 0 ? null : (sum * sum) / (values.length * squares);
}
