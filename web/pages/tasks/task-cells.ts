// The cells of one row of the long list. Draws only; the list hears what is clicked.

import { html, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import { RotateCcw, Square } from 'lucide';
import { age, duration } from '../../../client/words.ts';
import type { TaskSummaryBody } from '../../../shared/contracts/task-lists.ts';
import { isTerminal } from '../../../shared/model/task-states.ts';
import { ranMs } from './task-order.ts';

/** Made once: a formatter for each row would take longer than the row. */
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export type RowAction = 'cancel' | 'retry';

/** What can be done with it now: stop it, or run it again. */
function actionOf(row: TaskSummaryBody): RowAction | null {
  if (isTerminal(row.status)) return 'retry';
  return row.cancel_requested ? null : 'cancel';
}

function titleOf(row: TaskSummaryBody): string {
  return row.name || row.task_id;
}

export interface CellsOf {
  readonly row: TaskSummaryBody;
  readonly now: number;
  readonly withUser: boolean;
  readonly isSelected: boolean;
  readonly isActive: boolean;
  /** Whoever looks may. */
  readonly mayCancel: boolean;
  readonly mayRetry: boolean;
}

export function cells({ row, now, withUser, isSelected, isActive, mayCancel, mayRetry }: CellsOf) {
  const ran = ranMs(row, now);
  const action = actionOf(row);
  const isOffered = action === 'cancel' ? mayCancel : mayRetry;
  const title = titleOf(row);
  const stop = isActive ? '0' : '-1';
  return html`
    <div role="gridcell"><label class="pick"><input type="checkbox" tabindex="-1" data-do="pick" .checked=${live(isSelected)} aria-label="Select ${title}" /></label></div>
    <div role="gridcell" class="title">
      <a class=${row.name ? 'cut' : 'cut id'} href="/tasks/${row.task_id}" tabindex="-1" title=${title}>${title}</a>
      ${row.tag ? html`<span class="tag soft small cut" title="tag ${row.tag}">${row.tag}</span>` : nothing}
    </div>
    <div role="gridcell" class="state"><state-badge state=${row.status}></state-badge>${why(row)}</div>
    <div role="gridcell" class="image cut soft" title=${row.docker_image}>${row.docker_image}</div>
    ${withUser ? html`<div role="gridcell" class="user cut" title=${row.user}>${row.user}</div>` : nothing}
    <div role="gridcell" class="worker cut" title=${row.worker_id ?? ''}>${row.worker_id ?? html`<span class="soft">–</span>`}</div>
    <div role="gridcell" class="priority number right">${row.priority}</div>
    <div role="gridcell" class="ran number right cut">${ran === null ? html`<span class="soft">–</span>` : duration(ran)}</div>
    <div role="gridcell" class="when number right soft small cut" title=${EXACT.format(new Date(row.submitted_at))}>${age(row.submitted_at, now)} ago</div>
    <div role="gridcell" class="actions">
      ${
        action === null || !isOffered
          ? nothing
          : html`<button class="quiet icon small" tabindex=${stop} data-do=${action} title=${action === 'cancel' ? 'Cancel' : 'Run again'} aria-label="${action === 'cancel' ? 'Cancel' : 'Run again'} ${title}">
              <svg-icon .icon=${action === 'cancel' ? Square : RotateCcw}></svg-icon>
            </button>`
      }
    </div>
  `;
}

function why({ status, reason, exit_code, cancel_requested }: TaskSummaryBody) {
  if (cancel_requested && !isTerminal(status)) return html`<span class="why soft small cut">stopping</span>`;
  if (status !== 'failed' || reason === null) return nothing;
  const words = reason === 'exit_code' ? `exit ${exit_code}` : reason.replaceAll('_', ' ');
  return html`<span class="why soft small cut" title=${words}>${words}</span>`;
}
