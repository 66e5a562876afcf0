// Entries of the audit log in a table. What was done to a task, a worker or a user leads there.

import { css, html, LitElement, nothing } from 'lit';
import type { AuditEntryBody } from '../../../shared/contracts/audit.ts';
import { addressOf } from '../../data/routes.ts';
import { base, controls, tables } from '../../styles/shared.ts';

export class AuditTable extends LitElement {
  static override properties = { entries: { attribute: false } };
  declare entries: readonly AuditEntryBody[];

  static override styles = [
    base,
    controls,
    tables,
    css`
      .done { color: var(--good); }
      .denied, .failed { color: var(--bad); }
      code { overflow-wrap: anywhere; }
      @media (min-width: 44.01rem) { td.word, td.word code { white-space: nowrap; overflow-wrap: normal; } }
    `,
  ];

  override render() {
    return html`
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader">When</th><th role="columnheader">By</th><th role="columnheader">Action</th>
            <th role="columnheader">To</th><th role="columnheader">Outcome</th><th role="columnheader">Details</th>
          </tr>
        </thead>
        <tbody role="rowgroup">${this.entries.map((entry) => this.#row(entry))}</tbody>
      </table>
    `;
  }

  #row(entry: AuditEntryBody) {
    const { at, actor, address, action, outcome, code, request_id } = entry;
    const details = detailsOf(entry);
    return html`
      <tr role="row">
        <td role="cell" data-label="When"><time-ago at=${at}></time-ago></td>
        <td role="cell" data-label="By"><div>${actor ? actor.username : html`<span class="soft">nobody known</span>`}${actor?.token ? html` <span class="soft small">token ${actor.token.name}</span>` : nothing}${address ? html` <span class="soft small">${address}</span>` : nothing}</div></td>
        <td role="cell" class="word" data-label="Action"><div><code title=${request_id ?? ''}>${action}</code></div></td>
        <td role="cell" data-label="To"><div>${this.#target(entry)}</div></td>
        <td role="cell" class="word" data-label="Outcome"><div><span class="small ${outcome}">${outcome}${code ? `: ${code}` : ''}</span></div></td>
        <td role="cell" class=${details === '' ? 'empty' : ''} data-label="Details"><div class="small">${details}</div></td>
      </tr>
    `;
  }

  #target({ action, target }: AuditEntryBody) {
    if (target === null) return nothing;
    const kind = action.split('.', 1)[0];
    const href = target.startsWith('task-')
      ? `/tasks/${target}`
      : kind === 'worker'
        ? `/cluster/${encodeURIComponent(target)}`
        : kind === 'user'
          ? addressOf('/admin', { edit: target })
          : null;
    return href === null ? html`<code>${target}</code>` : html`<a href=${href}><code>${target}</code></a>`;
  }
}

function detailsOf({ details }: AuditEntryBody): string {
  return Object.entries(details)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
