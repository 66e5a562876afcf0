// What an operator keeps open: figures, use over time, what is held, workers, what runs, what failed. All of it is
// pushed; lists of tasks are asked for again when a task has changed.

import { css, html, LitElement, nothing } from 'lit';
import { megabytes, trim } from '../../../client/words.ts';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import type { AmountsBody, TelemetryReply } from '../../../shared/contracts/workers.ts';
import { TASK_STATES } from '../../../shared/model/task.ts';
import { LiveSubscription } from '../../data/live-subscription.ts';
import { Poll } from '../../data/poll.ts';
import type { Router } from '../../data/router.ts';
import type { Route } from '../../data/routes.ts';
import type { Session } from '../../data/session.ts';
import { TelemetryFeed } from '../../data/telemetry-feed.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls } from '../../styles/shared.ts';

const SHOWN = 6;
/** As long as the other two together. */
const NEWEST = 12;

interface Lists {
  readonly running: readonly TaskBody[];
  readonly failed: readonly TaskBody[];
  readonly recent: readonly TaskBody[];
}

export class OverviewPage extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;
  readonly #telemetry = new TelemetryFeed(this, () => this.session);
  readonly #lists = new Poll<Lists>(this, {
    load: async (signal) => {
      const { client } = this.session;
      const [running, failed, recent] = await Promise.all([
        client.listTasks({ status: ['running', 'assigned'], limit: SHOWN }, { signal }),
        client.listTasks({ status: ['failed'], limit: SHOWN }, { signal }),
        client.listTasks({ limit: NEWEST }, { signal }),
      ]);
      return { running: running.tasks, failed: failed.tasks, recent: recent.tasks };
    },
    pushedBy: () => this.session,
  });

  static override styles = [
    base,
    controls,
    css`
      .columns { display: grid; gap: var(--space-4); grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); align-items: start; }
      .columns.even { align-items: stretch; }
      .totals { display: grid; gap: var(--space-3); }
      .totals h3 { margin-bottom: 0.1rem; }
      /* A wide page has it in the navigation. */
      @media (min-width: 60.01rem) { .narrow { display: none; } }
      .more { font-size: var(--text-small); }
    `,
  ];

  constructor() {
    super();
    new LiveSubscription(this, () =>
      this.session.live.subscribe('tasks', {
        task: () => this.#lists.refreshSoon(),
        standing: () => this.#lists.refreshSoon(),
      }),
    );
  }

  override render() {
    const { data, error, loading } = this.#telemetry;
    const isNew = data !== null && TASK_STATES.every((state) => data.tasks_by_state[state] === 0);
    return html`
      <div class="stack">
        <div class="row spread">
          <h1 tabindex="-1">Overview</h1>
          ${this.session.may('task.submit') ? html`<a class="button primary narrow" href="/submit">Submit a task</a>` : nothing}
        </div>
        ${errorNotice(error, () => this.#telemetry.refresh())}
        ${loading ? html`<div class="panel"><notice-box kind="loading"></notice-box></div>` : nothing}
        ${isNew ? html`<first-steps .session=${this.session} .workers=${data.workers_by_state.ready}></first-steps>` : nothing}
        ${data ? this.#cluster(data, isNew) : nothing}
      </div>
    `;
  }

  #cluster(data: TelemetryReply, isNew: boolean) {
    return html`
      <headline-figures .telemetry=${data}></headline-figures>
      ${data.scheduler ? html`<scheduler-rules .scheduler=${data.scheduler}></scheduler-rules>` : nothing}
      <section class="panel" aria-label="Use over time">
        <history-plots .session=${this.session} .router=${this.router} .route=${this.route} .telemetry=${data}></history-plots>
      </section>
      <div class="columns even">
        ${this.#capacity(data)}
        <section class="panel" aria-labelledby="by-state">
          <h2 id="by-state">Tasks by state</h2>
          <state-counts .counts=${data.tasks_by_state}></state-counts>
        </section>
      </div>
      ${this.#workers(data)}
      ${isNew ? nothing : this.#tasks()}
    `;
  }

  #capacity({ totals: { capacity, reserved }, workers_by_state: { ready } }: TelemetryReply) {
    const total = (label: string, of: keyof AmountsBody, words: (value: number) => string) => html`
      <div>
        <h3>${label}</h3>
        <usage-bar
          label="${label} held" .held=${reserved[of]} .total=${capacity[of]}
          text="${words(reserved[of])} of ${words(capacity[of])}"
        ></usage-bar>
      </div>
    `;
    return html`
      <section class="panel" aria-labelledby="capacity">
        <h2 id="capacity">Held by tasks</h2>
        ${
          capacity.cpu === 0
            ? html`<notice-box kind="empty" heading=${ready === 0 ? 'No worker is up' : 'Nothing to hold'}><p>Tasks wait until a machine joins. <a href="/cluster">See the workers</a></p></notice-box>`
            : html`
              <div class="totals">
                ${total('Cores', 'cpu', (value) => trim(value, 2))} ${total('Memory', 'memory', megabytes)}
                ${capacity.gpu > 0 ? total('GPUs', 'gpu', String) : nothing}
                ${capacity.storage > 0 ? total('Storage', 'storage', megabytes) : nothing}
              </div>
            `
        }
      </section>
    `;
  }

  #workers({ workers }: TelemetryReply) {
    if (workers.length === 0) return nothing;
    return html`
      <section class="panel" aria-labelledby="machines">
        <div class="head"><h2 id="machines">Workers</h2><a class="more" href="/cluster">All workers</a></div>
        <worker-grid .workers=${workers}></worker-grid>
      </section>
    `;
  }

  #tasks() {
    const { data, error, loading } = this.#lists;
    const hasAll = this.session.seesAllTasks;
    const list = (
      id: string,
      heading: string,
      tasks: readonly TaskBody[],
      none: string,
      href: string,
      why = false,
    ) => html`
      <section class="panel" aria-labelledby=${id}>
        <div class="head"><h2 id=${id}>${heading}</h2>${tasks.length > 0 ? html`<a class="more" href=${href}>Show all<span class="unseen"> ${heading.toLowerCase()}</span></a>` : nothing}</div>
        ${
          tasks.length === 0
            ? html`<p class="soft">${none}</p>`
            : html`<brief-tasks .tasks=${tasks} ?why=${why} worker ?user=${hasAll}></brief-tasks>`
        }
      </section>
    `;
    return html`
      ${errorNotice(error, () => this.#lists.refresh())}
      ${loading ? html`<div class="panel"><notice-box kind="loading"></notice-box></div>` : nothing}
      ${
        data
          ? html`
            <div class="columns">
              <div class="stack">
                ${list('running', 'Running tasks', data.running, hasAll ? 'Nothing runs right now.' : 'None of your tasks runs right now.', '/tasks?status=running')}
                ${list('failed', 'Newest failures', data.failed, 'None has failed.', '/tasks?status=failed', true)}
              </div>
              ${list('recent', 'Newest tasks', data.recent, hasAll ? 'There are no tasks yet.' : 'You have no tasks yet.', '/tasks')}
            </div>
          `
          : nothing
      }
    `;
  }
}
