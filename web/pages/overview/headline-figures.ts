// The figures an operator looks at first, each the way to what it counts.

import { css, html, LitElement, nothing } from 'lit';
import type { TelemetryReply } from '../../../shared/contracts/workers.ts';
import { base } from '../../styles/shared.ts';
import { figuresOf } from './figures.ts';

export class HeadlineFigures extends LitElement {
  static override properties = { telemetry: { attribute: false } };
  declare telemetry: TelemetryReply | null;

  static override styles = [
    base,
    css`
      ul { display: flex; flex-wrap: wrap; gap: 1px; background: var(--line); border: 1px solid var(--line); border-radius: var(--radius); overflow: hidden; box-shadow: var(--shadow); }
      li { background: var(--surface); flex: 1 1 8.75rem; }
      a { display: block; height: 100%; padding: var(--space-3) var(--space-4); color: var(--ink); }
      a:hover { background: var(--sunken); text-decoration: none; }
      a:focus-visible { outline-offset: -2px; }
      .name { font-size: var(--text-small); color: var(--ink-soft); font-weight: 550; }
      strong { display: block; font-size: 1.625rem; line-height: 1.25; font-weight: 640; letter-spacing: -0.015em; font-variant-numeric: tabular-nums; }
      .note { display: block; font-size: var(--text-small); color: var(--ink-soft); font-variant-numeric: tabular-nums; min-height: 1.2rem; }
      .bad { color: var(--bad); } .warn { color: var(--queued); }
    `,
  ];

  constructor() {
    super();
    this.telemetry = null;
  }

  override render() {
    if (!this.telemetry) return nothing;
    return html`
      <ul aria-label="Figures">
        ${figuresOf(this.telemetry).map(
          ({ name, value, note, tone, href }) => html`
            <li><a href=${href}><span class="name">${name}</span><strong>${value}</strong><span class="note ${tone}">${note}</span></a></li>
          `,
        )}
      </ul>
    `;
  }
}
