// How much of something is taken, as a bar with the amounts in words beside it. Drawn as SVG: its sizes are
// attributes, which a strict content policy allows where inline styles are not.

import { css, html, LitElement } from 'lit';

export class UsageBar extends LitElement {
  static override properties = {
    label: {},
    held: { type: Number },
    total: { type: Number },
    text: {},
  };
  /** What is measured, e.g. `cores`; for readers that do not see the bar. */
  declare label: string;
  declare held: number;
  declare total: number;
  /** The amounts in words. */
  declare text: string;

  static override styles = css`
    :host { display: block; min-width: 6rem; }
    svg { display: block; width: 100%; height: 0.375rem; border-radius: 1rem; background: var(--sunken); }
    rect { fill: var(--accent); }
    rect.full { fill: var(--queued); }
    rect.over { fill: var(--bad); }
    .text { font-size: var(--text-small); font-variant-numeric: tabular-nums; white-space: nowrap; }
  `;

  constructor() {
    super();
    this.label = '';
    this.held = 0;
    this.total = 0;
    this.text = '';
  }

  override render() {
    const share = this.total > 0 ? this.held / this.total : 0;
    const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
    const level = share > 1 ? 'over' : share >= 0.9 ? 'full' : '';
    return html`
      <span class="text">${this.text}</span>
      <svg
        viewBox="0 0 100 6" preserveAspectRatio="none" role="meter" aria-label=${this.label}
        aria-valuemin="0" aria-valuemax="100" aria-valuenow=${percent} aria-valuetext=${this.text}
      >
        <rect class=${level} width=${percent} height="6"></rect>
      </svg>
    `;
  }
}
