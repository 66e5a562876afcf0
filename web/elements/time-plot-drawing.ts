// Puts uPlot to work for <time-plot>: what is drawn, in which colours, with which axes. Knows no Lit.

import uPlot from 'uplot';
import type { PlotData, PlotValue } from './time-plot-data.ts';
import { stacked } from './time-plot-data.ts';
import { type Grouping, momentWords, scaleMarks, scaleTop } from './time-plot-scale.ts';

export interface PlotLook {
  readonly format: (value: number) => string;
  readonly grouping: Grouping;
  /** End of the upright scale, unless a value is higher. */
  readonly max: number | undefined;
  /** Unix seconds; by default where the data begin and end. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly isStacked: boolean;
  readonly isArea: boolean;
  /** A bare line, without axes and cursor. */
  readonly isCompact: boolean;
  /** Plots of one group share their cursor. */
  readonly group: string;
  /** A colour that canvas understands, for the name of a token. */
  readonly colour: (token: string) => string;
  /** The moment under the cursor, by its index; null when it has left. */
  readonly pointed: (index: number | null) => void;
}

const DASHES = [[], [6, 4], [2, 3], [10, 3, 2, 3], [1, 4], [12, 4]];
const FONT = '11px system-ui, sans-serif';

export function dashOf(data: PlotData, index: number): readonly number[] {
  const { dashed } = data.series[index] ?? {};
  if (dashed === false) return [];
  return dashed === true && index === 0 ? [6, 4] : (DASHES[index % DASHES.length] ?? []);
}

/** Rows as uPlot takes them. */
export function alignedRows(data: PlotData, isStacked: boolean): uPlot.AlignedData {
  const rows: PlotValue[][] = isStacked
    ? stacked(data.series)
    : data.series.map(({ values }) => values as PlotValue[]);
  return [data.times as number[], ...rows];
}

/** @param look is asked anew for what may change while the plot stays */
export function drawPlot(
  target: HTMLElement,
  size: { width: number; height: number },
  data: PlotData,
  look: () => PlotLook,
): uPlot {
  const { isCompact, isStacked, isArea, colour, group } = look();
  const ink = colour('--ink-soft');
  const line = colour('--line');
  const series: uPlot.Series[] = data.series.map(({ tone, label }, index) => {
    const stroke = colour(`--plot-${tone}`);
    const isFilled = isStacked || (isArea && index === 0);
    return {
      label,
      stroke,
      width: isStacked ? 1 : 1.5,
      pxAlign: 0,
      dash: isStacked ? [] : [...dashOf(data, index)],
      ...(isFilled ? { fill: faded(stroke, isStacked ? 0.45 : 0.16) } : {}),
      points: { show: (plot, at, from, to) => isLonely(plot, at, from, to), size: 4 },
    };
  });
  const bands = isStacked
    ? data.series.slice(1).map((_, index) => ({ series: [index + 2, index + 1] as [number, number] }))
    : [];
  const axis: uPlot.Axis = {
    stroke: ink,
    font: FONT,
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
    gap: 6,
  };
  return new uPlot(
    {
      ...size,
      series: [{}, ...series],
      bands,
      legend: { show: false },
      padding: isCompact ? [2, 0, 2, 0] : [10, 18, 0, 0],
      scales: {
        x: {
          time: true,
          range: (_, min, max) => {
            const { from, to } = look();
            const end = to ?? max ?? 0;
            const begin = from ?? min ?? end;
            return [begin < end ? begin : end - 60, end];
          },
        },
        y: {
          range: (_, __, most) => {
            const { max = 0, grouping } = look();
            const top = Math.max(max, most ?? 0);
            return [0, max > 0 && top === max ? max : scaleTop(top, grouping)];
          },
        },
      },
      axes: isCompact
        ? [{ show: false }, { show: false }]
        : [
            {
              ...axis,
              grid: { show: false },
              size: 24,
              space: 72,
              values: (_, splits, __, ___, step) => splits.map((at) => momentWords(at, step)),
            },
            {
              ...axis,
              size: (_, values) => widthOf(values),
              splits: (_, __, ___, most) => scaleMarks(most, look().grouping, most === look().max),
              values: (_, splits) => splits.map((value) => look().format(value)),
            },
          ],
      cursor: isCompact
        ? { show: false }
        : {
            y: false,
            drag: { x: false, y: false },
            bind: { dblclick: () => null },
            points: { size: 7 },
            sync: { key: group, scales: ['x', null], setSeries: false },
          },
      hooks: {
        setCursor: [({ cursor }) => look().pointed((cursor.left ?? -1) < 0 ? null : (cursor.idx ?? null))],
      },
    },
    alignedRows(data, isStacked),
    target,
  );
}

/** A value between two gaps has no line: it is drawn as a point. */
function isLonely(plot: uPlot, index: number, from: number, to: number): boolean {
  const values = plot.data[index];
  if (!values || to - from > 400) return false;
  for (let at = from; at <= to; at += 1) {
    if (values[at] != null && values[at - 1] == null && values[at + 1] == null) return true;
  }
  return false;
}

/** Room for the longest word; measured roughly, so that it does not change with every digit. */
function widthOf(values: readonly string[] | null): number {
  const longest = Math.max(3, ...(values ?? []).map(({ length }) => length));
  return Math.ceil(longest * 7) + 12;
}

/** @param colour `rgb(…)`, as a browser resolves it */
function faded(colour: string, alpha: number): string {
  const parts = /^rgba?\(([^)]+)\)$/
    .exec(colour)?.[1]
    ?.split(/[\s,/]+/)
    .slice(0, 3);
  return parts ? `rgba(${parts.join(', ')}, ${alpha})` : colour;
}
