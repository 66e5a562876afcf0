// One machine: what it is, who holds what of it, its use over time, what ran there, and its maintenance.

import { css, html, LitElement, nothing } from 'lit';
import { clockOff, megabytes } from '../../../client/words.ts';
import { gpuWords, mountWords, taskNetworkWords } from '../../../client/worker-words.ts';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import type { TelemetryReply, WorkerBody } from '../../../shared/contracts/workers.ts';
import { LiveSubscription } from '../../data/live-subscription.ts';
import { type PlacedTask, PlacedTasks } from '../../data/placed-tasks.ts';
import { Poll } from '../../data/poll.ts';
import type { Router } from '../../data/router.ts';
import { addressOf, type Route } from '../../data/routes.ts';
import type { Session } from '../../data/session.ts';
import { TelemetryFeed } from '../../data/telemetry-feed.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls } from '../../styles/shared.ts';
import { MEASURE_WORDS, MEASURES, type Measure } from './allocation.ts';
import { clock, drainWords } from './draining.ts';
import { labelChips, seenWords } from './worker-table.ts';

const SHOWN = 10;
const NO_TASKS: readonly PlacedTask[] = [];

export class WorkerPage extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;
  readonly #telemetry = new TelemetryFeed(this, () => this.session);
  readonly #placed = new PlacedTasks(
    this,
    () => this.session,
    () => this.route.id,
  );
  readonly #recent = new Poll<readonly TaskBody[]>(this, {
    load: async (signal) =>
      (await this.session.client.listTasks({ worker: this.route.id, limit: SHOWN }, { signal })).tasks,
    pushedBy: () => this.session,
  });

  static override styles = [
    base,
    controls,
    css`
      .title { display: flex; flex-wrap: wrap; gap: var(--space-2) var(--space-3); align-items: center; }
      .back { font-size: var(--text-small); }
      .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 12rem), 1fr)); gap: var(--space-3) var(--space-4); }
      dt { font-size: var(--text-small); color: var(--ink-soft); }
      dd { overflow-wrap: anywhere; }
      .measures { display: flex; }
      worker-use { max-width: 40rem; }
      .message { color: var(--bad); overflow-wrap: anywhere; }
      /* Reasons are clauses that go on behind a name elsewhere. */
      .message li::first-letter, .message p::first-letter, p.message::first-letter { text-transform: uppercase; }
      .draining { color: var(--queued); }
      .uses { margin-top: var(--space-4); }
    `,
  ];

  constructor() {
    super();
    new LiveSubscription(this, () =>
      this.session.live.subscribe('tasks', {
        task: ({ worker_id }) => {
          if (worker_id === this.route.id) this.#recent.refreshSoon();
        },
        standing: () => this.#recent.refreshSoon(),
      }),
    );
  }

  override willUpdate(changed: Map<string, unknown>): void {
    const before = changed.get('route') as Route | undefined;
    if (before && before.id !== this.route.id) {
      this.#placed.restart();
      this.#recent.restart();
    }
  }

  override updated(): void {
    document.title = `${this.route.id} · Worker · CloudAI`;
  }

  override render() {
    const { data, error, loading } = this.#telemetry;
    const { id } = this.route;
    const worker = data?.workers.find(({ worker_id }) => worker_id === id);
    return html`
      <div class="stack" @changed=${() => this.#telemetry.refresh()} @removed=${() => this.router.go('/cluster')}>
        <div class="stack tight">
          <a class="back" href="/cluster">← All workers</a>
          <div class="row spread">
            <div class="title">
              <h1 tabindex="-1">${id}</h1>
              ${worker ? html`<state-badge state=${worker.state}></state-badge>` : nothing}
            </div>
            ${worker ? html`<worker-actions .session=${this.session} .worker=${worker}></worker-actions>` : nothing}
          </div>
          ${worker ? this.#notice(worker) : nothing}
        </div>
        ${errorNotice(error ?? this.#placed.error ?? this.#recent.error, this.#refresh)}
        ${loading ? html`<div class="panel"><notice-box kind="loading"></notice-box></div>` : nothing}
        ${data && !worker ? html`<div class="panel"><notice-box kind="empty" heading="There is no worker of this name"><p>It may have been removed. <a href="/cluster">See all workers</a></p></notice-box></div>` : nothing}
        ${data && worker ? this.#worker(worker, data) : nothing}
      </div>
    `;
  }

  #notice(worker: WorkerBody) {
    if (worker.state === 'unhealthy') return this.#troubles(worker);
    const draining = drainWords(worker, Date.now());
    if (draining) return html`<p class="draining">${draining}</p>`;
    return worker.message ? html`<p class="message">${worker.message}</p>` : nothing;
  }

  #troubles({ troubles, message, maintenance }: WorkerBody) {
    const set = maintenance && maintenance !== 'none' ? ` It is ${maintenance} besides.` : '';
    const known = troubles ?? [];
    return html`
      <div class="message" role="status">
        <p>It gets no new tasks until this has passed; what runs here goes on.${set}</p>
        ${
          known.length === 0
            ? html`<p>${message}</p>`
            : html`<ul>${known.map(({ message: words, since }) => html`<li>${words}, since ${clock(since, Date.now())}</li>`)}</ul>`
        }
      </div>
    `;
  }

  #worker(worker: WorkerBody, telemetry: TelemetryReply) {
    const hasJoined = worker.state !== 'unreachable';
    return html`
      ${hasJoined ? this.#allocation(worker) : nothing}
      ${
        hasJoined
          ? html`<section class="panel" aria-label="Use over time"><history-plots .session=${this.session} .router=${this.router} .route=${this.route} .telemetry=${telemetry} worker=${worker.worker_id}></history-plots></section>`
          : nothing
      }
      ${this.#facts(worker)}
      ${hasJoined ? this.#recentTasks() : nothing}
    `;
  }

  #allocation(worker: WorkerBody) {
    const tasks = this.#placed.byWorker?.get(worker.worker_id) ?? NO_TASKS;
    const of: Measure = MEASURES.find((measure) => measure === this.route.query.get('of')) ?? 'cpu';
    return html`
      <section class="panel" aria-labelledby="held">
        <div class="head">
          <h2 id="held">Who holds what</h2>
          <div class="measures row tight" role="group" aria-label="The bar shows">
            ${MEASURES.map((one) => html`<button type="button" class="small quiet" aria-pressed=${one === of} @click=${() => this.#measure(one)}>${MEASURE_WORDS[one]}</button>`)}
          </div>
        </div>
        <allocation-bar large .worker=${worker} .tasks=${tasks} of=${of}></allocation-bar>
        <allocation-table .tasks=${tasks}></allocation-table>
        <worker-use class="uses" .worker=${worker}></worker-use>
      </section>
    `;
  }

  #facts(worker: WorkerBody) {
    const { fingerprint: found, address, registered_at, labels, capacity } = worker;
    const clock = clockOff(worker.clock_offset_ms);
    const network = found && taskNetworkWords(found);
    const mounts = mountWords(worker.mounts);
    const fact = (name: string, value: unknown) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
    return html`
      <section class="panel" aria-labelledby="facts">
        <h2 id="facts">The machine</h2>
        <dl class="facts">
          ${fact('Address', html`<code>${address}</code>`)}
          ${fact('Heartbeat', seenWords(worker))}
          ${clock === null ? nothing : fact('Clock', `${clock} of the cluster's, which is used`)}
          ${fact(found ? 'Joined' : 'Registered', html`<time-ago at=${registered_at}></time-ago>`)}
          ${
            found
              ? html`
                ${fact('System', `${found.os}, ${found.arch}`)}
                ${fact('Processor', `${found.cpu_model || 'unknown'}, ${found.cpu_cores} ${found.cpu_cores === 1 ? 'core' : 'cores'}`)}
                ${fact('Memory', `${megabytes(found.memory)}, ${megabytes(capacity.memory)} of it for tasks`)}
                ${fact('Disk', found.storage > 0 ? `${megabytes(found.storage)}, ${megabytes(capacity.storage)} of it for tasks` : 'not measured')}
                ${fact('GPUs', gpuWords(found.gpu_models, capacity.gpu))}
                ${fact('Runtime', `${found.runtime} ${found.runtime_version}`)}
                ${fact('CloudAI', found.version)}
                ${network === null ? nothing : fact('Network of tasks', network)}
              `
              : nothing
          }
          ${Object.keys(labels).length > 0 ? fact('Labels', labelChips(labels)) : nothing}
          ${mounts === null ? nothing : fact('Folders that tasks may mount', mounts)}
        </dl>
      </section>
    `;
  }

  #recentTasks() {
    const { data, loading } = this.#recent;
    const hasAll = this.session.seesAllTasks;
    return html`
      <section class="panel" aria-labelledby="recent">
        <h2 id="recent">Newest tasks here</h2>
        ${loading ? html`<notice-box kind="loading"></notice-box>` : nothing}
        ${data?.length === 0 ? html`<p class="soft">${hasAll ? 'No task has come here yet.' : 'None of your tasks has come here yet.'}</p>` : nothing}
        ${data && data.length > 0 ? html`<brief-tasks .tasks=${data} ?user=${hasAll}></brief-tasks>` : nothing}
      </section>
    `;
  }

  #measure(of: Measure): void {
    const query = { ...Object.fromEntries(this.route.query), of: of === 'cpu' ? null : of };
    this.router.go(addressOf(`/cluster/${this.route.id}`, query), { replace: true });
  }

  readonly #refresh = (): void => {
    this.#telemetry.refresh();
    this.#placed.refresh();
    this.#recent.refresh();
  };
}
