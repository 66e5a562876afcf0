// Values over time as lines or areas, drawn by uPlot. The legend shows the newest values, or those under the cursor,
// which all plots of a group share. Readers that do not see it get newest, least and most in words, and a short table.

import { css, html, LitElement, nothing, svg, unsafeCSS } from 'lit';
import type uPlot from 'uplot';
import plotStyles from 'uplot/dist/uPlot.min.css?inline';
import { base } from '../styles/shared.ts';
import { type PlotData, type PlotValue, plotWords, thinned } from './time-plot-data.ts';
import { alignedRows, dashOf, drawPlot, type PlotLook } from './time-plot-drawing.ts';
import { cursorWords, type Grouping } from './time-plot-scale.ts';

export type { PlotData } from './time-plot-data.ts';

const NO_DATA: PlotData = { times: [], series: [] };
/** More points than this are no more to see. */
const MOST_POINTS = 1_200;
const TABLE_ROWS = 6;

export class TimePlot extends LitElement {
  static override properties = {
    label: {},
    data: { attribute: false },
    format: { attribute: false },
    grouping: {},
    max: { attribute: false },
    from: { attribute: false },
    to: { attribute: false },
    stacked: { type: Boolean },
    area: { type: Boolean },
    compact: { type: Boolean, reflect: true },
    group: {},
    pointed: { state: true },
  };
  /** What is measured, e.g. `CPU`. */
  declare label: string;
  declare data: PlotData;
  /** A value with its unit, for axis, legend and words. */
  declare format: (value: number) => string;
  /** `binary` for bytes and megabytes. */
  declare grouping: Grouping;
  /** End of the scale, e.g. 100 or the memory there is; higher values still fit. */
  declare max: number | undefined;
  /** Unix seconds: what stretch of time is shown, also where nothing was measured. By default that of the data. */
  declare from: number | undefined;
  declare to: number | undefined;
  /** Series on top of each other. */
  declare stacked: boolean;
  /** Filled below the first series. */
  declare area: boolean;
  /** A bare line, without axes, legend and cursor. */
  declare compact: boolean;
  /** Plots of one name share their cursor. */
  declare group: string;
  /** Index of the moment under the cursor. */
  declare pointed: number | null;
  #plot: uPlot | null = null;
  #shown: PlotData = NO_DATA;
  #shape = '';
  readonly #resize = new ResizeObserver(() => this.#fit());
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');
  readonly #onTheme = () => this.#redraw();

  static override styles = [
    base,
    unsafeCSS(plotStyles),
    css`
      :host { display: flex; flex-direction: column; position: relative; height: 11rem; min-width: 0; }
      :host([compact]) { height: 2.25rem; }
      .plot { flex: 1; min-height: 0; position: relative; overflow: hidden; }
      .plot > .uplot { position: absolute; inset: 0; font-family: var(--font); }
      .u-hz .u-cursor-x { border-right: 1px solid var(--line-strong); }
      .legend { display: flex; flex-wrap: wrap; gap: 0 var(--space-4); font-size: var(--text-small); line-height: 1.6; color: var(--ink-soft); min-height: 1.6em; }
      .legend li { white-space: nowrap; }
      .legend svg { width: 1.25rem; height: 0.5rem; margin-right: 0.35rem; overflow: visible; }
      .legend line { stroke-width: 2.5; }
      .legend strong { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; margin-left: 0.2rem; }
      .when { margin-left: auto; font-variant-numeric: tabular-nums; }
      .tone-1 { stroke: var(--plot-1); } .tone-2 { stroke: var(--plot-2); } .tone-3 { stroke: var(--plot-3); }
      .tone-4 { stroke: var(--plot-4); } .tone-5 { stroke: var(--plot-5); } .tone-6 { stroke: var(--plot-6); }
      .nothing { position: absolute; inset: 0; display: grid; place-items: center; color: var(--ink-soft); font-size: var(--text-small); }
    `,
  ];

