// What a task did with its time, drawn to scale: a row for each attempt. A picture only: the list of attempts beside it
// says the same in words, so screen readers are sent there.

import { css, html, LitElement, nothing, svg } from 'lit';
import { duration } from '../../../client/words.ts';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import { isTerminal } from '../../../shared/model/task-states.ts';
import { Ticker } from '../../data/ticker.ts';
import { base } from '../../styles/shared.ts';
import { placeOf, type Span, type SpanKind, taskSpans } from './attempt-spans.ts';

/** The newest; more rows would be a picture nobody reads. */
const MOST_ROWS = 24;
const WORDS: Readonly<Record<SpanKind, string>> = { waited: 'waited', prepared: 'prepared', ran: 'ran' };
/** Told apart by their height, not by colour alone. Of a row 16 high. */
const HEIGHTS: Readonly<Record<SpanKind, number>> = { waited: 4, prepared: 8, ran: 14 };

export class AttemptPicture extends LitElement {
  static override properties = { task: { attribute: false } };
  declare task: TaskBody | null;

  static override styles = [
    base,
    css`
      .row { display: grid; grid-template-columns: 1.5rem minmax(0, 1fr); gap: var(--space-2); align-items: center; }
      .row + .row { margin-top: 2px; }
      .track { display: block; width: 100%; height: 1rem; background: var(--sunken); border-radius: 0.2rem; }
      .waited { fill: var(--queued); } .prepared { fill: var(--running); opacity: 0.55; } .ran { fill: var(--running); }
      .ran.completed { fill: var(--good); } .ran.failed, .ran.lost { fill: var(--bad); } .ran.cancelled { fill: var(--quiet); } .ran.evicted { fill: var(--queued); }
      .axis { display: flex; justify-content: space-between; gap: var(--space-2); padding-left: 2rem; margin-top: var(--space-1); flex-wrap: wrap; }
      .legend { display: flex; gap: var(--space-1) var(--space-4); flex-wrap: wrap; padding-left: 2rem; margin-top: var(--space-1); }
      .legend span { display: inline-flex; gap: var(--space-1); align-items: center; }
      .legend svg { width: 1rem; height: 1rem; }
    `,
  ];

  constructor() {
    super();
    this.task = null;
    new Ticker(this);
  }

  override shouldUpdate(changed: Map<string, unknown>): boolean {
    // The tick is for what still goes on.
    return changed.size > 0 || !this.hasUpdated || (this.task !== null && !isTerminal(this.task.status));
  }

  override render() {
    const { task } = this;
    if (!task) return nothing;
    const whole = taskSpans(task, Date.now());
    const rows = whole.rows.slice(-MOST_ROWS);
    const left = whole.rows.length - rows.length;
    const end = isTerminal(task.status) ? clock(whole.to, whole.from) : 'now';
    return html`
      <div aria-hidden="true" class="small number">
        ${left > 0 ? html`<p class="soft">The first ${left} attempts stand in the list.</p>` : nothing}
        ${rows.map(
          ({ attempt, body, spans }) => html`
            <div class="row">
              <span class="soft">${attempt}</span>
              <svg class="track" viewBox="0 0 100 16" preserveAspectRatio="none">${spans.map((span) => this.#rect(span, whole, body?.state ?? ''))}</svg>
            </div>
          `,
        )}
        <div class="axis soft"><span>${clock(whole.from, whole.from)}</span><span>${duration(whole.to - whole.from)} in all</span><span>${end}</span></div>
        <div class="legend soft">${(['waited', 'prepared', 'ran'] as const).map((kind) => html`<span>${key(kind, task.status)}${WORDS[kind]}</span>`)}</div>
      </div>
    `;
  }

  #rect(span: Span, whole: Parameters<typeof placeOf>[1], state: string) {
    const { x, width } = placeOf(span, whole);
    const height = HEIGHTS[span.kind];
    const words = `${WORDS[span.kind]} ${duration(span.to - span.from)}, ${clock(span.from, whole.from)} – ${span.isOpen ? 'now' : clock(span.to, whole.from)}`;
    return svg`<rect class="${span.kind} ${state}" x=${x} y=${(16 - height) / 2} width=${width} height=${height}><title>${words}</title></rect>`;
  }
}

function key(kind: SpanKind, state: string) {
  const height = HEIGHTS[kind];
  return html`<svg viewBox="0 0 16 16"><rect class="${kind} ${state}" x="0" y=${(16 - height) / 2} width="16" height=${height}></rect></svg>`;
}

/** With its day when that is another than `beside`'s. */
function clock(ms: number, beside: number): string {
  const date = new Date(ms);
  const isSameDay =
    date.toDateString() === new Date().toDateString() &&
    new Date(beside).toDateString() === date.toDateString();
  return isSameDay
    ? date.toLocaleTimeString()
    : date.toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' });
}
