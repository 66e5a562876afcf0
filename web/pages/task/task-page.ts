// One task: its state, what it asked for, the story of its attempts, why it waits, its output; cancel and retry.

import { css, html, LitElement, nothing } from 'lit';
import { ApiError } from '../../../client/client.ts';
import { amounts, duration, megabytes, runTime, trim } from '../../../client/words.ts';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import type { TaskProgressBody, TaskUsageEvent } from '../../../shared/contracts/live.ts';
import { isTerminal } from '../../../shared/model/task-states.ts';
import { LiveSubscription } from '../../data/live-subscription.ts';
import { Poll } from '../../data/poll.ts';
import type { Router } from '../../data/router.ts';
import type { Route } from '../../data/routes.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls } from '../../styles/shared.ts';

export class TaskPage extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
    busy: { state: true },
    actError: { state: true },
    progress: { state: true },
    usage: { state: true },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;
  declare busy: boolean;
  declare actError: Error | null;
  declare progress: TaskProgressBody | null;
  /** As last measured; null when it does not run. */
  declare usage: TaskUsageEvent | null;
  readonly #task = new Poll<TaskBody>(this, {
    load: (signal) => this.session.client.getTask(this.taskId, { signal }),
    done: ({ status }) => isTerminal(status),
    pushedBy: () => this.session,
  });
  readonly #live = new LiveSubscription(this, () => {
    if (this.taskId === '') return null;
    return this.session.live.subscribe(`task:${this.taskId}`, {
      record: (task) => this.#task.take(task),
      progress: (progress) => {
        this.progress = progress;
      },
      usage: (usage) => {
        this.usage = usage;
      },
    });
  });

  static override styles = [
    base,
    controls,
    css`
      .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: var(--space-3) var(--space-4); }
      .facts .wide { grid-column: 1 / -1; }
      dt { font-size: var(--text-small); color: var(--ink-soft); }
      dd { overflow-wrap: anywhere; }
      pre { margin: 0; font: 0.8125rem/1.5 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; max-height: 10rem; overflow: auto; }
      .message { padding: var(--space-3); border-radius: var(--radius-small); background: var(--quiet-wash); overflow-wrap: anywhere; }
      .message.failed { background: var(--bad-wash); }
      .panel h2 { margin-bottom: var(--space-3); }
      .id { font-size: var(--text-small); }
      dialog { border: 1px solid var(--line); border-radius: var(--radius); background: var(--surface); color: var(--ink); padding: var(--space-5); max-width: min(26rem, calc(100vw - 2rem)); }
      dialog::backdrop { background: rgb(10 15 25 / 55%); }
      dialog p { margin: var(--space-2) 0 var(--space-4); }
      .tick { display: flex; gap: var(--space-2); align-items: center; font-weight: 400; font-size: var(--text-body); margin-bottom: var(--space-4); }
      .tick input { width: 1.1rem; min-height: 1.1rem; flex: none; }
    `,
  ];

  constructor() {
    super();
    this.busy = false;
    this.actError = null;
    this.progress = null;
    this.usage = null;
  }

  get taskId(): string {
    return this.route.id;
  }

  override willUpdate(changed: Map<string, unknown>): void {
    const before = changed.get('route') as Route | undefined;
    if (before && before.id !== this.taskId) {
      this.actError = null;
      this.progress = null;
      this.usage = null;
      this.#task.restart();
      this.#live.restart();
    }
  }

  override render() {
    const { data: task, error, loading } = this.#task;
    if (error instanceof ApiError && error.status === 404) {
      return html`
        <h1 class="unseen" tabindex="-1">Task not found</h1>
        <div class="panel"><notice-box kind="empty" heading="There is no such task"><p>Or it is not yours. <a href="/tasks">All tasks</a></p></notice-box></div>
      `;
    }
    return html`
      <div class="stack">
        <p class="small"><a href="/tasks">← All tasks</a></p>
        ${errorNotice(error, () => this.#task.refresh())}
        ${loading ? html`<h1 class="unseen" tabindex="-1">Task</h1><div class="panel"><notice-box kind="loading"></notice-box></div>` : nothing}
        ${task ? this.#whole(task) : nothing}
      </div>
    `;
  }

  #whole(task: TaskBody) {
    const message = task.message ?? (task.status === 'failed' ? task.reason : null);
    return html`
      <div class="row spread">
        <div>
          <div class="row"><h1 tabindex="-1">${task.name || 'Task'}</h1><state-badge state=${task.status}></state-badge></div>
          <code class="soft id">${task.task_id}</code>
        </div>
        <div class="row">${this.#actions(task)}</div>
      </div>
      ${errorNotice(this.actError)}
      ${message ? html`<p class="message ${task.status}">${message}</p>` : nothing}
      ${task.status === 'queued' ? html`<wait-reasons .session=${this.session} taskId=${task.task_id}></wait-reasons>` : nothing}
      ${this.#now(task)}
      <section class="panel" aria-label="Output"><task-log .session=${this.session} .router=${this.router} .route=${this.route} taskId=${task.task_id}></task-log></section>
      ${task.attempts.length > 0 ? html`<section class="panel" aria-label="Files"><task-files .session=${this.session} taskId=${task.task_id} version="${task.status}${task.attempt}"></task-files></section>` : nothing}
      <section class="panel" aria-labelledby="story"><h2 id="story">Story</h2><attempt-timeline .task=${task}></attempt-timeline></section>
      <section class="panel" aria-labelledby="spec"><h2 id="spec">What was asked for</h2>${facts(task)}</section>
      ${this.#dialog(task)}
    `;
  }

  /** How far it is, while it is at work. */
  #now(task: TaskBody) {
    const { progress, usage } = this;
    const isAtWork = task.status === 'assigned' || task.status === 'running';
    const ofThis = progress?.attempt === task.attempt ? progress : null;
    const measured = task.status === 'running' && usage?.attempt === task.attempt ? usage : null;
    if (!isAtWork || (!ofThis && !measured)) return nothing;
    return html`
      <section class="panel stack" aria-label="Now">
        ${ofThis ? html`<task-progress .progress=${ofThis}></task-progress>` : nothing}
        ${measured ? html`<p class="soft small number">using ${trim(measured.cpu, 2)} of ${trim(task.cpu_required, 2)} cores, ${megabytes(measured.memory)} of ${megabytes(task.memory_required)} memory</p>` : nothing}
      </section>
    `;
  }

  #actions(task: TaskBody) {
    if (isTerminal(task.status)) {
      return html`<button @click=${this.#retry} ?disabled=${this.busy}>Run again</button>`;
    }
    return html`
      ${task.cancel_requested ? html`<span class="soft">being stopped…</span>` : nothing}
      <button class="danger" @click=${this.#ask} ?disabled=${this.busy}>Cancel</button>
    `;
  }

  #dialog(task: TaskBody) {
    return html`
      <dialog aria-labelledby="sure" @close=${this.#answered}>
        <h2 id="sure">Cancel this task?</h2>
        <form method="dialog">
          ${
            task.status === 'queued'
              ? html`<p>It has not started; it will not run.</p>`
              : html`
                  <p>Its program is asked to end, and is killed if it does not.</p>
                  <label class="tick"><input type="checkbox" name="force" /> Kill it at once</label>
                `
          }
          <div class="row">
            <button class="danger" value="cancel-task">Cancel the task</button>
            <button value="">Keep it</button>
          </div>
        </form>
      </dialog>
    `;
  }

  get #box(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }

  #ask(): void {
    const box = this.#box;
    if (!box) return;
    // Escape leaves the answer of last time standing.
    box.returnValue = '';
    box.showModal();
  }

  #answered(): void {
    const box = this.#box;
    if (box?.returnValue !== 'cancel-task') return;
    const force = box.querySelector<HTMLInputElement>('[name=force]')?.checked ?? false;
    void this.#act(async () => {
      await this.session.client.cancelTask(this.taskId, { force });
      this.#task.refresh();
    });
  }

  #retry(): void {
    void this.#act(async () => {
      const { task_id } = await this.session.client.retryTask(this.taskId);
      this.router.go(`/tasks/${task_id}`);
    });
  }

  async #act(act: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.actError = null;
    try {
      await act();
    } catch (error) {
      this.actError = error as Error;
    } finally {
      this.busy = false;
    }
  }
}

