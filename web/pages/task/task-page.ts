// One task: its state, how far it is, why it waits; its output, files, story and spec as views with addresses; cancel and
// run again.

import { html, LitElement, nothing } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { Link, Pencil, RotateCw, Square } from 'lucide';
import { ApiError } from '../../../client/client.ts';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import type { TaskProgressBody, TaskUsageEvent } from '../../../shared/contracts/live.ts';
import { isTerminal } from '../../../shared/model/task-states.ts';
import { copyText } from '../../data/copy-text.ts';
import { LiveSubscription } from '../../data/live-subscription.ts';
import { newKey } from '../../data/new-key.ts';
import { Poll } from '../../data/poll.ts';
import type { Router } from '../../data/router.ts';
import type { Route } from '../../data/routes.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import type { PreviewFile } from '../../elements/file-preview.ts';
import { ask } from '../../shell/asking.ts';
import { tell, tellFault } from '../../shell/telling.ts';
import { base, controls, tabs } from '../../styles/shared.ts';
import { pageTitle } from './outcome-words.ts';
import { attemptOf, taskAddress, type View, viewOf } from './task-address.ts';
import { about, absent, atWork, leaving } from './task-page-parts.ts';
import { taskPageStyles } from './task-page-styles.ts';

const VIEW_WORDS: Readonly<Partial<Record<View, string>>> = {
  output: 'Output',
  files: 'Files',
  usage: 'Usage',
  story: 'Story',
  spec: 'Spec',
};

