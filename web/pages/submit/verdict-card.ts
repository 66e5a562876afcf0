// Says before a task is submitted what would become of it, with an icon and words, and offers what to change. Sends
// ChangesEvent when one of the offers is taken.

import { css, html, LitElement, nothing } from 'lit';
import { Ban, CircleCheck, CircleDashed, Hourglass, TriangleAlert } from 'lucide';
import { errorWords } from '../../data/error-words.ts';
import { base, controls } from '../../styles/shared.ts';
import type { Change, Verdict } from './verdict.ts';

export class ChangesEvent extends Event {
  readonly changes: readonly Change[];

  constructor(changes: readonly Change[]) {
    super('changes');
    this.changes = changes;
  }
}

const ICONS = { now: CircleCheck, part: Hourglass, waits: Hourglass, never: Ban } as const;

export class VerdictCard extends LitElement {
  static override properties = {
    verdict: { attribute: false },
    missing: { attribute: false },
    error: { attribute: false },
    asking: { type: Boolean },
  };
  declare verdict: Verdict | null;
  /** What has to be said or mended before there can be a verdict. */
  declare missing: readonly string[];
  declare error: Error | null;
  declare asking: boolean;

  static override styles = [
    base,
    controls,
    css`
      .card { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: var(--space-1) var(--space-3); padding: var(--space-3) var(--space-4); border-radius: var(--radius); border: 1px solid var(--line); background: var(--surface); box-shadow: var(--shadow); min-height: 4.25rem; align-items: start; }
      .card > svg-icon { font-size: 1.25rem; margin-top: 0.1rem; color: var(--quiet); }
      .card[data-kind='now'] { border-color: var(--good); background: var(--good-wash); }
      .card[data-kind='waits'], .card[data-kind='part'] { border-color: var(--queued); background: var(--queued-wash); }
      .card[data-kind='never'] { border-color: var(--bad); background: var(--bad-wash); }
      [data-kind='now'] > svg-icon, [data-kind='now'] .heading { color: var(--good); }
      [data-kind='waits'] > svg-icon, [data-kind='waits'] .heading, [data-kind='part'] > svg-icon, [data-kind='part'] .heading { color: var(--queued); }
      [data-kind='never'] > svg-icon, [data-kind='never'] .heading { color: var(--bad); }
      .heading { font-weight: 620; overflow-wrap: anywhere; }
      .body { grid-column: 2; display: grid; gap: var(--space-1); overflow-wrap: anywhere; }
      .changes { margin-top: var(--space-1); }
      .changes button { background: var(--surface); }
      .stale { opacity: 0.65; }
    `,
  ];

  constructor() {
    super();
    this.verdict = null;
    this.missing = [];
    this.error = null;
    this.asking = false;
  }

  override render() {
    const { kind, icon, heading, body } = this.#content();
    return html`
      <section class="card" data-kind=${kind} aria-label="What would happen">
        <svg-icon .icon=${icon}></svg-icon>
        <p class="heading ${this.asking && this.verdict ? 'stale' : ''}" role="status">${heading}</p>
        ${body === nothing ? nothing : html`<div class="body small">${body}</div>`}
      </section>
    `;
  }

  #content() {
    const { verdict, missing, error } = this;
    if (missing.length > 0) {
      const [first] = missing;
      const body =
        missing.length === 1
          ? html`<p>${first}</p>`
          : html`<ul>${missing.map((one) => html`<li>${one}</li>`)}</ul>`;
      return { kind: 'open', icon: CircleDashed, heading: 'Not ready yet', body };
    }
    if (error) {
      const { what, advice } = errorWords(error);
      const body = html`<p>${what}. ${advice}</p>`;
      return { kind: 'open', icon: TriangleAlert, heading: 'Cannot be foreseen now', body };
    }
    if (!verdict) return { kind: 'open', icon: CircleDashed, heading: 'Looking for room…', body: nothing };
    const body = html`${verdict.sentences.map((sentence) => html`<p>${sentence}</p>`)}${this.#changes(verdict)}`;
    const isEmpty = verdict.sentences.length === 0 && verdict.changes.length === 0;
    return {
      kind: verdict.kind,
      icon: ICONS[verdict.kind],
      heading: verdict.heading,
      body: isEmpty ? nothing : body,
    };
  }

  #changes({ changes }: Verdict) {
    if (changes.length === 0) return nothing;
    const text = changes.map((change, at) =>
      at === 0 ? change.text : change.text.charAt(0).toLowerCase() + change.text.slice(1),
    );
    return html`<p class="changes"><button type="button" class="small" @click=${() => this.dispatchEvent(new ChangesEvent(changes))}>${text.join(' and ')}</button></p>`;
  }
}
