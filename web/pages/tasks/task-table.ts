// A list of tasks; each row leads to its task.

import { css, html, LitElement, nothing } from 'lit';
import { age, duration, runTime } from '../../../client/words.ts';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import { base, tables } from '../../styles/shared.ts';

export class TaskTable extends LitElement {
  static override properties = { tasks: { attribute: false } };
  declare tasks: readonly TaskBody[];

  static override styles = [
    base,
    tables,
    css`
      .id { font-family: var(--mono); font-size: 0.8rem; white-space: nowrap; }
      .main { display: block; font-weight: 550; }
      td.task { width: 34%; }
      td.tight { white-space: nowrap; }
      @media (max-width: 44rem) {
        td.task { display: block; width: auto; }
        td.task::before { content: none; }
        .id { white-space: normal; }
      }
    `,
  ];

  constructor() {
    super();
    this.tasks = [];
  }

  override render() {
    const users = new Set(this.tasks.map(({ user }) => user)).size > 1;
    const now = Date.now();
    return html`
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader">Task</th>
            <th role="columnheader">State</th>
            <th role="columnheader">Image</th>
            ${users ? html`<th role="columnheader">User</th>` : nothing}
            <th role="columnheader">Worker</th>
            <th role="columnheader">Ran</th>
            <th role="columnheader">Submitted</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${this.tasks.map((task) => this.#row(task, users, now))}
        </tbody>
      </table>
    `;
  }

  #row(task: TaskBody, users: boolean, now: number) {
    const ran = runTime(task, now);
    const tag = task.tag ? html` <span class="soft small">· ${task.tag}</span>` : nothing;
    const reason = task.reason
      ? html` <span class="soft small">${task.reason === 'exit_code' ? `exit ${task.exit_code}` : task.reason}</span>`
      : nothing;
    return html`
      <tr role="row">
        <td role="cell" class="task" data-label="Task">
          <a class=${task.name ? 'main' : 'id'} href="/tasks/${task.task_id}">${task.name || task.task_id}</a>
          ${task.name ? html`<span class="soft id">${task.task_id}</span>` : nothing}${tag}
        </td>
        <td role="cell" data-label="State"><div><state-badge state=${task.status}></state-badge>${reason}</div></td>
        <td role="cell" data-label="Image"><code>${task.docker_image}</code></td>
        ${users ? html`<td role="cell" data-label="User">${task.user}</td>` : nothing}
        <td role="cell" class="tight ${task.worker_id ? '' : 'empty'}" data-label="Worker">${task.worker_id ?? ''}</td>
        <td role="cell" class="tight number ${ran === null ? 'empty' : ''}" data-label="Ran">${ran === null ? '' : duration(ran)}</td>
        <td role="cell" class="tight number" data-label="Submitted">
          <time datetime=${task.submitted_at} title=${new Date(task.submitted_at).toLocaleString()}>${age(task.submitted_at, now)} ago</time>
        </td>
      </tr>
    `;
  }
}