export class TaskPage extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
    busy: { state: true },
    progress: { state: true },
    usage: { state: true },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;
  declare busy: boolean;
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
      record: (task) => this.#heard(task),
      progress: (progress) => {
        this.progress = progress;
      },
      usage: (usage) => {
        this.usage = usage;
      },
    });
  });
  /** The same until the answer came: pressed again after a lost one, it makes no second task. */
  #retryKey = newKey();
  /** Views that were open: they stay on the page, so that going back to one loads nothing and finds its place. */
  #visited: ReadonlySet<View> = new Set();

  static override styles = [base, controls, tabs, taskPageStyles];

  constructor() {
    super();
    this.busy = false;
    this.progress = null;
    this.usage = null;
  }

  get taskId(): string {
    return this.route.id;
  }

  override willUpdate(changed: Map<string, unknown>): void {
    const before = changed.get('route') as Route | undefined;
    if (before && before.id !== this.taskId) {
      this.progress = null;
      this.usage = null;
      this.#visited = new Set();
      this.#task.restart();
      this.#live.restart();
    }
    this.#visited = new Set([...this.#visited, viewOf(this.route)]);
  }

  override updated(): void {
    const { data } = this.#task;
    if (data && this.isConnected) document.title = pageTitle(data);
  }

  override render() {
    const { data: task, error, loading } = this.#task;
    // 400: what the address names is no id.
    if (error instanceof ApiError && [400, 403, 404].includes(error.status))
      return absent(error, task !== null);
    return html`
      <div class="stack">
        ${errorNotice(error, () => this.#task.refresh())}
        ${task ? this.#whole(task) : html`<h1 class="unseen" tabindex="-1">Task</h1>`}
        ${loading ? html`<div class="panel"><notice-box kind="loading"></notice-box></div>` : nothing}
      </div>
    `;
  }

  #whole(task: TaskBody) {
    const message = task.message ?? (task.status === 'failed' ? task.reason : null);
    const isLeaving = leaving(task);
    return html`
      <header>
        <div class="title">
          <div class="row tight"><h1 tabindex="-1">${task.name || 'Task'}</h1><state-badge state=${task.status}></state-badge>${task.cancel_requested && !isTerminal(task.status) ? html`<span class="soft small" role="status">being stopped…</span>` : isLeaving ? html`<span class="soft small" role="status">being moved elsewhere…</span>` : nothing}</div>
          ${about(task)}
        </div>
        <div class="row tight acts">${this.#actions(task)}</div>
      </header>
      ${message ? html`<p class="message ${task.status}">${message}</p>` : nothing}
      ${isLeaving ? html`<p class="message leaving">${isLeaving}</p>` : nothing}
      <section class="panel" aria-label="Facts"><task-facts .task=${task}></task-facts></section>
      ${task.status === 'queued' ? html`<wait-reasons .session=${this.session} .task=${task}></wait-reasons>` : nothing}
      ${atWork(task, this.progress, this.usage)}
      ${this.#tabs(task)} ${this.#views(task)}
      <file-dialog .session=${this.session} .file=${this.#file} @close=${() => this.#go({ file: null })}></file-dialog>
    `;
  }

  #actions(task: TaskBody) {
    const link = html`<button class="icon quiet" aria-label="Copy the link" title="Copy the link" @click=${this.#copyLink}><svg-icon .icon=${Link}></svg-icon></button>`;
    const changed = html`<a class="button" href="/submit?from=${task.task_id}"><svg-icon .icon=${Pencil}></svg-icon>Run with changes</a>`;
    const again = html`<button @click=${this.#retry} ?disabled=${this.busy}><svg-icon .icon=${RotateCw}></svg-icon>Run again</button>`;
    const { session } = this;
    const another = session.may('task.submit') ? changed : nothing;
    if (isTerminal(task.status)) return html`${link}${another}${session.may('task.retry') ? again : nothing}`;
    if (!session.may('task.cancel')) return html`${link}${another}`;
    return html`
      ${link}${another}
      <button class="danger" @click=${() => this.#cancel(task)} ?disabled=${this.busy}><svg-icon .icon=${Square}></svg-icon>Cancel</button>
    `;
  }

  #tabs(task: TaskBody) {
    const open = viewOf(this.route);
    const files = task.attempts.at(-1)?.outputs?.files ?? 0;
    const counts: Partial<Record<View, number>> = {
      files,
      story: task.attempts.length > 1 ? task.attempts.length : 0,
    };
    return html`
      <nav class="tabs" aria-label="Views of the task">
        ${Object.entries(VIEW_WORDS).map(([view, words]) => {
          const count = counts[view as View] ?? 0;
          const href = taskAddress({ id: this.taskId, query: this.route.query }, { view, file: null });
          return html`<a href=${href} aria-current=${view === open ? 'page' : nothing} @click=${this.#follow}>${words}${count > 0 ? html`<span class="count number">${count.toLocaleString()}</span>` : nothing}</a>`;
        })}
      </nav>
    `;
  }

  #views(task: TaskBody) {
    const open = viewOf(this.route);
    const { session, router, route } = this;
    const shown = (view: View, label: string, content: () => unknown) =>
      this.#visited.has(view)
        ? html`<section class="panel" aria-label=${label} ?hidden=${view !== open}>${content()}</section>`
        : nothing;
    return html`
      <div class="views ${open}">
        ${shown('output', 'Output', () => html`<task-log .session=${session} .router=${router} .route=${route} taskId=${task.task_id}></task-log>`)}
        ${open === 'output' ? html`<aside class="panel beside" aria-labelledby="beside"><h2 id="beside">Story</h2><attempt-timeline .task=${task}></attempt-timeline></aside>` : nothing}
        ${shown('files', 'Files', () => html`<task-files .session=${session} .router=${router} .route=${route} .task=${task}></task-files>`)}
        ${open === 'usage' ? html`<section class="panel" aria-label="Usage"><task-usage .session=${session} taskId=${task.task_id} .attempt=${attemptOf(route)} .task=${task}></task-usage></section>` : nothing}
        ${open === 'story' ? html`<section class="panel" aria-labelledby="story"><h2 id="story">Story</h2><attempt-timeline .task=${task}></attempt-timeline></section>` : nothing}
        ${open === 'spec' ? html`<section class="panel" aria-label="Spec"><task-spec-view .task=${task}></task-spec-view></section>` : nothing}
      </div>
    `;
  }

  /** The same object while it is the same file: the dialog fetches when it is another. */
  get #file() {
    const path = this.route.query.get('file');
    const attempt = attemptOf(this.route);
    return guard([this.taskId, path, attempt], (): PreviewFile | null =>
      path ? { path, task_id: this.taskId, attempt } : null,
    );
  }

  #go(changes: Parameters<typeof taskAddress>[1]): void {
    this.router.go(taskAddress(this.route, changes), { replace: true });
  }

  /** A view takes the place of the one before: going back leads to where the person came from. */
  #follow(event: MouseEvent): void {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const link = event.currentTarget as HTMLAnchorElement;
    this.router.go(link.pathname + link.search, { replace: true });
  }

  /** What is only told where one task is asked for stays until it is asked for again. */
  #heard(task: TaskBody): void {
    const before = this.#task.data;
    const isSame = before?.task_id === task.task_id;
    const isMoved = isSame && before.status !== task.status;
    this.#task.take(isSame && !task.sla && before.sla ? { ...task, sla: before.sla } : task);
    if (isMoved || !isSame) this.#task.refreshSoon();
  }

  async #copyLink(): Promise<void> {
    try {
      await copyText(location.href, this.renderRoot.querySelector('header') ?? undefined);
      tell(this, 'The link is copied');
    } catch (error) {
      tellFault(this, 'Could not copy it', error);
    }
  }

  async #cancel(task: TaskBody): Promise<void> {
    const isWaiting = task.status === 'queued';
    const answer = await ask(this, {
      heading: 'Cancel this task?',
      text: isWaiting
        ? 'It has not started; it will not run.'
        : 'Its program is asked to end, and is killed if it does not.',
      confirm: 'Cancel the task',
      danger: true,
      ...(isWaiting ? {} : { tick: 'Kill it at once' }),
    });
    if (!answer) return;
    await this.#act('Could not cancel it', async () => {
      await this.session.client.cancelTask(task.task_id, { force: answer.ticked });
      this.#task.refresh();
    });
  }

  #retry(): Promise<void> {
    return this.#act('Could not run it again', async () => {
      const idempotencyKey = `${this.taskId}.${this.#retryKey}`;
      const { task_id } = await this.session.client.retryTask(this.taskId, { idempotencyKey });
      this.#retryKey = newKey();
      tell(this, 'This is a new task of the same spec', {
        href: `/tasks/${this.taskId}`,
        text: 'Back to the one before',
      });
      this.router.go(`/tasks/${task_id}`);
    });
  }

  async #act(what: string, act: () => Promise<void>): Promise<void> {
    this.busy = true;
    try {
      await act();
    } catch (error) {
      tellFault(this, what, error);
    } finally {
      this.busy = false;
    }
  }
}
