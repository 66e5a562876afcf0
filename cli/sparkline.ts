// A curve in one line of text. Pure.

const BARS = '▁▂▃▄▅▆▇█';

export interface SparkPoint {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly value: number;
}

export interface SparkRange {
  /** `from ≤ at < to`. */
  readonly from: number;
  readonly to: number;
  /** Between two points. */
  readonly stepMs: number;
  /** What the highest bar stands for; by default the highest point. */
  readonly most?: number;
}

/**
 * At most `width` characters, each the mean of its share of the time; a space where nothing was measured. The lowest
 * bar is zero, so that a curve that hardly moves looks calm.
 */
export function sparkline(points: readonly SparkPoint[], range: SparkRange, width: number): string {
  const { from, to, stepMs } = range;
  const cells = Math.max(1, Math.min(width, Math.ceil((to - from) / stepMs)));
  const sums = Array.from({ length: cells }, () => ({ sum: 0, count: 0 }));
  for (const { at, value } of points) {
    const cell = sums[Math.min(cells - 1, Math.max(0, Math.floor(((at - from) / (to - from)) * cells)))];
    if (!cell) continue;
    cell.sum += value;
    cell.count += 1;
  }
  const means = sums.map(({ sum, count }) => (count === 0 ? null : sum / count));
  const most = range.most ?? Math.max(0, ...means.map((mean) => mean ?? 0));
  return means.map((mean) => (mean === null ? ' ' : bar(most > 0 ? mean / most : 0))).join('');
}

function bar(share: number): string {
  const index = Math.round(Math.min(1, Math.max(0, share)) * (BARS.length - 1));
  return BARS.charAt(index);
}
