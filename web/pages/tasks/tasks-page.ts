// The list of tasks: what the address says, kept fresh by what is pushed, with what is done to many at once.

import { css, html, LitElement, nothing } from 'lit';
import { ArrowUp } from 'lucide';
import type { TaskEvent } from '../../../shared/contracts/live.ts';
import { LiveSubscription } from '../../data/live-subscription.ts';
import { Poll } from '../../data/poll.ts';
import type { Router } from '../../data/router.ts';
import { addressOf, type Route } from '../../data/routes.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls } from '../../styles/shared.ts';
import { many, taskCount } from './bulk.ts';
import type { BulkBar } from './bulk-bar.ts';
import { FailureReasons } from './failure-reasons.ts';
import { Selection } from './selection.ts';
import type { FilterEvent, QueryChange } from './task-filters.ts';
import type { RowDeed, TaskList, TaskListEvent } from './task-list.ts';
import { type Loaded, TaskLoader } from './task-loader.ts';
import { MOST_ROWS } from './task-rows.ts';
import { filterOf, isFiltered, isNewest, orderOf, orderText, SORTS, type SortOrder } from './task-view.ts';

/** The list as it was left. */
interface Left {
  readonly filterText: string;
  readonly loaded: Loaded;
  readonly selection: Selection;
  readonly scrolledPx: number;
}

const PAGE = 'tasks';

