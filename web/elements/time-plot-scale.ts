// The scales of a plot over time: where the upright one ends, which marks it has, how moments are written below. Pure.

/** `binary` for bytes and megabytes, whose units are 1,024 of the one before; `whole` for what is counted. */
export type Grouping = 'decimal' | 'binary' | 'whole';

const MARKS = 4;

/** A round end of the scale that has room for `most`; never 0, so that a flat line lies at the bottom. */
export function scaleTop(most: number, grouping: Grouping = 'decimal'): number {
  // Parts of a byte would all be told by the same words.
  if (!(most > 0)) return grouping === 'binary' ? MARKS : 1;
  const step = markStep(most, grouping);
  return round(Math.ceil(round(most / step)) * step);
}

/** From 0 to at most `top`, a handful. With `isLimit` also `top` itself, where it is not crowded: it means something. */
export function scaleMarks(top: number, grouping: Grouping = 'decimal', isLimit = false): number[] {
  if (!(top > 0)) return [0];
  const step = markStep(top, grouping);
  const marks = Array.from({ length: Math.floor(round(top / step)) + 1 }, (_, index) => round(index * step));
  const last = marks.at(-1) ?? 0;
  return isLimit && top - last > 0.6 * step ? [...marks, top] : marks;
}

function markStep(top: number, grouping: Grouping): number {
  const raw = top / MARKS;
  if (grouping === 'binary') return Math.max(1, 2 ** Math.ceil(Math.log2(raw)));
  if (grouping === 'whole' && raw <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor =
    (grouping === 'whole' ? [1, 2, 5, 10] : [1, 2, 2.5, 5, 10]).find(
      (known) => known * power >= raw * 0.999_999,
    ) ?? 10;
  return factor * power;
}

/** Without the dust of floating point. */
function round(value: number): number {
  return Number(value.toPrecision(12));
}

const DAY_S = 86_400;

/** A moment below the plot, in local time: the hour, with seconds when marks are closer than a minute, or the day. */
export function momentWords(seconds: number, stepSeconds: number, locale?: string): string {
  const date = new Date(seconds * 1000);
  if (stepSeconds >= DAY_S) return date.toLocaleDateString(locale, { weekday: 'short', day: 'numeric' });
  return date.toLocaleTimeString(locale, {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(stepSeconds < 60 ? { second: '2-digit' } : {}),
  });
}

/** The moment under the cursor, exact to what the points are. */
export function cursorWords(seconds: number, spanSeconds: number, locale?: string): string {
  const date = new Date(seconds * 1000);
  const day =
    spanSeconds > DAY_S
      ? `${date.toLocaleDateString(locale, { weekday: 'short', day: 'numeric', month: 'short' })}, `
      : '';
  return `${day}${momentWords(seconds, spanSeconds > 4 * 3_600 ? 60 : 1, locale)}`;
}
