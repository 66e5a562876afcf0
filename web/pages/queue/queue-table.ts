// What waits, in order: who, what it needs, why, and when it should start.

import { css, html, LitElement, nothing } from 'lit';
import {
  ArrowRight,
  ArrowRightLeft,
  Ban,
  BookmarkCheck,
  FolderX,
  Gauge,
  Hourglass,
  type IconNode,
  ListOrdered,
  RotateCw,
  ServerOff,
  Tag,
  Unplug,
  Wrench,
} from 'lucide';
import { entryNeeds, expiresIn, REASON_WORDS, startBand, startsIn } from '../../../client/queue-words.ts';
import type { QueueEntryBody, QueueReason } from '../../../shared/contracts/queue.ts';
import { base, tables } from '../../styles/shared.ts';

const ICONS: Readonly<Record<QueueReason, IconNode>> = {
  next: ArrowRight,
  behind: ListOrdered,
  no_room: Hourglass,
  not_ready: Wrench,
  worker_missing: Unplug,
  never: Ban,
  retry_delay: RotateCw,
  no_workers: ServerOff,
  labels_missing: Tag,
  mounts_missing: FolderX,
  over_quota: Gauge,
  quota_used: Gauge,
  reserved: BookmarkCheck,
  preempting: ArrowRightLeft,
};
/** Nothing changes by waiting: somebody has to act. */
const STUCK: readonly QueueReason[] = [
  'never',
  'worker_missing',
  'not_ready',
  'no_workers',
  'labels_missing',
  'mounts_missing',
  'over_quota',
];

export class QueueTable extends LitElement {
  static override properties = {
    entries: { attribute: false },
    now: { attribute: false },
  };
  declare entries: readonly QueueEntryBody[];
  /** Estimates are told against it. */
  declare now: number;

  static override styles = [
    base,
    tables,
    css`
      table { table-layout: fixed; }
      .place { font-weight: 620; width: 3.25rem; }
      th.task { width: 17%; } th.user { width: 8%; } th.needs { width: 11%; } th.priority { width: 3.5rem; } th.since { width: 6rem; } th.start { width: 13%; }
      .task a { display: block; font-weight: 600; }
      .task .soft { display: block; }
      .reason { display: inline-flex; align-items: center; gap: var(--space-2); font-weight: 550; }
      .stuck { color: var(--bad); }
      .why p { margin-top: var(--space-1); }
      .once { white-space: nowrap; }
      .ends { display: block; white-space: normal; }
      .start .soft { display: block; }
      @media (max-width: 44rem) { .place { width: auto; } }
    `,
  ];

  constructor() {
    super();
    this.entries = [];
    this.now = 0;
  }

  override render() {
    return html`
      <table role="table" aria-label="What waits">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" class="right place">Place</th>
            <th role="columnheader" class="task">Task</th>
            <th role="columnheader" class="user">User</th>
            <th role="columnheader" class="needs">Needs</th>
            <th role="columnheader" class="right priority" title="Priority">Prio</th>
            <th role="columnheader" class="since">Since</th>
            <th role="columnheader">Why</th>
            <th role="columnheader" class="start">Should start</th>
          </tr>
        </thead>
        <tbody role="rowgroup">${this.entries.map((entry) => this.#row(entry))}</tbody>
      </table>
    `;
  }

  #row(entry: QueueEntryBody) {
    const { reason, estimate } = entry;
    const band = startBand(estimate, this.now);
    return html`
      <tr role="row">
        <td role="cell" class="number right place" data-label="Place">${entry.position}</td>
        <td role="cell" class="task" data-label="Task">
          <div>
            <a class="cut" href="/tasks/${entry.task_id}" title=${entry.task_id}>${entry.name || entry.task_id}</a>
            <span class="soft small cut" title=${entry.docker_image}>${entry.docker_image}${entry.tag === '' ? nothing : ` · ${entry.tag}`}</span>
          </div>
        </td>
        <td role="cell" class="user" data-label="User"><div class="cut" title=${entry.user}>${entry.user}</div></td>
        <td role="cell" class="needs" data-label="Needs"><div>${unbroken(entryNeeds(entry))}${entry.worker === '' ? nothing : html`<br /><span class="soft small">only on ${entry.worker}</span>`}</div></td>
        <td role="cell" class="number right" data-label="Priority">${entry.priority}</td>
        <td role="cell" class="once" data-label="Waits since"><time-ago at=${entry.queued_at}></time-ago>${entry.expires_at ? html`<span class="soft small ends" title=${new Date(entry.expires_at).toLocaleString()}>given up ${expiresIn(entry, this.now)}</span>` : nothing}</td>
        <td role="cell" class="why" data-label="Why">
          <div>
            <span class="reason ${STUCK.includes(reason) ? 'stuck' : ''}"><svg-icon .icon=${ICONS[reason]}></svg-icon>${REASON_WORDS[reason]}</span>
            <p class="soft small">${entry.summary}</p>
          </div>
        </td>
        <td role="cell" class="start" data-label="Should start">
          <div title=${estimate ? new Date(estimate.at).toLocaleString() : 'Not to be foreseen'}>
            <span class="once">${startsIn(estimate, this.now)}</span>${band === null ? nothing : html`<span class="soft small">${band}</span>`}
          </div>
        </td>
      </tr>
    `;
  }
}

/** Breaks between amounts, not between a number and its unit. */
function unbroken(amounts: string): string {
  return amounts
    .split(', ')
    .map((amount) => amount.replaceAll(' ', '\u00a0'))
    .join(', ');
}