  constructor() {
    super();
    this.label = '';
    this.data = NO_DATA;
    this.format = String;
    this.grouping = 'decimal';
    this.max = undefined;
    this.from = undefined;
    this.to = undefined;
    this.stacked = false;
    this.area = false;
    this.compact = false;
    this.group = 'time';
    this.pointed = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('cloudai-theme', this.#onTheme);
    this.#dark.addEventListener('change', this.#onTheme);
    if (this.hasUpdated) this.#watch();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener('cloudai-theme', this.#onTheme);
    this.#dark.removeEventListener('change', this.#onTheme);
    this.#resize.disconnect();
    this.#drop();
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has('data')) return;
    this.#shown = thinned(this.data, MOST_POINTS);
    if (this.pointed !== null && this.pointed >= this.#shown.times.length) this.pointed = null;
  }

  override render() {
    const { data, format } = this;
    const isEmpty = data.series.every(({ values }) => values.every((value) => value === null));
    return html`
      <div class="plot" role="img" aria-label="${this.label}. ${isEmpty ? 'Nothing was measured.' : plotWords(data, format)}">
        ${isEmpty && !this.compact ? html`<span class="nothing">Nothing measured yet</span>` : nothing}
      </div>
      ${this.compact ? nothing : html`${this.#legend()}${isEmpty ? nothing : this.#table()}`}
    `;
  }

  override firstUpdated(): void {
    this.#watch();
  }

  override updated(changed: Map<string, unknown>): void {
    if (changed.size === 1 && changed.has('pointed')) return;
    this.#draw();
  }

  #legend() {
    const { times, series } = this.#shown;
    const at = this.pointed ?? times.length - 1;
    const words = (value: PlotValue | undefined) => (value == null ? '–' : this.format(value));
    return html`
      <ul class="legend">
        ${series.map(
          ({ label, tone, values }, index) => html`
            <li>
              <svg viewBox="0 0 20 8" aria-hidden="true">${svg`<line class="tone-${tone}" x1="0" x2="20" y1="4" y2="4" stroke-dasharray=${this.stacked ? '' : dashOf(this.#shown, index).join(' ')}></line>`}</svg>${label} <strong>${words(values[at])}</strong>
            </li>
          `,
        )}
        ${this.pointed === null ? nothing : html`<li class="when">${cursorWords(times[at] ?? 0, (times.at(-1) ?? 0) - (times[0] ?? 0))}</li>`}
      </ul>
    `;
  }

  /** A few moments, evenly spread, the newest last. */
  #table() {
    const { times, series } = this.#shown;
    const rows = Math.min(TABLE_ROWS, times.length);
    const span = (times.at(-1) ?? 0) - (times[0] ?? 0);
    const at = Array.from({ length: rows }, (_, row) =>
      rows === 1 ? 0 : Math.round((row * (times.length - 1)) / (rows - 1)),
    );
    return html`
      <table class="unseen">
        <caption>${this.label}</caption>
        <thead><tr><th scope="col">Time</th>${series.map(({ label }) => html`<th scope="col">${label}</th>`)}</tr></thead>
        <tbody>
          ${at.map(
            (index) => html`
              <tr><th scope="row">${cursorWords(times[index] ?? 0, span)}</th>${series.map(({ values }) => html`<td>${values[index] == null ? 'not measured' : this.format(values[index])}</td>`)}</tr>
            `,
          )}
        </tbody>
      </table>
    `;
  }

  get #target(): HTMLElement | null {
    return this.renderRoot.querySelector('.plot');
  }

  #watch(): void {
    const target = this.#target;
    if (target) this.#resize.observe(target);
  }

  /** What may change without a new plot. */
  readonly #look = (): PlotLook => ({
    format: this.format,
    grouping: this.grouping,
    max: this.max,
    from: this.from,
    to: this.to,
    isStacked: this.stacked,
    isArea: this.area,
    isCompact: this.compact,
    group: this.group,
    colour: (token) => this.#colour(token),
    pointed: (index) => {
      this.pointed = index;
    },
  });

  #draw(): void {
    const target = this.#target;
    if (!target || !this.isConnected) return;
    const { stacked, area, compact, group } = this;
    const lines = this.#shown.series.map(({ label, tone, dashed }) => [label, tone, dashed ?? null]);
    const shape = JSON.stringify([lines, stacked, area, compact, group]);
    if (this.#plot && shape === this.#shape) {
      this.#plot.setData(alignedRows(this.#shown, stacked));
      return;
    }
    this.#drop();
    const { clientWidth: width, clientHeight: height } = target;
    // Not on the page yet, or hidden: drawn when it gets a size.
    if (width === 0 || height === 0) return;
    this.#shape = shape;
    this.#plot = drawPlot(target, { width, height }, this.#shown, this.#look);
  }

  #fit(): void {
    const target = this.#target;
    if (!target) return;
    const { clientWidth: width, clientHeight: height } = target;
    if (!this.#plot) this.#draw();
    else if (width > 0 && height > 0 && (width !== this.#plot.width || height !== this.#plot.height)) {
      this.#plot.setSize({ width, height });
    }
  }

  #redraw(): void {
    this.#drop();
    this.#draw();
  }

  #drop(): void {
    this.#plot?.destroy();
    this.#plot = null;
  }

  /** Tokens hold both colours of a theme; only a browser's own look at an element says which one counts. */
  #colour(token: string): string {
    const probe = document.createElement('span');
    probe.style.color = `var(${token})`;
    this.renderRoot.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }
}
