// Which tasks are shown and in which order: states as switches with their counts, fields, all of it in the address. Sends
// `change` with what is to be in the query; null and '' are left out.

import { css, html, LitElement, nothing } from 'lit';
import { TASK_STATES, type TaskState } from '../../../shared/model/task.ts';
import type { Session } from '../../data/session.ts';
import { TelemetryFeed } from '../../data/telemetry-feed.ts';
import { base, controls } from '../../styles/shared.ts';
import { many } from './bulk.ts';
import { FILTER_FIELDS, filterOf, isFiltered, orderOf, orderText, SORTS, type SortKey } from './task-view.ts';

export type QueryChange = Readonly<Record<string, string | null>>;

export class FilterEvent extends Event {
  readonly change: QueryChange;
  constructor(change: QueryChange) {
    super('filter');
    this.change = change;
  }
}

const WORDS: Readonly<Record<string, string>> = {
  q: 'Name, image or id',
  tag: 'Tag',
  worker: 'Worker',
  user: 'User',
};

export class TaskFilters extends LitElement {
  static override properties = {
    session: { attribute: false },
    query: { attribute: false },
    open: { state: true },
  };
  declare session: Session;
  declare query: URLSearchParams;
  /** On a phone the fields unfold, so that the list comes first. */
  declare open: boolean;
  #telemetry: TelemetryFeed | null = null;

  static override styles = [
    base,
    controls,
    css`
      form { display: grid; gap: var(--space-3); }
      .states { display: flex; flex-wrap: wrap; gap: var(--space-2); }
      .states button { border-radius: 1.25rem; border-color: var(--line); font-weight: 500; gap: var(--space-2); }
      .states .number { color: inherit; opacity: 0.85; }
      .fields { display: grid; gap: var(--space-3); grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); align-items: end; }
      .fields .wide { grid-column: span 2; }
      .sort { display: flex; gap: var(--space-2); }
      .unfold { display: none; }
      @media (max-width: 30rem) {
        .unfold { display: inline-flex; }
        .fields:not([data-open]) { display: none; }
        .fields { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: var(--space-2); }
      }
    `,
  ];

  constructor() {
    super();
    this.query = new URLSearchParams();
    this.open = false;
  }

  override connectedCallback(): void {
    // The counts are of everybody's tasks, so they are for those who see everybody's.
    if (this.#seesAll) this.#telemetry ??= new TelemetryFeed(this, () => this.session);
    super.connectedCallback();
  }

  get #seesAll(): boolean {
    return this.session.seesAllTasks;
  }

  override render() {
    const counts = this.#telemetry?.data?.tasks_by_state;
    const filter = filterOf(this.query);
    const order = orderOf(this.query);
    return html`
      <form role="search" aria-label="Tasks" @submit=${this.#fields} @change=${this.#fields}>
        <div class="states" role="group" aria-label="States">
          ${TASK_STATES.map((state) => {
            const isOn = filter.status?.includes(state) === true;
            return html`<button type="button" class="small" aria-pressed=${isOn} @click=${() => this.#toggle(state)}>${state}${counts ? html`<span class="number small">${many(counts[state])}</span>` : nothing}</button>`;
          })}
          ${isFiltered(filter) ? html`<button type="button" class="link small" @click=${this.#clear}>Clear the filter</button>` : nothing}
          <button type="button" class="unfold link small" aria-expanded=${this.open} aria-controls="fields" @click=${this.#unfold}>${this.open ? 'Hide the fields' : 'Search and order'}</button>
        </div>
        <div class="fields" id="fields" ?data-open=${this.open}>
          ${FILTER_FIELDS.filter((name) => name !== 'status' && (name !== 'user' || this.#seesAll)).map(
            (name) => html`
              <div class=${name === 'q' ? 'wide' : ''}>
                <label for=${name}>${WORDS[name]}</label>
                <input id=${name} name=${name} type="search" maxlength="128" autocomplete="off" autocapitalize="none" spellcheck="false" .value=${this.query.get(name) ?? ''} />
              </div>
            `,
          )}
          <div>
            <label for="sort">Order</label>
            <select id="sort" name="sort">
              ${Object.entries(SORTS).flatMap(([key, label]) =>
                [false, true].map((descending) => {
                  const value = orderText({ key: key as SortKey, descending }) ?? '';
                  const isNow = key === order.key && descending === order.descending;
                  return html`<option value=${value} ?selected=${isNow}>${orderWords(key as SortKey, label, descending)}</option>`;
                }),
              )}
            </select>
          </div>
        </div>
      </form>
    `;
  }

  #unfold(): void {
    this.open = !this.open;
  }

  #toggle(state: TaskState): void {
    const now = new Set(filterOf(this.query).status ?? []);
    if (!now.delete(state)) now.add(state);
    const states = TASK_STATES.filter((one) => now.has(one));
    this.#send({ status: states.length === TASK_STATES.length ? null : states.join(',') });
  }

  #fields(event: Event): void {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = [...new FormData(form)].map(([name, value]) => [name, String(value).trim()] as const);
    this.#send(Object.fromEntries(fields));
  }

  #clear(): void {
    this.#send(Object.fromEntries(FILTER_FIELDS.map((name) => [name, null])));
  }

  #send(change: QueryChange): void {
    this.dispatchEvent(new FilterEvent(change));
  }
}

function orderWords(key: SortKey, label: string, descending: boolean): string {
  if (key === 'submitted') return descending ? 'Newest first' : 'Oldest first';
  return `${label} ${direction(key, descending)}`;
}

function direction(key: SortKey, descending: boolean): string {
  if (key === 'finished') return descending ? '(newest first)' : '(oldest first)';
  if (key === 'priority') return descending ? '(high to low)' : '(low to high)';
  if (key === 'ran') return descending ? '(longest first)' : '(shortest first)';
  if (key === 'state') return descending ? '(ended first)' : '(waiting first)';
  return descending ? '(Z to A)' : '(A to Z)';
}