export class TasksPage extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;
  readonly #loader = new TaskLoader(
    () => this.session.client,
    () => this.#redraw(),
  );
  #selection = new Selection();
  #startPx = 0;
  readonly #reasons = new FailureReasons(
    () => this.session.client,
    () => this.#redraw(),
  );
  /** What was pushed may have gaps. */
  #deep = true;
  #frame = 0;
  #filterText: string | null = null;
  readonly #top: Poll<true> = new Poll<true>(this, {
    load: async (signal) => {
      const { status, worker } = this.#loader.filter;
      const mayComeAnywhere = status !== undefined || worker !== undefined;
      await this.#loader.refreshTop(signal, this.#deep || mayComeAnywhere);
      this.#deep = this.session.live.state !== 'connected';
      void this.#loader.fillAndSort();
      return true;
    },
    pushedBy: () => this.session,
  });

  static override styles = [
    base,
    controls,
    css`
      /* Where there is room the navigation has it. */
      @media (min-width: 60.01rem) { .submit { display: none; } }
      .list { padding: 0; overflow: hidden; }
      .above { display: flex; flex-wrap: wrap; align-items: center; gap: var(--space-2) var(--space-3); min-height: 3.25rem; padding: var(--space-2) var(--space-4); }
      .above > .count { margin-right: auto; }
      .above bulk-bar { margin-right: auto; }
      progress { width: 8rem; height: 0.5rem; accent-color: var(--accent); }
    `,
  ];

  constructor() {
    super();
    new LiveSubscription(this, () =>
      this.session.live.subscribe('tasks', {
        task: (event) => this.#heard(event),
        standing: () => {
          this.#deep = true;
          this.#top.refreshSoon();
        },
      }),
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#leave();
    this.#loader.halt();
    this.#reasons.stop();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  override connectedCallback(): void {
    // Before the first asking, which comes with the connection.
    this.#follow();
    super.connectedCallback();
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has('route')) this.#follow();
  }

  override render() {
    const { rows } = this.#loader;
    return html`
      <div class="stack">
        <div class="row spread">
          <h1 tabindex="-1">Tasks</h1>
          ${this.session.may('task.submit') ? html`<a class="button primary small submit" href="/submit">Submit a task</a>` : nothing}
        </div>
        <section class="panel" aria-label="Filter">
          <task-filters .session=${this.session} .query=${this.route.query} @filter=${(event: FilterEvent) => this.#go(event.change)}></task-filters>
        </section>
        ${errorNotice(this.#top.error, () => this.#top.refresh())}
        <section class="panel list" aria-label="List of tasks">
          ${rows.started ? this.#content() : this.#top.error ? html`<notice-box kind="empty" heading="The list could not be loaded"></notice-box>` : html`<notice-box kind="loading"></notice-box>`}
        </section>
      </div>
    `;
  }

  #content() {
    const { rows, order } = this.#loader;
    if (rows.loaded === 0 && rows.cursor === null) return this.#empty();
    return html`
      <div class="above">
        ${this.#selection.size === 0 ? html`<span class="count soft small number">${this.#countText()}</span>` : nothing}
        <bulk-bar .session=${this.session} .rows=${rows} .selection=${this.#selection} @select=${() => this.#redraw()}></bulk-bar>
        ${this.#filling()}
        ${rows.hidden > 0 ? html`<button class="small primary" @click=${this.#showNew}><svg-icon .icon=${ArrowUp}></svg-icon>${many(rows.hidden)} new task${rows.hidden === 1 ? '' : 's'} – show</button>` : nothing}
      </div>
      ${errorNotice(this.#loader.error, () => this.#again())}
      <task-list
        .rows=${rows} .selection=${this.#selection} .order=${order} .complete=${rows.cursor === null}
        .withUser=${this.session.seesAllTasks} .mayCancel=${this.session.may('task.cancel')} .mayRetry=${this.session.may('task.retry')} .startPx=${this.#startPx}
        @near-end=${() => void this.#nearEnd()} @away=${(event: TaskListEvent<boolean>) => this.#away(event.detail)}
        @sort=${(event: TaskListEvent<SortOrder>) => this.#go({ sort: orderText(event.detail) })}
        @open=${(event: TaskListEvent<string>) => this.router.go(`/tasks/${event.detail}`)}
        @act=${(event: TaskListEvent<RowDeed>) => this.#act(event.detail)} @select=${() => this.#redraw()}
      ></task-list>
    `;
  }

  #empty() {
    return isFiltered(this.#loader.filter)
      ? html`<notice-box kind="empty" heading="No task fits the filter"><p><a href="/tasks">Show all tasks</a></p></notice-box>`
      : html`<notice-box kind="empty" heading="No tasks yet">${this.session.may('task.submit') ? html`<p><a href="/submit">Submit the first one</a></p>` : nothing}</notice-box>`;
  }

  #countText(): string {
    const { rows, order, stopped } = this.#loader;
    const count = taskCount(rows.count);
    if (rows.cursor === null) return count;
    if (isNewest(order))
      return rows.isFull
        ? `The newest ${count}; a filter shows older ones`
        : `${count} loaded, more as you scroll`;
    if (rows.isFull)
      return `There are more than ${many(MOST_ROWS)} tasks: the newest ${many(MOST_ROWS)} are sorted`;
    return stopped ? `The newest ${count} are sorted, not all of them` : `${count} loaded`;
  }

  #filling() {
    const { filling, rows, order } = this.#loader;
    if (isNewest(order) || (filling !== 'all' && filling !== 'sorting')) return nothing;
    const by = SORTS[order.key].toLowerCase();
    const text =
      filling === 'sorting' ? `Sorting by ${by}…` : `Loading all to sort by ${by}: ${many(rows.loaded)}`;
    return html`
      <span class="small number" role="status">${text}</span>
      <progress aria-label="Loading"></progress>
      <button class="small" @click=${() => this.#loader.stop()}>Stop</button>
    `;
  }

  /** Takes up what the address says. */
  #follow(): void {
    const filter = filterOf(this.route.query);
    const order = orderOf(this.route.query);
    const text = JSON.stringify(filter);
    if (text !== this.#filterText) {
      const isFirst = this.#filterText === null;
      this.#filterText = text;
      if (isFirst && this.#comeBack(text, order)) return;
      this.#loader.restart(filter, order);
      this.#selection.retain(() => false);
      this.#deep = true;
      if (!isFirst) this.#top.restart();
    } else if (orderText(order) !== orderText(this.#loader.order)) {
      void this.#loader.reorder(order);
      this.#list?.toTop();
    }
  }

  #leave(): void {
    const { rows, filter, order, stopped } = this.#loader;
    // Signed out: the next person finds nothing.
    if (!rows.started || this.#filterText === null || !this.session.user) return;
    this.session.memory.keep(PAGE, {
      filterText: this.#filterText,
      loaded: { rows, filter, order, stopped },
      selection: this.#selection,
      scrolledPx: this.#list?.scrolledPx ?? 0,
    } satisfies Left);
  }

  /** Whoever goes back finds the list where it was left; a link to it is a new look. */
  #comeBack(filterText: string, order: SortOrder): boolean {
    const left = this.session.memory.take<Left>(PAGE);
    if (!left || !this.router.isReturn) return false;
    if (left.filterText !== filterText || orderText(left.loaded.order) !== orderText(order)) return false;
    this.#loader.resume(left.loaded);
    this.#selection = left.selection;
    this.#startPx = left.scrolledPx;
    return true;
  }

  get #list(): TaskList | null {
    return this.renderRoot.querySelector<TaskList>('task-list');
  }

  get #bulk(): BulkBar | null {
    return this.renderRoot.querySelector<BulkBar>('bulk-bar');
  }

  /** Draws what has changed inside, once for many changes: rows and selection are the same objects as before. */
  #redraw(): void {
    if (this.#frame !== 0 || !this.isConnected) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      const { rows } = this.#loader;
      rows.compact();
      this.#selection.retain((id) => rows.has(id));
      this.requestUpdate();
      this.#list?.requestUpdate();
      this.#bulk?.requestUpdate();
    });
  }

  #heard(event: TaskEvent): void {
    const applied = this.#loader.rows.apply(event);
    if (applied === 'new') this.#top.refreshSoon();
    else if (applied === 'patched' || applied === 'gone') this.#redraw();
    if (applied === 'patched' && event.status === 'failed')
      this.#reasons.ask(event.task_id, this.#loader.rows);
  }

  #away(isAway: boolean): void {
    const { rows, order } = this.#loader;
    if (!isNewest(order)) return;
    rows.pin(isAway ? rows.newest : null);
    this.#redraw();
  }

  #showNew(): void {
    const { rows, order } = this.#loader;
    this.#list?.toTop();
    if (isNewest(order)) rows.pin(null);
    else void this.#loader.reorder(order);
    this.#redraw();
  }

  async #nearEnd(): Promise<void> {
    // After a fault the user says when to try again.
    if (this.#loader.error === null && isNewest(this.#loader.order)) await this.#loader.more();
  }

  #again(): void {
    this.#loader.error = null;
    if (isNewest(this.#loader.order)) void this.#loader.more();
    else void this.#loader.fillAndSort();
  }

  #act({ action, id }: RowDeed): void {
    if (action === 'cancel') void this.#bulk?.cancel([id]);
    else void this.#bulk?.retry([id]);
  }

  /** A filter is a view of the same page: no entry in the history for each change. */
  #go(change: QueryChange): void {
    const next = { ...Object.fromEntries(this.route.query), ...change };
    const address = addressOf('/tasks', next);
    if (address !== addressOf('/tasks', Object.fromEntries(this.route.query)))
      this.router.go(address, { replace: true });
  }
}
