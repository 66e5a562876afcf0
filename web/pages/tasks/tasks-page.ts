// The list of tasks: filtered by what the address says, fresh at its top, longer on demand.

import { css, html, LitElement, nothing } from 'lit';
import type { TaskFilter } from '../../../client/client.ts';
import { TASK_STATES, type TaskState } from '../../../shared/model/task.ts';
import { LiveSubscription } from '../../data/live-subscription.ts';
import { Poll } from '../../data/poll.ts';
import type { Router } from '../../data/router.ts';
import type { Route } from '../../data/routes.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls } from '../../styles/shared.ts';
import { freshLimit, PAGE, type TaskPages, withFresh, withOlder } from './task-pages.ts';

const FIELDS = ['status', 'tag', 'q'] as const;

export class TasksPage extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
    loadingMore: { state: true },
    moreError: { state: true },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;
  declare loadingMore: boolean;
  declare moreError: Error | null;
  readonly #pages: Poll<TaskPages> = new Poll(this, {
    load: async (signal) => {
      const before = this.#pages.data;
      const fresh = await this.session.client.listTasks(
        { ...this.#filter, limit: freshLimit(before) },
        { signal },
      );
      // A longer list may have come in the meantime.
      return withFresh(this.#pages.data, fresh);
    },
    pushedBy: () => this.session,
  });

  static override styles = [
    base,
    controls,
    css`
      form { display: grid; gap: var(--space-3); grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); align-items: end; }
      .more { padding-top: var(--space-4); text-align: center; }
    `,
  ];

  constructor() {
    super();
    this.loadingMore = false;
    this.moreError = null;
    new LiveSubscription(this, () =>
      this.session.live.subscribe('tasks', {
        task: () => this.#pages.refreshSoon(),
        resumed: () => this.#pages.refreshSoon(),
      }),
    );
  }

  get query(): URLSearchParams {
    return this.route.query;
  }

  get #filter(): TaskFilter {
    const status = TASK_STATES.filter((state) => this.query.get('status')?.split(',').includes(state));
    return {
      status: status.length > 0 ? (status as TaskState[]) : undefined,
      tag: this.query.get('tag') || undefined,
      q: this.query.get('q') || undefined,
    };
  }

  override willUpdate(changed: Map<string, unknown>): void {
    const before = changed.get('route') as Route | undefined;
    if (before && String(before.query) !== String(this.query)) {
      this.moreError = null;
      this.#pages.restart();
    }
  }

  override render() {
    const { error } = this.#pages;
    return html`
      <div class="stack">
        <div class="row spread">
          <h1 tabindex="-1">Tasks</h1>
          <a class="button primary" href="/submit">Submit a task</a>
        </div>
        <form class="panel" role="search" @submit=${this.#search} @change=${this.#search}>
          <div>
            <label for="status">State</label>
            <select id="status" name="status" .value=${this.query.get('status') ?? ''}>
              <option value="">All states</option>
              ${TASK_STATES.map((state) => html`<option value=${state} ?selected=${this.query.get('status') === state}>${state}</option>`)}
            </select>
          </div>
          <div>
            <label for="tag">Tag</label>
            <input id="tag" name="tag" .value=${this.query.get('tag') ?? ''} autocapitalize="none" />
          </div>
          <div>
            <label for="q">Name, image or id</label>
            <input id="q" name="q" type="search" .value=${this.query.get('q') ?? ''} autocapitalize="none" />
          </div>
        </form>
        ${errorNotice(error, () => this.#pages.refresh())}
        <section class="panel" aria-label="List of tasks">${this.#list()}</section>
      </div>
    `;
  }

  #list() {
    const { data, loading } = this.#pages;
    if (loading) return html`<notice-box kind="loading"></notice-box>`;
    if (!data) return html`<notice-box kind="empty" heading="The list could not be loaded"></notice-box>`;
    if (data.tasks.length === 0) return this.#empty();
    return html`
      <task-table .tasks=${data.tasks}></task-table>
      ${errorNotice(this.moreError)}
      ${
        data.cursor === null
          ? nothing
          : html`<div class="more"><button @click=${this.#more} ?disabled=${this.loadingMore}>${this.loadingMore ? 'Loading…' : 'Load more'}</button></div>`
      }
    `;
  }

  #empty() {
    return FIELDS.some((field) => this.query.get(field))
      ? html`<notice-box kind="empty" heading="No task fits the filter"><p><a href="/tasks">Show all tasks</a></p></notice-box>`
      : html`<notice-box kind="empty" heading="No tasks yet"><p><a href="/submit">Submit the first one</a></p></notice-box>`;
  }

  #search(event: Event): void {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const query = new URLSearchParams();
    for (const name of FIELDS) {
      const value = String(fields.get(name) ?? '').trim();
      if (value !== '') query.set(name, value);
    }
    if (String(query) === String(this.query)) return;
    // A filter is a view of the same page: no entry in the history for each change.
    this.router.go(`/tasks${query.size > 0 ? `?${query}` : ''}`, { replace: true });
  }

  async #more(): Promise<void> {
    const { data } = this.#pages;
    if (!data?.cursor || this.loadingMore) return;
    const query = this.query;
    this.loadingMore = true;
    this.moreError = null;
    try {
      const older = await this.session.client.listTasks({
        ...this.#filter,
        limit: PAGE,
        cursor: data.cursor,
      });
      const now = this.#pages.data;
      if (now && query === this.query) this.#pages.data = withOlder(now, older);
    } catch (error) {
      this.moreError = error as Error;
    } finally {
      this.loadingMore = false;
    }
  }
}
