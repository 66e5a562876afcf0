// Line plots as SVG, written by hand: no script, no font of its own, readable on light and dark ground, lines told apart by
// dashes as well as by colour. Pure; all text is escaped here.

export interface PlotLine {
  readonly name: string;
  /** In order of x. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Plot {
  readonly title: string;
  readonly lines: readonly PlotLine[];
  readonly x: Axis;
  readonly y: Axis;
}

export interface Axis {
  readonly label: string;
  /** Values to be marked, in order; the first and last are the ends of the axis. */
  readonly ticks: readonly number[];
  readonly text: (value: number) => string;
  /** By its logarithm; values below the first tick are drawn there. */
  readonly isLog?: boolean;
}

const WIDTH = 760;
const HEIGHT = 260;
const FRAME = { left: 64, right: 16, top: 56, bottom: 44 };
/** After M. Okabe and K. Ito, "Color Universal Design", 2008: told apart by nearly all eyes. */
const STYLE = `
.plot{font:12px system-ui,sans-serif;color:#1a1a1a}
.plot text{fill:currentColor}
.plot .title{font-size:14px;font-weight:600}
.plot .grid{stroke:currentColor;stroke-opacity:.15}
.plot .axis{stroke:currentColor;stroke-opacity:.6}
.plot .line{fill:none;stroke-width:1.8;stroke-linejoin:round}
.plot .line0{stroke:#0072b2}
.plot .line1{stroke:#d55e00;stroke-dasharray:7 3}
.plot .line2{stroke:#007a5a;stroke-dasharray:2 3}
@media (prefers-color-scheme:dark){
.plot{color:#e8e8e8}
.plot .line0{stroke:#56b4e9}
.plot .line1{stroke:#e69f00}
.plot .line2{stroke:#3fd0a4}
}`;

/** All plots below each other, as one document. */
export function svgDocument(plots: readonly Plot[], title: string): string {
  const height = plots.length * HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">`,
    `<title>${escapeText(title)}</title>`,
    `<style>${STYLE}\nsvg.plot{background:#fff}\n@media (prefers-color-scheme:dark){svg.plot{background:#161616}}</style>`,
    ...plots.map((plot, at) => `<g transform="translate(0 ${at * HEIGHT})">${drawn(plot)}</g>`),
    '</svg>\n',
  ].join('\n');
}

/** One plot within a page that holds `plotStyle`. */
export function svgFigure(plot: Plot): string {
  return `<svg class="plot" role="img" aria-label="${escapeText(plot.title)}" viewBox="0 0 ${WIDTH} ${HEIGHT}">${drawn(plot)}</svg>`;
}

export const plotStyle = STYLE;

/** Safe within an element and within a quoted attribute; signs that XML does not know are left out. */
export function escapeText(text: string): string {
  return text
    .replaceAll(/[^\P{Cc}\n\t]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function drawn({ title, lines, x, y }: Plot): string {
  const toX = scale(x, FRAME.left, WIDTH - FRAME.right);
  const toY = scale(y, HEIGHT - FRAME.bottom, FRAME.top);
  const [bottom, right] = [HEIGHT - FRAME.bottom, WIDTH - FRAME.right];
  return [
    `<text class="title" x="${FRAME.left}" y="20">${escapeText(title)}</text>`,
    ...lines.map(({ name }, at) => legend(name, at, FRAME.left + at * 130)),
    ...y.ticks.map(
      (tick) =>
        `<path class="grid" d="M${FRAME.left} ${toY(tick)}H${right}"/><text x="${FRAME.left - 8}" y="${round(toY(tick) + 4)}" text-anchor="end">${escapeText(y.text(tick))}</text>`,
    ),
    ...x.ticks.map(
      (tick) =>
        `<path class="grid" d="M${toX(tick)} ${FRAME.top}V${bottom}"/><text x="${toX(tick)}" y="${bottom + 17}" text-anchor="middle">${escapeText(x.text(tick))}</text>`,
    ),
    `<path class="axis" d="M${FRAME.left} ${FRAME.top}V${bottom}H${right}" fill="none"/>`,
    `<text x="${right}" y="${HEIGHT - 8}" text-anchor="end">${escapeText(x.label)}</text>`,
    `<text x="${right}" y="20" text-anchor="end">${escapeText(y.label)}</text>`,
    ...lines.map(({ points }, at) =>
      points.length === 0
        ? ''
        : `<path class="line line${at % 3}" d="${points.map(([px, py], step) => `${step === 0 ? 'M' : 'L'}${toX(px)} ${toY(py)}`).join('')}"/>`,
    ),
  ].join('');
}

function legend(name: string, at: number, x: number): string {
  return `<path class="line line${at % 3}" d="M${x} 37h24"/><text x="${x + 30}" y="41">${escapeText(name)}</text>`;
}

/** From a value to a place, to a tenth of a pixel; what lies outside is drawn at the end. */
function scale({ ticks, isLog }: Axis, from: number, to: number): (value: number) => number {
  const least = ticks[0] ?? 0;
  const most = ticks.at(-1) ?? 1;
  const of = (value: number) => (isLog ? Math.log(Math.max(value, least)) : value);
  const span = of(most) - of(least) || 1;
  return (value) => {
    const part = Math.min(1, Math.max(0, (of(value) - of(least)) / span));
    return round(from + part * (to - from));
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** From 0 to at least `most` in at most eight of the first step that does; of twice the last and so on beyond. */
export function roundTicks(most: number, steps: readonly number[]): number[] {
  let step = steps.find((one) => most / one <= 8) ?? steps.at(-1) ?? 1;
  while (most / step > 8) step *= 2;
  const ticks = [0, step];
  while ((ticks.at(-1) as number) < most) ticks.push(ticks.length * step);
  return ticks;
}
