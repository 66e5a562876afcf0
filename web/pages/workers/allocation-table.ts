// The tasks that hold a part of a worker, with the colours of its bar and what each holds.

import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { megabytes, trim } from '../../../client/words.ts';
import type { PlacedTask } from '../../data/placed-tasks.ts';
import { base, tables } from '../../styles/shared.ts';
import { toneOf } from './allocation.ts';

/** What is more is in the list of tasks. */
const MOST = 100;

export class AllocationTable extends LitElement {
  static override properties = { tasks: { attribute: false } };
  declare tasks: readonly PlacedTask[];

  static override styles = [
    base,
    tables,
    css`
      :host { margin-top: var(--space-3); }
      .swatch { display: inline-block; width: 0.7rem; height: 0.7rem; border-radius: 0.2rem; margin-right: var(--space-2); background: var(--tone); flex: none; }
      .task { display: flex; align-items: center; min-width: 0; }
      td .image { overflow-wrap: anywhere; }
      .tone-1 { --tone: var(--plot-1); } .tone-2 { --tone: var(--plot-2); } .tone-3 { --tone: var(--plot-3); }
      .tone-4 { --tone: var(--plot-4); } .tone-5 { --tone: var(--plot-5); } .tone-6 { --tone: var(--plot-6); }
    `,
  ];

  constructor() {
    super();
    this.tasks = [];
  }

  override render() {
    const { tasks } = this;
    if (tasks.length === 0) return nothing;
    const users = new Set(tasks.map(({ user }) => user)).size > 1;
    const gpus = tasks.some(({ gpu_required }) => gpu_required > 0);
    return html`
      <table role="table" aria-label="Tasks on this worker">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader">Task</th>
            <th role="columnheader">State</th>
            ${users ? html`<th role="columnheader">User</th>` : nothing}
            <th role="columnheader">Image</th>
            <th role="columnheader" class="right">Cores</th>
            <th role="columnheader" class="right">Memory</th>
            ${gpus ? html`<th role="columnheader" class="right">GPUs</th>` : nothing}
            <th role="columnheader" class="right">Since</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${repeat(
            tasks.slice(0, MOST),
            ({ task_id }) => task_id,
            (task) => this.#row(task, users, gpus),
          )}
        </tbody>
      </table>
      ${tasks.length > MOST ? html`<p class="soft small">and ${(tasks.length - MOST).toLocaleString('en')} more</p>` : nothing}
    `;
  }

  #row(task: PlacedTask, users: boolean, gpus: boolean) {
    const { task_id, name, status, user, docker_image, cpu_required, memory_required, gpu_required } = task;
    return html`
      <tr role="row">
        <td role="cell" data-label="Task"><span class="task tone-${toneOf(task_id)}"><i class="swatch"></i><a class="cut" href="/tasks/${task_id}" title=${name || task_id}>${name || task_id}</a></span></td>
        <td role="cell" data-label="State"><span><state-badge state=${status}></state-badge></span></td>
        ${users ? html`<td role="cell" data-label="User">${user}</td>` : nothing}
        <td role="cell" data-label="Image"><span class="image small">${docker_image}</span></td>
        <td role="cell" class="right number" data-label="Cores">${trim(cpu_required, 2)}</td>
        <td role="cell" class="right number" data-label="Memory">${megabytes(memory_required)}</td>
        ${gpus ? html`<td role="cell" class="right number" data-label="GPUs">${gpu_required}</td>` : nothing}
        <td role="cell" class="right" data-label="Since"><time-ago at=${task.started_at ?? task.submitted_at}></time-ago></td>
      </tr>
    `;
  }
}
