// All workers as a grid of cells: how full each is by its shade, its state by a sign and in words. One stop for the Tab
// key, whatever their number; arrows move within.

import { css, html, LitElement, nothing, unsafeCSS } from 'lit';
import { trim } from '../../../client/words.ts';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import type { WorkerState } from '../../../shared/model/worker.ts';
import { base } from '../../styles/shared.ts';

/** Up to so many have room for their names. */
const MOST_NAMED = 24;
const SIGNS: Readonly<Record<WorkerState, string>> = {
  ready: '',
  cordoned: '‖',
  draining: '↓',
  unhealthy: '!',
  down: '✕',
  unreachable: '?',
};

/** Shades of a cell; few, so that most cells stay as they are from one picture to the next. */
const SHADES = 10;
const shades = Array.from(
  { length: SHADES },
  (_, at) =>
    `.shade-${at + 1} { background: color-mix(in srgb, var(--accent) ${(at + 1) * 7}%, var(--sunken)); }`,
).join('\n');

export class WorkerGrid extends LitElement {
  static override properties = { workers: { attribute: false }, at: { state: true } };
  declare workers: readonly WorkerBody[];
  /** Which cell the Tab key comes to. */
  declare at: number;

  static override styles = [
    base,
    css`
      .cells { display: grid; gap: 3px; grid-template-columns: repeat(auto-fill, minmax(1.5rem, 1fr)); }
      .named { gap: var(--space-2); grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); }
      a { display: block; position: relative; overflow: hidden; min-height: 1.5rem; border: 1px solid var(--line); border-radius: 0.25rem; background: var(--sunken); color: var(--ink); font-size: var(--text-small); text-align: center; line-height: 1.5rem; }
      a:hover { border-color: var(--ink-soft); text-decoration: none; }
      .named a { text-align: left; padding: 0.2rem var(--space-2); border-radius: var(--radius-small); line-height: 1.4; }
      .cells:not(.named) li { contain: strict; height: 1.5rem; }
      .cells:not(.named) a { height: 100%; }
      .cordoned::before { content: '‖'; } .draining::before { content: '↓'; } .unhealthy::before { content: '!'; } .down::before { content: '✕'; } .unreachable::before { content: '?'; }
      .named a::before { content: none; }
      .fill { position: absolute; inset: auto 0 0 0; height: 3px; background: var(--accent); width: var(--held); }
      .label { position: relative; }
      ${unsafeCSS(shades)}
      .down, .unhealthy, .unreachable { border-color: var(--bad); background: var(--bad-wash); color: var(--bad); }
      .cordoned, .draining { border-color: var(--queued); background: var(--queued-wash); color: var(--queued); }
      .named .label { display: flex; justify-content: space-between; gap: var(--space-2); }
      .key { display: flex; flex-wrap: wrap; gap: var(--space-1) var(--space-4); margin-top: var(--space-3); font-size: var(--text-small); color: var(--ink-soft); align-items: center; }
      .key span { display: inline-flex; gap: 0.35rem; align-items: center; }
      .ramp { width: 4.5rem; height: 0.6rem; border-radius: 1rem; background: linear-gradient(to right, var(--sunken), color-mix(in srgb, var(--accent) 70%, transparent)); border: 1px solid var(--line); }
    `,
  ];

  constructor() {
    super();
    this.workers = [];
    this.at = 0;
  }

  override render() {
    const { workers } = this;
    const isNamed = workers.length <= MOST_NAMED;
    const stop = Math.min(this.at, workers.length - 1);
    const signs = (Object.keys(SIGNS) as WorkerState[]).filter(
      (state) => SIGNS[state] !== '' && workers.some((worker) => worker.state === state),
    );
    return html`
      <ul class="cells ${isNamed ? 'named' : ''}" aria-label="Workers by cores held" @keydown=${this.#move} @focusin=${this.#enter}>
        ${workers.map((worker, index) => this.#cell(worker, isNamed, index === stop))}
      </ul>
      ${
        isNamed && signs.length === 0
          ? nothing
          : html`
            <div class="key">
              ${isNamed ? nothing : html`<span>no core held <i class="ramp"></i> all held</span>`}
              ${signs.map((state) => html`<span><b aria-hidden="true">${SIGNS[state]}</b> ${state}</span>`)}
            </div>
          `
      }
    `;
  }

  #cell({ worker_id, state, reserved, capacity }: WorkerBody, isNamed: boolean, isStop: boolean) {
    const share = capacity.cpu > 0 ? Math.min(1, reserved.cpu / capacity.cpu) : 0;
    const held =
      state === 'unreachable' ? '' : `, ${trim(reserved.cpu, 2)} of ${trim(capacity.cpu, 2)} cores held`;
    const words = `${worker_id}: ${state}${held}`;
    const href = `/cluster/${worker_id}`;
    const stop = isStop ? 0 : -1;
    if (!isNamed) {
      const shade = state === 'ready' ? `shade-${Math.ceil(share * SHADES)}` : '';
      return html`<li><a class="${state} ${shade}" href=${href} title=${words} aria-label=${words} tabindex=${stop}></a></li>`;
    }
    const percent = `${Math.round(share * 100)}%`;
    return html`
      <li>
        <a class=${state} href=${href} title=${words} tabindex=${stop}>
          <span class="fill" style="--held: ${percent}"></span>
          <span class="label"><span class="cut">${worker_id}</span><span class="number">${SIGNS[state] || percent}</span></span>
          <span class="unseen">${words.slice(worker_id.length)}</span>
        </a>
      </li>
    `;
  }

  get #links(): HTMLAnchorElement[] {
    return [...this.renderRoot.querySelectorAll('a')];
  }

  #enter(event: FocusEvent): void {
    const at = this.#links.indexOf(event.target as HTMLAnchorElement);
    if (at >= 0) this.at = at;
  }

  #move(event: KeyboardEvent): void {
    const links = this.#links;
    const at = links.indexOf(event.target as HTMLAnchorElement);
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const top = links[0]?.offsetTop;
    const columns = links.filter(({ offsetTop }) => offsetTop === top).length;
    const steps: Record<string, number> = {
      ArrowRight: at + 1,
      ArrowLeft: at - 1,
      ArrowDown: at + columns,
      ArrowUp: at - columns,
      Home: 0,
      End: links.length - 1,
    };
    const next = links[steps[event.key] ?? -1];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}
