// What a worker's machine uses and holds beside cores and memory of tasks, as small bars.

import { css, html, LitElement, nothing } from 'lit';
import { megabytes, trim } from '../../../client/words.ts';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import { base } from '../../styles/shared.ts';

export class WorkerUse extends LitElement {
  static override properties = { worker: { attribute: false } };
  declare worker: WorkerBody | null;

  static override styles = [
    base,
    css`
      dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: var(--space-1) var(--space-3); }
      dt { font-size: 0.75rem; color: var(--ink-soft); line-height: 1.3; }
    `,
  ];

  constructor() {
    super();
    this.worker = null;
  }

  override render() {
    const { worker } = this;
    if (!worker) return nothing;
    const { worker_id, usage, fingerprint, capacity, reserved } = worker;
    const bar = (label: string, held: number, total: number, text: string) => html`
      <div>
        <dt>${label}</dt>
        <dd><usage-bar label="${label} on ${worker_id}" .held=${held} .total=${total} text=${text}></usage-bar></dd>
      </div>
    `;
    if (!usage && capacity.gpu === 0) return html`<span class="soft small">not measured</span>`;
    return html`
      <dl>
        ${usage ? bar('CPU used', usage.cpu_percent, 100, `${trim(usage.cpu_percent, 0)}%`) : nothing}
        ${usage && fingerprint ? bar('Memory used', usage.memory_used, fingerprint.memory, `${megabytes(usage.memory_used)} of ${megabytes(fingerprint.memory)}`) : nothing}
        ${capacity.gpu > 0 ? bar('GPUs held', reserved.gpu, capacity.gpu, `${reserved.gpu} of ${capacity.gpu}`) : nothing}
        ${usage?.gpus.map(({ id, utilization_percent }) => bar(`GPU ${id} used`, utilization_percent, 100, `${trim(utilization_percent, 0)}%`))}
        ${usage && fingerprint && fingerprint.storage > 0 ? bar('Disk used', usage.storage_used, fingerprint.storage, `${megabytes(usage.storage_used)} of ${megabytes(fingerprint.storage)}`) : nothing}
        ${reserved.storage > 0 ? bar('Storage held', reserved.storage, capacity.storage, `${megabytes(reserved.storage)} of ${megabytes(capacity.storage)}`) : nothing}
      </dl>
    `;
  }
}
