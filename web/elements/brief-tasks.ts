// A few tasks, a line each: state, name, image, where it runs, since when. Each leads to its task.

import { css, html, LitElement, nothing } from 'lit';
import type { TaskBody } from '../../shared/contracts/http.ts';
import { base } from '../styles/shared.ts';

type BriefTask = Pick<
  TaskBody,
  | 'task_id'
  | 'name'
  | 'status'
  | 'reason'
  | 'message'
  | 'exit_code'
  | 'docker_image'
  | 'worker_id'
  | 'user'
  | 'submitted_at'
  | 'started_at'
  | 'finished_at'
>;

export class BriefTasks extends LitElement {
  static override properties = {
    tasks: { attribute: false },
    why: { type: Boolean },
    worker: { type: Boolean },
    user: { type: Boolean },
  };
  declare tasks: readonly BriefTask[];
  /** Why each failed instead of its image. */
  declare why: boolean;
  /** Where each runs. */
  declare worker: boolean;
  /** Whose each is. */
  declare user: boolean;

  static override styles = [
    base,
    css`
      li { display: grid; grid-template-columns: 5.75rem minmax(0, 1fr) auto; gap: 0 var(--space-3); align-items: center; padding: 0.45rem 0; border-top: 1px solid var(--line); }
      li:first-child { border-top: 0; }
      .name { font-weight: 550; display: inline-block; max-width: 100%; min-height: 1.5rem; vertical-align: bottom; }
      .id { font-family: var(--mono); font-size: 0.8rem; font-weight: 400; }
      .side { text-align: right; display: grid; justify-items: end; max-width: 10rem; }
      .side > * { max-width: 100%; }
      .what { display: block; }
      @media (max-width: 30rem) { .side { max-width: 5.5rem; } }
    `,
  ];

  constructor() {
    super();
    this.tasks = [];
    this.why = false;
    this.worker = false;
    this.user = false;
  }

  override render() {
    return html`<ul>${this.tasks.map((task) => this.#line(task))}</ul>`;
  }

  #line(task: BriefTask) {
    const { task_id, name, status, docker_image, worker_id, user } = task;
    const what = this.why ? failureWords(task) : `${docker_image}${this.user ? ` · ${user}` : ''}`;
    return html`
      <li>
        <span><state-badge state=${status}></state-badge></span>
        <div class="cut">
          <a class="name cut ${name ? '' : 'id'}" href="/tasks/${task_id}" title=${name || task_id}>${name || task_id}</a>
          <span class="what soft small cut" title=${what}>${what}</span>
        </div>
        <div class="side small">
          <time-ago at=${task.finished_at ?? task.started_at ?? task.submitted_at}></time-ago>
          ${this.worker && worker_id ? html`<a class="cut" href="/cluster/${worker_id}" title=${worker_id}>${worker_id}</a>` : nothing}
        </div>
      </li>
    `;
  }
}

/** `exit code 3`, `oom killed: …`. */
function failureWords({
  reason,
  exit_code,
  message,
}: Pick<TaskBody, 'reason' | 'exit_code' | 'message'>): string {
  if (reason === 'exit_code') return `exit code ${exit_code}`;
  const code = (reason ?? 'failed').replaceAll('_', ' ');
  return message ? `${code}: ${message}` : code;
}
