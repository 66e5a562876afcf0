// What waits for its turn, in order, why and until when. Users see their own tasks, admins all.

import { css, html, LitElement, nothing } from 'lit';
import { REASON_WORDS } from '../../../client/queue-words.ts';
import type { QueueEntryBody, QueueReply } from '../../../shared/contracts/queue.ts';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import { LiveSubscription } from '../../data/live-subscription.ts';
import { Poll } from '../../data/poll.ts';
import type { Router } from '../../data/router.ts';
import { addressOf, type Route } from '../../data/routes.ts';
import type { Session } from '../../data/session.ts';
import { TelemetryFeed } from '../../data/telemetry-feed.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls } from '../../styles/shared.ts';
import { aboutWords, countReasons, loadQueue, MOST_SHOWN, reasonOf, STEP } from './queue-view.ts';

/** Estimates are made anew so often while nothing else changes. */
const AGAIN_AFTER_LOOKS = 5;
const NO_ENTRIES: readonly QueueEntryBody[] = [];
const NO_WORKERS: readonly WorkerBody[] = [];

export class QueuePage extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
    wanted: { state: true },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;
  /** How many entries are to be shown. */
  declare wanted: number;
  #depth: number | null = null;
  #looks = 0;
  #askedAt = 0;

  readonly #queue = new Poll<QueueReply>(this, {
    load: async (signal) => {
      const reply = await loadQueue(this.wanted, (page) => this.session.client.queue(page, { signal }));
      this.#askedAt = Date.now();
      return reply;
    },
    pushedBy: () => this.session,
  });
  // Of other people's tasks a user hears nothing but how many wait.
  readonly #telemetry = new TelemetryFeed(
    this,
    () => this.session,
    ({ queue_depth }) => {
      this.#looks += 1;
      if (queue_depth === this.#depth && this.#looks < AGAIN_AFTER_LOOKS) return;
      this.#depth = queue_depth;
      this.#looks = 0;
      this.#queue.refreshSoon();
    },
  );

  static override styles = [
    base,
    controls,
    css`
      select { width: auto; min-width: 11rem; }
      .filter { display: flex; align-items: center; gap: var(--space-2); }
      .filter label { margin: 0; }
      .more { padding-top: var(--space-4); text-align: center; }
    `,
  ];

  constructor() {
    super();
    this.wanted = STEP;
    new LiveSubscription(this, () =>
      this.session.live.subscribe('tasks', {
        task: () => this.#queue.refreshSoon(),
        standing: () => this.#queue.refreshSoon(),
      }),
    );
  }

  override render() {
    const { data, error, loading } = this.#queue;
    return html`
      <div class="stack">
        <div class="row spread">
          <h1 tabindex="-1">Queue</h1>
          ${data && data.entries.length > 0 ? this.#filter(data) : nothing}
        </div>
        ${data ? html`<p class="soft">${aboutWords(data, this.#telemetry.data?.sla ?? null, this.session.seesAllTasks)}</p>` : nothing}
        ${this.#telemetry.data?.scheduler ? html`<scheduler-rules .scheduler=${this.#telemetry.data.scheduler}></scheduler-rules>` : nothing}
        ${errorNotice(error, () => this.#queue.refresh())}
        <section class="panel" aria-label="What waits">
          ${loading ? html`<notice-box kind="loading"></notice-box>` : nothing}
          ${data ? this.#list(data) : nothing}
          ${!data && error ? html`<notice-box kind="empty" heading="The queue could not be loaded"></notice-box>` : nothing}
        </section>
        <what-if-panel .session=${this.session} .entries=${data?.entries ?? NO_ENTRIES} .workers=${this.#telemetry.data?.workers ?? NO_WORKERS}></what-if-panel>
      </div>
    `;
  }

  #filter({ entries, next_cursor }: QueueReply) {
    const chosen = reasonOf(this.route.query);
    const counts = countReasons(entries);
    const isThere = counts.some(([reason]) => reason === chosen);
    return html`
      <div class="filter">
        <label for="reason">Reason</label>
        <select id="reason" @change=${this.#choose}>
          <option value="" ?selected=${chosen === null}>All${next_cursor === null ? '' : ` of the first ${entries.length}`}</option>
          ${chosen !== null && !isThere ? html`<option value=${chosen} selected>${REASON_WORDS[chosen]} (0)</option>` : nothing}
          ${counts.map(([reason, count]) => html`<option value=${reason} ?selected=${reason === chosen}>${REASON_WORDS[reason]} (${count})</option>`)}
        </select>
      </div>
    `;
  }

  #list({ total, entries, next_cursor }: QueueReply) {
    if (entries.length === 0) {
      return total === 0
        ? html`<notice-box kind="empty" heading="Nothing waits"><p>Whatever is submitted now starts as soon as a worker has room.${this.session.may('task.submit') ? html` <a href="/submit">Submit a task</a>` : nothing}</p></notice-box>`
        : html`<notice-box kind="empty" heading="Nothing of yours waits"><p>Other users have ${total === 1 ? '1 task' : `${total.toLocaleString('en')} tasks`} in the queue.</p></notice-box>`;
    }
    const chosen = reasonOf(this.route.query);
    const shown = chosen === null ? entries : entries.filter(({ reason }) => reason === chosen);
    return html`
      ${
        shown.length === 0
          ? html`<notice-box kind="empty" heading="Nothing waits for this reason"><p><a href="/queue">Show all</a></p></notice-box>`
          : html`<queue-table .entries=${shown} .now=${this.#askedAt}></queue-table>`
      }
      ${next_cursor === null ? nothing : this.#more(entries.length)}
    `;
  }

  #more(count: number) {
    return html`
      <div class="more">
        ${
          count >= MOST_SHOWN
            ? html`<p class="soft small">These are the first ${count.toLocaleString('en')}. <code>cloudai queue --limit ${count * 2}</code> shows more.</p>`
            : html`<button @click=${this.#showMore} ?disabled=${this.wanted > count}>${this.wanted > count ? 'Loading…' : 'Show more'}</button>`
        }
      </div>
    `;
  }

  #showMore(): void {
    this.wanted = Math.min(MOST_SHOWN, this.wanted + STEP);
    this.#queue.refresh();
  }

  #choose(event: Event): void {
    const reason = (event.target as HTMLSelectElement).value;
    this.router.go(addressOf('/queue', { reason }), { replace: true });
  }
}
