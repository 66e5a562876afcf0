// The looks of a file's preview, and its table. No state.

import { css, html, nothing } from 'lit';
import type { DelimitedTable } from '../data/delimited-table.ts';

export const previewStyles = css`
  .head { min-height: 2.25rem; margin-bottom: var(--space-2); }
  .facts { min-width: 0; overflow-wrap: anywhere; }
  pre, .cells, .picture { border: 1px solid var(--line); border-radius: var(--radius-small); background: var(--sunken); max-height: min(65vh, 40rem); overflow: auto; overscroll-behavior: contain; margin: 0; }
  pre { font: 0.8125rem/1.5 var(--mono); padding: var(--space-3); white-space: pre; tab-size: 4; }
  pre.wrapped { white-space: pre-wrap; overflow-wrap: anywhere; }
  table { border-collapse: collapse; font-size: var(--text-small); min-width: 100%; background: var(--surface); }
  th, td { text-align: left; vertical-align: top; padding: 0.3rem var(--space-3); border-bottom: 1px solid var(--line); max-width: 24rem; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
  thead th { position: sticky; top: 0; background: var(--raised); font-weight: 600; white-space: nowrap; }
  .line { color: var(--ink-soft); text-align: right; font-weight: 400; width: 1%; }
  .picture { display: grid; place-items: center; padding: var(--space-3); min-height: 8rem; }
  img { max-width: 100%; max-height: min(60vh, 38rem); object-fit: contain; }
  .rest { margin-top: var(--space-2); }
`;

export function cellTable({ head, rows, moreColumns, hasMoreRows }: DelimitedTable, name: string) {
  const notes = [
    hasMoreRows ? `the first ${rows.length.toLocaleString()} rows` : '',
    moreColumns > 0 ? `${moreColumns.toLocaleString()} more columns are left out` : '',
  ].filter(Boolean);
  return html`
    <div class="cells" tabindex="0" role="region" aria-label="Table of ${name}">
      <table>
        <thead><tr><th class="line" scope="col"><span class="unseen">Row</span></th>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
        <tbody>${rows.map((row, index) => html`<tr><th class="line" scope="row">${index + 1}</th>${head.length >= row.length ? head.map((_, column) => html`<td>${row[column] ?? ''}</td>`) : row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
      </table>
    </div>
    ${notes.length > 0 ? html`<p class="soft small rest">Shown: ${notes.join('; ')}.</p>` : nothing}
  `;
}
