// The machines of the cluster: state, who holds what of each, measured use, when last heard of.

import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { duration } from '../../../client/words.ts';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import type { PlacedTask } from '../../data/placed-tasks.ts';
import type { Session } from '../../data/session.ts';
import { base, controls, tables } from '../../styles/shared.ts';
import { MEASURE_WORDS, type Measure } from './allocation.ts';
import { drainWords } from './draining.ts';

const NO_TASKS: readonly PlacedTask[] = [];
const FRESH_S = 10;

export class WorkerTable extends LitElement {
  static override properties = {
    session: { attribute: false },
    workers: { attribute: false },
    tasks: { attribute: false },
    of: {},
  };
  declare session: Session;
  declare workers: readonly WorkerBody[];
  /** By worker. */
  declare tasks: ReadonlyMap<string, readonly PlacedTask[]>;
  declare of: Measure;

  static override styles = [
    base,
    controls,
    tables,
    css`
      table { table-layout: fixed; }
      td { vertical-align: top; padding-top: var(--space-3); padding-bottom: var(--space-3); }
      th.worker { width: 24%; } th.use { width: 23%; } th.seen { width: 6.5rem; } th.acts { width: 7rem; }
      .name { font-weight: 600; overflow-wrap: anywhere; display: inline-block; min-height: 1.5rem; }
      .address { display: block; }
      .labels { display: flex; flex-wrap: wrap; gap: var(--space-1); margin-top: var(--space-1); }
      .chip { overflow-wrap: anywhere; }
      .why { overflow-wrap: anywhere; margin-top: var(--space-1); }
      @media (max-width: 44rem) {
        table { table-layout: auto; }
        td { padding: 0.25rem 0; align-items: start; }
        td.worker, td.held { grid-template-columns: minmax(0, 1fr); }
        td.worker::before, td.held::before { content: none; }
      }
    `,
  ];

  constructor() {
    super();
    this.workers = [];
    this.tasks = new Map();
    this.of = 'cpu';
  }

  override render() {
    const isMaintained = this.session.may('worker.cordon');
    const held = `${MEASURE_WORDS[this.of]} held`;
    return html`
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" class="worker">Worker</th>
            <th role="columnheader">${held}, by task</th>
            <th role="columnheader" class="use">In use</th>
            <th role="columnheader" class="seen">Tasks</th>
            ${isMaintained ? html`<th role="columnheader" class="acts"><span class="unseen">Maintenance</span></th>` : nothing}
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${repeat(
            this.workers,
            ({ worker_id }) => worker_id,
            (worker) => this.#row(worker, held, isMaintained),
          )}
        </tbody>
      </table>
    `;
  }

  #row(worker: WorkerBody, held: string, isMaintained: boolean) {
    const { worker_id, state, message, address, labels, tasks } = worker;
    const number = tasks.assigned + tasks.running;
    const notice = drainWords(worker, Date.now()) || message;
    return html`
      <tr role="row">
        <td role="cell" class="worker" data-label="Worker">
          <div>
            <a class="name" href="/cluster/${worker_id}">${worker_id}</a> <state-badge state=${state}></state-badge>
            <span class="address soft small cut" title=${address}>${address}</span>
            ${notice ? html`<p class="soft small why">${notice}</p>` : nothing}
            ${labelChips(labels)}
          </div>
        </td>
        <td role="cell" class="held" data-label=${held}>
          ${
            state === 'unreachable'
              ? html`<span class="soft small">has not joined yet</span>`
              : html`<allocation-bar .worker=${worker} .tasks=${this.tasks.get(worker_id) ?? NO_TASKS} of=${this.of}></allocation-bar>`
          }
        </td>
        <td role="cell" data-label="In use"><worker-use .worker=${worker}></worker-use></td>
        <td role="cell" class="number" data-label="Tasks">
          <div>${number}<p class="soft small">${seenWords(worker)}</p></div>
        </td>
        ${isMaintained ? html`<td role="cell" data-label="Maintain"><worker-actions icons .session=${this.session} .worker=${worker}></worker-actions></td>` : nothing}
      </tr>
    `;
  }
}

export function labelChips(labels: Readonly<Record<string, string>>) {
  const pairs = Object.entries(labels);
  if (pairs.length === 0) return nothing;
  return html`<ul class="labels" aria-label="Labels">${pairs.map(([name, value]) => html`<li class="chip">${name}=${value}</li>`)}</ul>`;
}

export function seenWords({ heartbeat_age_seconds, state }: WorkerBody): string {
  if (heartbeat_age_seconds !== null) {
    // Heartbeats come every few seconds: less than that is no news.
    const seconds = Math.floor(heartbeat_age_seconds);
    return seconds < FRESH_S ? 'seen now' : `seen ${duration(seconds * 1000)} ago`;
  }
  if (state === 'unreachable') return 'never seen';
  return state === 'down' ? 'not heard of' : 'heartbeat unknown';
}
