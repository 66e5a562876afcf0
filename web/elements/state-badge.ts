// The state of a task, an attempt or a worker as a word on a coloured ground. The word alone tells it all.

import { css, html, LitElement } from 'lit';

export class StateBadge extends LitElement {
  static override properties = { state: { reflect: true } };
  declare state: string;

  static override styles = css`
    :host {
      display: inline-block; padding: 0.05rem 0.5rem; border-radius: 1rem; white-space: nowrap;
      font-size: var(--text-small); font-weight: 600; color: var(--quiet); background: var(--quiet-wash);
    }
    :host([state='queued']), :host([state='evicted']), :host([state='cordoned']), :host([state='draining']) { color: var(--queued); background: var(--queued-wash); }
    :host([state='assigned']), :host([state='running']) { color: var(--running); background: var(--running-wash); }
    :host([state='completed']), :host([state='ready']) { color: var(--good); background: var(--good-wash); }
    :host([state='failed']), :host([state='lost']), :host([state='down']), :host([state='unhealthy']), :host([state='unreachable']) { color: var(--bad); background: var(--bad-wash); }
  `;

  constructor() {
    super();
    this.state = '';
  }

  override render() {
    return html`<span>${this.state}</span>`;
  }
}
