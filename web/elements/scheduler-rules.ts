// By which rules tasks are placed now: one line, and on demand what it means. Nothing where no scheduler has said.

import { css, html, LitElement, nothing } from 'lit';
import type { SchedulerBody } from '../../shared/contracts/workers.ts';
import { schedulerHelp, schedulerLine } from '../data/scheduler-words.ts';
import { base, controls } from '../styles/shared.ts';

/** Who has more of them kept free looks at the list of workers. */
const SHOWN = 12;

export class SchedulerRules extends LitElement {
  static override properties = { scheduler: { attribute: false } };
  declare scheduler: SchedulerBody | null;

  static override styles = [
    base,
    controls,
    css`
      :host { font-size: var(--text-small); }
      summary { color: var(--ink-soft); font-weight: 400; padding: 0; width: fit-content; max-width: 100%; }
      summary:hover { color: var(--ink); }
      .line { color: var(--ink); font-weight: 550; }
      .line.bad { color: var(--bad); }
      dl { display: grid; grid-template-columns: 10rem minmax(0, 1fr); gap: var(--space-2) var(--space-4); padding: var(--space-3) var(--space-4); margin-top: var(--space-2); background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); max-width: 52rem; }
      dt { font-weight: 550; }
      dd { color: var(--ink-soft); overflow-wrap: anywhere; }
      @media (max-width: 34rem) { dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: var(--space-2); } }
    `,
  ];

  constructor() {
    super();
    this.scheduler = null;
  }

  override render() {
    const { scheduler } = this;
    if (!scheduler) return nothing;
    return html`
      <details>
        <summary>How tasks are placed: <span class="line ${scheduler.leading ? '' : 'bad'}">${schedulerLine(scheduler)}</span></summary>
        <dl>
          ${schedulerHelp(scheduler).map(({ heading, text }) => html`<dt>${heading}</dt><dd>${text}</dd>`)}
          ${scheduler.reservations.length > 0 ? html`<dt>Now kept free</dt><dd>${this.#kept(scheduler)}</dd>` : nothing}
        </dl>
      </details>
    `;
  }

  #kept({ reservations }: SchedulerBody) {
    const more = reservations.length - SHOWN;
    return html`${reservations.slice(0, SHOWN).map(({ worker_id }, at) => html`${at > 0 ? ', ' : ''}<a href="/cluster/${worker_id}">${worker_id}</a>`)}${more > 0 ? ` and ${more.toLocaleString('en')} more` : ''}`;
  }
}
