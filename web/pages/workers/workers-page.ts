// The machines of the cluster: found, filtered and sorted as the address says, page by page, fresh with each push.

import { css, html, LitElement, nothing } from 'lit';
import { Plus } from 'lucide';
import type { TelemetryReply } from '../../../shared/contracts/workers.ts';
import { PlacedTasks } from '../../data/placed-tasks.ts';
import type { Router } from '../../data/router.ts';
import { addressOf, type Route } from '../../data/routes.ts';
import type { Session } from '../../data/session.ts';
import { TelemetryFeed } from '../../data/telemetry-feed.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls } from '../../styles/shared.ts';
import { MEASURE_WORDS, MEASURES } from './allocation.ts';
import { SORTS, WORKER_STATES, type WorkersQuery, workersQuery, workersView } from './workers-query.ts';

const NO_TASKS = new Map();

export class WorkersPage extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;
  readonly #telemetry = new TelemetryFeed(this, () => this.session);
  readonly #tasks = new PlacedTasks(this, () => this.session);

  static override styles = [
    base,
    controls,
    css`
      form { display: flex; flex-wrap: wrap; gap: var(--space-2) var(--space-3); align-items: end; margin-bottom: var(--space-3); }
      form > div { flex: 1 1 8rem; max-width: 11rem; min-width: 0; }
      form > .find { flex: 100 1 14rem; max-width: none; }
      .states { display: flex; flex-wrap: wrap; gap: var(--space-1); margin-bottom: var(--space-2); }
      .pages { display: flex; gap: var(--space-3); align-items: center; justify-content: center; padding-top: var(--space-4); }
    `,
  ];

  override render() {
    const { data, error, loading } = this.#telemetry;
    const mayRegister = this.session.may('worker.register');
    const isOpen = workersQuery(this.route.query).register;
    return html`
      <div class="stack" @changed=${this.#refresh} @removed=${this.#removed}>
        <div class="row spread">
          <h1 tabindex="-1">Workers</h1>
          ${mayRegister ? html`<button type="button" aria-expanded=${isOpen} @click=${() => this.#go({ register: !isOpen })}><svg-icon .icon=${Plus}></svg-icon>Register a machine</button>` : nothing}
        </div>
        ${errorNotice(error ?? this.#tasks.error, this.#refresh)}
        ${mayRegister && isOpen ? html`<register-machine class="panel" .session=${this.session} @registered=${this.#refresh}></register-machine>` : nothing}
        <section class="panel" aria-label="List of workers">
          ${loading ? html`<notice-box kind="loading"></notice-box>` : nothing}
          ${
            data?.workers.length === 0
              ? html`<notice-box kind="empty" heading="No machine has joined yet"><p>Start <code>npm run worker</code> on one${mayRegister ? ' and register it above' : ''}. Tasks wait until then.</p></notice-box>`
              : nothing
          }
          ${data && data.workers.length > 0 ? this.#list(data) : nothing}
        </section>
      </div>
    `;
  }

  #list({ workers, workers_by_state }: TelemetryReply) {
    const query = workersQuery(this.route.query);
    const view = workersView(workers, query);
    const states = WORKER_STATES.filter((state) => workers_by_state[state] > 0 || state === query.state);
    const pick = (state: string | null, label: string, number: number) => html`
      <button type="button" class="small quiet" aria-pressed=${query.state === state} @click=${() => this.#go({ state, page: null })}>${label} <span class="number">${number.toLocaleString('en')}</span></button>
    `;
    return html`
      <div class="states" role="group" aria-label="State">
        ${pick(null, 'All', workers.length)} ${states.map((state) => pick(state, state, workers_by_state[state]))}
      </div>
      <form role="search" @submit=${(event: Event) => event.preventDefault()}>
        <div class="find">
          <label for="q">Name, address or label</label>
          <input id="q" type="search" autocapitalize="none" spellcheck="false" .value=${query.q} @input=${(event: Event) => this.#go({ q: (event.target as HTMLInputElement).value.trim(), page: null })} />
        </div>
        <div>
          <label for="sort">Order</label>
          <select id="sort" @change=${(event: Event) => this.#go({ sort: (event.target as HTMLSelectElement).value, page: null })}>
            ${Object.entries(SORTS).map(([sort, words]) => html`<option value=${sort} ?selected=${query.sort === sort}>${words}</option>`)}
          </select>
        </div>
        <div>
          <label for="of">Bars show</label>
          <select id="of" @change=${(event: Event) => this.#go({ of: (event.target as HTMLSelectElement).value })}>
            ${MEASURES.map((of) => html`<option value=${of} ?selected=${query.of === of}>${MEASURE_WORDS[of]}</option>`)}
          </select>
        </div>
      </form>
      ${
        view.fitting === 0
          ? html`<notice-box kind="empty" heading="No worker fits"><p><a href="/cluster">Show all workers</a></p></notice-box>`
          : html`<worker-table .session=${this.session} .workers=${view.shown} .tasks=${this.#tasks.byWorker ?? NO_TASKS} of=${query.of}></worker-table>`
      }
      ${view.pages > 1 ? this.#pages(view.page, view.pages, view.fitting) : nothing}
    `;
  }

  #pages(page: number, pages: number, fitting: number) {
    return html`
      <nav class="pages" aria-label="Pages">
        <button type="button" class="small" ?disabled=${page === 1} @click=${() => this.#turn(page - 1)}>Previous</button>
        <span class="small number">Page ${page} of ${pages} · ${fitting.toLocaleString('en')} workers</span>
        <button type="button" class="small" ?disabled=${page === pages} @click=${() => this.#turn(page + 1)}>Next</button>
      </nav>
    `;
  }

  #turn(page: number): void {
    this.#go({ page });
    this.renderRoot.querySelector('section')?.scrollIntoView({ block: 'start' });
  }

  /** What is usual is not in the address. */
  #go(change: { readonly [Field in keyof WorkersQuery]?: string | number | boolean | null }): void {
    const next: Record<string, unknown> = { ...workersQuery(this.route.query), ...change };
    const usual: Record<string, unknown> = { ...workersQuery(new URLSearchParams()) };
    const query = Object.entries(next).filter(([name, value]) => value !== usual[name]);
    this.router.go(addressOf('/cluster', Object.fromEntries(query) as Record<string, string>), {
      replace: true,
    });
  }

  /** Its row goes, and the button that was pressed with it. */
  readonly #removed = (): void => {
    this.#refresh();
    this.renderRoot.querySelector('h1')?.focus();
  };

  readonly #refresh = (): void => {
    this.#telemetry.refresh();
    this.#tasks.refresh();
  };
}