function facts(task: TaskBody) {
  const ran = runTime(task, Date.now());
  const needs = {
    cpu: task.cpu_required,
    memory: task.memory_required,
    gpu: task.gpu_required,
    storage: task.storage_required,
  };
  const command =
    typeof task.command === 'string'
      ? task.command
      : task.command?.map((word) => JSON.stringify(word)).join(' ');
  const env = Object.entries(task.env);
  const fact = (name: string, value: unknown) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return html`
    <dl class="facts">
      <div class="wide"><dt>Image</dt><dd><code>${task.docker_image}</code></dd></div>
      ${fact('Needs', amounts(needs))}
      ${fact('User', task.user)} ${task.tag ? fact('Tag', html`<a href="/tasks?tag=${encodeURIComponent(task.tag)}">${task.tag}</a>`) : nothing}
      ${ran === null ? nothing : fact('Ran', duration(ran))} ${task.exit_code === null ? nothing : fact('Exit code', task.exit_code)}
      ${fact('Priority', task.priority)} ${fact('SLA multiplier k', task.k_value)}
      ${task.timeout_seconds > 0 ? fact('Time limit', `${task.timeout_seconds} s`) : nothing}
      ${task.max_retries > 0 ? fact('Retries', task.max_retries) : nothing}
      ${task.worker ? fact('Only on', task.worker) : nothing} ${fact('Network', task.network)}
      <div class="wide"><dt>Command</dt><dd>${command === undefined ? 'the image’s own' : html`<pre>${command}</pre>`}</dd></div>
      ${env.length > 0 ? html`<div class="wide"><dt>Environment</dt><dd><pre>${env.map(([name, value]) => `${name}=${value}`).join('\n')}</pre></dd></div>` : nothing}
    </dl>
  `;
}
