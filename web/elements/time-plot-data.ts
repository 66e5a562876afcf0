// What a plot over time is drawn from: series on one row of moments; stacked, thinned, told in words. Pure.

export type Tone = 1 | 2 | 3 | 4 | 5 | 6;
export type PlotValue = number | null;

export interface PlotSeries {
  readonly label: string;
  readonly tone: Tone;
  /** As many as there are moments; null where nothing was measured. */
  readonly values: readonly PlotValue[];
  /** Drawn with gaps in the line; by default every series but the first. */
  readonly dashed?: boolean;
}

export interface PlotData {
  /** Unix seconds, ascending. */
  readonly times: readonly number[];
  readonly series: readonly PlotSeries[];
}

export interface Extremes {
  readonly newest: PlotValue;
  readonly least: number;
  readonly most: number;
}

/** Null when nothing was measured. `newest` is null when the last moment has no value. */
export function extremes(values: readonly PlotValue[]): Extremes | null {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value === null) continue;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return least > most ? null : { newest: values.at(-1) ?? null, least, most };
}

/** A sentence for each series: what a look at the plot tells. */
export function plotWords(data: PlotData, format: (value: number) => string): string {
  return data.series
    .map(({ label, values }) => {
      const found = extremes(values);
      if (!found) return `${label}: not measured.`;
      const { newest, least, most } = found;
      return `${label}: newest ${newest === null ? 'not measured' : format(newest)}, least ${format(least)}, most ${format(most)}.`;
    })
    .join(' ');
}

/** Each series on top of those before it. A value that is missing stays missing and lifts nothing. */
export function stacked(series: readonly PlotSeries[]): PlotValue[][] {
  const floor: number[] = [];
  return series.map(({ values }) =>
    values.map((value, at) => {
      if (value === null) return null;
      const top = (floor[at] ?? 0) + value;
      floor[at] = top;
      return top;
    }),
  );
}

/**
 * At most about `most` moments, those where a line has its peaks and dips within each stretch, so that no spike is
 * lost; ends and gaps stay.
 */
export function thinned(data: PlotData, most: number): PlotData {
  const { times, series } = data;
  if (times.length <= most || series.length === 0) return data;
  const stretches = Math.max(1, Math.floor(most / (3 * series.length)));
  const kept = new Set([0, times.length - 1]);
  for (let stretch = 0; stretch < stretches; stretch += 1) {
    const from = Math.floor((stretch * times.length) / stretches);
    const to = Math.floor(((stretch + 1) * times.length) / stretches);
    for (const { values } of series) keepOf(values, from, to, kept);
  }
  const order = [...kept].sort((a, b) => a - b);
  return {
    times: order.map((at) => times[at] as number),
    series: series.map((one) => ({ ...one, values: order.map((at) => one.values[at] ?? null) })),
  };
}

function keepOf(values: readonly PlotValue[], from: number, to: number, kept: Set<number>): void {
  let low = -1;
  let high = -1;
  let gap = -1;
  for (let at = from; at < to; at += 1) {
    const value = values[at] ?? null;
    if (value === null) gap = at;
    else {
      if (low < 0 || value < (values[low] as number)) low = at;
      if (high < 0 || value > (values[high] as number)) high = at;
    }
  }
  for (const at of [low, high, gap]) if (at >= 0) kept.add(at);
}
