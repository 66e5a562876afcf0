// The machines of the cluster: state, what is held of each, when last heard of.

import { css, html, LitElement, nothing } from 'lit';
import { duration, megabytes, trim } from '../../../client/words.ts';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import { base, tables } from '../../styles/shared.ts';

export class WorkerTable extends LitElement {
  static override properties = { workers: { attribute: false } };
  declare workers: readonly WorkerBody[];

  static override styles = [
    base,
    tables,
    css`
      .name { font-weight: 600; }
      td.bar { width: 20%; }
      td { white-space: nowrap; }
      .why { max-width: 22rem; white-space: normal; overflow-wrap: anywhere; }
      @media (max-width: 44rem) { td.bar { width: auto; } }
    `,
  ];

  constructor() {
    super();
    this.workers = [];
  }

  override render() {
    const gpus = this.workers.some(({ capacity }) => capacity.gpu > 0);
    return html`
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader">Worker</th>
            <th role="columnheader">State</th>
            <th role="columnheader">Tasks</th>
            <th role="columnheader">Cores held</th>
            <th role="columnheader">Memory held</th>
            ${gpus ? html`<th role="columnheader">GPUs held</th>` : nothing}
            <th role="columnheader">CPU in use</th>
            <th role="columnheader">Last seen</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${this.workers.map((worker) => this.#row(worker, gpus))}
        </tbody>
      </table>
    `;
  }

  #row(
    { worker_id, state, message, address, capacity, reserved, usage, ...worker }: WorkerBody,
    gpus: boolean,
  ) {
    const seen = worker.heartbeat_age_seconds;
    const bar = (label: string, of: 'cpu' | 'memory' | 'gpu', words: (value: number) => string) =>
      capacity[of] === 0
        ? html`<td role="cell" class="bar soft" data-label=${label}>none</td>`
        : html`
      <td role="cell" class="bar" data-label=${label}>
        <usage-bar
          label="${label} on ${worker_id}" .held=${reserved[of]} .total=${capacity[of]}
          text="${words(reserved[of])} of ${words(capacity[of])}"
        ></usage-bar>
      </td>
    `;
    return html`
      <tr role="row">
        <td role="cell" data-label="Worker"><div><span class="name">${worker_id}</span><br /><span class="soft small">${address}</span></div></td>
        <td role="cell" data-label="State"><div><state-badge state=${state}></state-badge>${message === null ? nothing : html`<p class="soft small why">${message}</p>`}</div></td>
        <td role="cell" class="number" data-label="Tasks">${worker.tasks.assigned + worker.tasks.running}</td>
        ${bar('Cores held', 'cpu', (value) => trim(value, 2))}
        ${bar('Memory held', 'memory', megabytes)}
        ${gpus ? bar('GPUs held', 'gpu', String) : nothing}
        <td role="cell" class="number" data-label="CPU in use">${usage === null ? '–' : `${trim(usage.cpu_percent, 0)}%`}</td>
        <td role="cell" class="number" data-label="Last seen">${seen === null ? (state === 'unreachable' ? 'never' : 'not heard of') : `${duration(seen * 1000)} ago`}</td>
      </tr>
    `;
  }
}
