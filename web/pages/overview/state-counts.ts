// How many tasks are in each state: a bar in proportion, and the numbers, each a link to its list.

import { css, html, LitElement, nothing, svg } from 'lit';
import { TASK_STATES, type TaskState } from '../../../shared/model/task.ts';
import { base } from '../../styles/shared.ts';

export class StateCounts extends LitElement {
  static override properties = { counts: { attribute: false } };
  declare counts: Readonly<Record<TaskState, number>> | null;

  static override styles = [
    base,
    css`
      svg { display: block; width: 100%; height: 0.625rem; border-radius: 1rem; background: var(--sunken); margin-bottom: var(--space-4); }
      .queued { fill: var(--queued); } .assigned, .running { fill: var(--running); } .completed { fill: var(--good); }
      .failed { fill: var(--bad); } .cancelled { fill: var(--quiet); }
      ul { display: grid; gap: var(--space-2); grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); }
      a { display: block; padding: var(--space-2); border: 1px solid var(--line); border-radius: var(--radius-small); color: var(--ink); }
      a:hover { border-color: var(--line-strong); text-decoration: none; }
      strong { display: block; font-size: var(--text-title); line-height: 1.2; font-variant-numeric: tabular-nums; }
      .name::before { content: ''; display: inline-block; width: 0.55rem; height: 0.55rem; border-radius: 50%; margin-right: 0.4rem; background: currentcolor; }
      .name { font-size: var(--text-small); color: var(--ink-soft); }
      .name.queued::before { color: var(--queued); } .name.assigned::before, .name.running::before { color: var(--running); }
      .name.completed::before { color: var(--good); } .name.failed::before { color: var(--bad); } .name.cancelled::before { color: var(--quiet); }
    `,
  ];

  constructor() {
    super();
    this.counts = null;
  }

  override render() {
    const { counts } = this;
    if (!counts) return nothing;
    const total = TASK_STATES.reduce((sum, state) => sum + counts[state], 0);
    let x = 0;
    const parts = TASK_STATES.map((state) => {
      const width = total === 0 ? 0 : (counts[state] / total) * 1000;
      const part = svg`<rect class=${state} x=${x} width=${width} height="6"></rect>`;
      x += width;
      return part;
    });
    return html`
      <svg viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">${parts}</svg>
      <ul>
        ${TASK_STATES.map(
          (state) => html`
            <li><a href="/tasks?status=${state}"><strong>${counts[state].toLocaleString()}</strong><span class="name ${state}">${state}</span></a></li>
          `,
        )}
      </ul>
    `;
  }
}
