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
      ul { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 11rem), 1fr)); gap: 0.15rem var(--space-4); }
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
      <li><usage-bar label="${label} on ${worker_id}" .held=${held} .total=${total} text="${label} ${text}"></usage-bar></li>
    `;
    if (!usage && capacity.gpu === 0) return html`<span class="soft small">not measured</span>`;
    return html`
      <ul>
        ${usage ? bar('CPU', usage.cpu_percent, 100, `${trim(usage.cpu_percent, 0)}%`) : nothing}
        ${usage && fingerprint ? bar('Memory', usage.memory_used, fingerprint.memory, `${megabytes(usage.memory_used)} of ${megabytes(fingerprint.memory)}`) : nothing}
        ${capacity.gpu > 0 ? bar('GPUs held', reserved.gpu, capacity.gpu, `${reserved.gpu} of ${capacity.gpu}`) : nothing}
        ${usage?.gpus.map(({ id, utilization_percent }) => bar(`GPU ${id}`, utilization_percent, 100, `${trim(utilization_percent, 0)}%`))}
        ${usage && fingerprint && fingerprint.storage > 0 ? bar('Disk', usage.storage_used, fingerprint.storage, `${megabytes(usage.storage_used)} of ${megabytes(fingerprint.storage)}`) : nothing}
        ${reserved.storage > 0 ? bar('Storage held', reserved.storage, capacity.storage, `${megabytes(reserved.storage)} of ${megabytes(capacity.storage)}`) : nothing}
      </ul>
    `;
  }
}
