// How far a task has come, as a bar with words: pulling its image, running by its own account, collecting its files.

import { css, html, LitElement, nothing } from 'lit';
import { byteSize } from '../../../client/words.ts';
import type { TaskProgressBody } from '../../../shared/contracts/live.ts';
import { base } from '../../styles/shared.ts';

const PHASES: Readonly<Record<TaskProgressBody['phase'], string>> = {
  pulling: 'Pulling the image',
  preparing: 'Preparing its files',
  running: 'Running',
  collecting: 'Collecting its files',
};

export class TaskProgress extends LitElement {
  static override properties = { progress: { attribute: false } };
  declare progress: TaskProgressBody | null;

  static override styles = [
    base,
    css`
      progress { width: 100%; height: 0.5rem; accent-color: var(--accent); }
      .words { overflow-wrap: anywhere; }
    `,
  ];

  constructor() {
    super();
    this.progress = null;
  }

  override render() {
    const { progress } = this;
    if (!progress) return nothing;
    const { phase, percent, message } = progress;
    const label = PHASES[phase];
    // Without a value the bar says that something goes on, and not how far it is.
    const bar =
      percent === null
        ? html`<progress max="100" aria-label=${label}></progress>`
        : html`<progress max="100" value=${percent} aria-label=${label}></progress>`;
    return html`
      <div class="row spread small">
        <span class="words"><strong>${label}</strong>${message ? html` · ${message}` : nothing}</span>
        <span class="soft number">${[amount(progress), percent === null ? '' : `${Math.round(percent)}%`].filter(Boolean).join(' · ')}</span>
      </div>
      ${bar}
    `;
  }
}

function amount({ layers, bytes }: TaskProgressBody): string {
  const parts = [];
  if (layers) parts.push(`${layers.done} of ${layers.total} layers`);
  if (bytes && bytes.total > 0) parts.push(`${byteSize(bytes.done)} of ${byteSize(bytes.total)}`);
  return parts.join(', ');
}
