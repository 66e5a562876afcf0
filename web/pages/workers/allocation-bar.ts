// A worker as a bar, divided among those who hold it; each task's part leads to the task.

import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import type { PlacedTask } from '../../data/placed-tasks.ts';
import { base } from '../../styles/shared.ts';
import {
  amountWords,
  heldWords,
  MEASURE_WORDS,
  type Measure,
  type Segment,
  segmentsOf,
} from './allocation.ts';

export class AllocationBar extends LitElement {
  static override properties = {
    worker: { attribute: false },
    tasks: { attribute: false },
    of: {},
    large: { type: Boolean, reflect: true },
  };
  declare worker: WorkerBody | null;
  declare tasks: readonly PlacedTask[];
  declare of: Measure;
  declare large: boolean;

  static override styles = [
    base,
    css`
      :host { min-width: 0; }
      ul { display: flex; height: 1.75rem; border-radius: var(--radius-small); border: 1px solid var(--line-strong); overflow: hidden; background: var(--sunken); }
      :host([large]) ul { height: 3rem; }
      li { flex-basis: 0; min-width: 0; display: flex; border-left: 1px solid var(--line-strong); }
      li:first-child { border-left: 0; }
      li.task, li.more { min-width: 1.5rem; }
      li.free { min-width: 0.75rem; }
      li { container-type: inline-size; }
      /* One letter says nothing; the words stay for those who hear them, and on hover. */
      @container (max-width: 2.75rem) { a > span, li > span > span { position: absolute; width: 1px; height: 1px; clip-path: inset(50%); } }
      a, li > span { flex: 1; min-width: 0; display: flex; flex-direction: column; justify-content: center; padding: 0 0.35rem; font-size: 0.75rem; line-height: 1.25; color: var(--ink); font-variant-numeric: tabular-nums; }
      a > span, li > span > span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      a { background: color-mix(in srgb, var(--tone, var(--quiet)) 22%, var(--surface)); border-top: 3px solid var(--tone, var(--quiet)); }
      a:hover { background: color-mix(in srgb, var(--tone, var(--quiet)) 38%, var(--surface)); text-decoration: none; }
      a:focus-visible { outline-offset: -2px; }
      a.starting { border-top-style: dotted; }
      .others > span { background: var(--quiet-wash); border-top: 3px solid var(--quiet); }
      .free > span { color: var(--ink-soft); }
      .tone-1 { --tone: var(--plot-1); } .tone-2 { --tone: var(--plot-2); } .tone-3 { --tone: var(--plot-3); }
      .tone-4 { --tone: var(--plot-4); } .tone-5 { --tone: var(--plot-5); } .tone-6 { --tone: var(--plot-6); }
      .words { font-size: var(--text-small); font-variant-numeric: tabular-nums; margin-bottom: 0.15rem; }
    `,
  ];

  constructor() {
    super();
    this.worker = null;
    this.tasks = [];
    this.of = 'cpu';
    this.large = false;
  }

  override render() {
    const { worker, of } = this;
    if (!worker) return nothing;
    const total = worker.capacity[of];
    const words = heldWords(of, worker.reserved[of], total);
    const segments = segmentsOf(worker, this.tasks, of, this.large ? 24 : 7);
    return html`
      <p class="words">${words}</p>
      ${
        total === 0
          ? nothing
          : html`
            <ul aria-label="${MEASURE_WORDS[of]} of ${worker.worker_id}, by who holds them">
              ${repeat(
                segments,
                ({ key }) => key,
                (segment) => this.#segment(segment, total),
              )}
            </ul>
          `
      }
    `;
  }

  #segment({ kind, label, amount, href, tone, isStarting }: Segment, total: number) {
    const words = `${label}: ${amountWords(this.of, amount)}${isStarting ? ', starting' : ''}`;
    const inside = html`<span>${label}</span><span class=${this.large ? '' : 'unseen'}>${amountWords(this.of, amount)}${isStarting ? ', starting' : ''}</span>`;
    return html`
      <li class="${kind} ${tone ? `tone-${tone}` : ''}" style="flex-grow: ${((amount / total) * 1000).toFixed(1)}" title=${words}>
        ${href ? html`<a href=${href} class=${isStarting ? 'starting' : ''}>${inside}</a>` : html`<span>${inside}</span>`}
      </li>
    `;
  }
}
