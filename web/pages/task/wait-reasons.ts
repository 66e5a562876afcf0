// Why a task waits: the reason in words, its place, and for each worker what is needed against what is free. Asks again
// when something moved in the cluster, not by the clock.

import { css, html, LitElement, nothing } from 'lit';
import { Check, X } from 'lucide';
import { ApiError } from '../../../client/client.ts';
import { megabytes, trim } from '../../../client/words.ts';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import type { ExplainReply } from '../../../shared/contracts/workers.ts';
import { LiveSubscription } from '../../data/live-subscription.ts';
import { Poll } from '../../data/poll.ts';
import type { Session } from '../../data/session.ts';
import { TelemetryFeed } from '../../data/telemetry-feed.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls, tables } from '../../styles/shared.ts';
import { startWords } from './outcome-words.ts';
import { type Dimension, type Hope, type NeedCell, roomOf, type WaitRow, waitRows } from './wait-rows.ts';

const NAMES: Readonly<Record<Dimension, string>> = {
  cpu: 'Cores',
  memory: 'Memory',
  gpu: 'GPUs',
  storage: 'Disk',
};
const EXCLUDED: Readonly<Record<NonNullable<WaitRow['excludedBy']>, string>> = {
  down: 'is down',
  cordoned: 'is cordoned',
  draining: 'is draining',
  unhealthy: 'is unhealthy',
  other_worker_requested: 'not the worker that was asked for',
  labels: 'does not have the labels it needs',
  mounts: 'does not let be mounted what it mounts',
  reserved: 'is kept free for other tasks',
};
const HOPES: Readonly<Record<Hope, string>> = {
  fits: 'has room now',
  busy: 'is busy with other tasks',
  closed: 'takes no new tasks',
  small: 'is too small',
};
const SHOWN = 20;
/** In a busy cluster something moves all the time. */
const ASK_EVERY_MS = 2_000;

export class WaitReasons extends LitElement {
  static override properties = {
    session: { attribute: false },
    task: { attribute: false },
    find: { state: true },
    isWhole: { state: true },
  };
  declare session: Session;
  declare task: TaskBody;
  declare find: string;
  declare isWhole: boolean;
  #room = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #explain = new Poll<ExplainReply>(this, {
    load: (signal) => this.session.client.explainTask(this.task.task_id, { signal }),
    pushedBy: () => this.session,
    everyMs: 5_000,
  });
  readonly #cluster = new TelemetryFeed(
    this,
    () => this.session,
    ({ workers, queue_depth }) => {
      const room = `${queue_depth}\n${roomOf(workers)}`;
      if (room !== this.#room && this.#room !== '') this.#askSoon();
      this.#room = room;
    },
  );

  static override styles = [
    base,
    controls,
    tables,
    css`
      .panel { border-left: 4px solid var(--queued); }
      .summary { font-size: var(--text-large); overflow-wrap: anywhere; }
      .quota { display: grid; gap: var(--space-2); margin-top: var(--space-3); max-width: 26rem; }
      .place { margin-top: var(--space-1); }
      .place a { text-decoration: underline; }
      table { margin-top: var(--space-3); }
      td { padding-block: 0.35rem; }
      .find { max-width: 18rem; margin-top: var(--space-3); }
      .enough { color: var(--good); } .short { color: var(--bad); }
      .cell { white-space: nowrap; font-variant-numeric: tabular-nums; }
      svg.bar { display: block; width: 100%; max-width: 9rem; height: 0.3rem; margin-top: 0.1rem; background: var(--sunken); border-radius: 1rem; }
      svg.bar rect { fill: var(--good); } svg.bar rect.short { fill: var(--bad); }
      .more { margin-top: var(--space-2); }
    `,
  ];

  constructor() {
    super();
    this.find = '';
    this.isWhole = false;
    new LiveSubscription(this, () => this.session.live.subscribe('tasks', { task: () => this.#askSoon() }));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  override willUpdate(changed: Map<string, unknown>): void {
    const before = changed.get('task') as TaskBody | undefined;
    if (before && before.task_id !== this.task.task_id) this.#explain.restart();
    // A retry waits in another way than a first start.
    else if (before && before.attempt !== this.task.attempt) this.#askSoon();
  }

  override render() {
    const { data, error, loading } = this.#explain;
    // It may have gone since: the page shows that by itself.
    const told = error instanceof ApiError && error.status === 404 ? null : error;
    return html`
      <section class="panel" aria-labelledby="why">
        <h2 id="why">Why it waits</h2>
        ${loading ? html`<notice-box kind="loading"></notice-box>` : nothing} ${errorNotice(told, () => this.#explain.refresh())}
        ${data ? this.#reasons(data) : nothing}
      </section>
    `;
  }

  #reasons(reply: ExplainReply) {
    const { summary, position, workers } = reply;
    // A copy of the API that is older than this page sends none.
    const estimate = reply.estimate ?? null;
    const place = position === null ? '' : `Place in the queue: ${position.toLocaleString()}`;
    const start = estimate === null ? '' : startWords(estimate, Date.now());
    return html`
      <p class="summary">${summary}</p>
${place === '' ? nothing : html`<p class="soft place number">${[start, place].filter(Boolean).join(' · ')} · <a href="/queue">see the queue</a></p>`}
      ${quotaOf(reply.quota)}
      ${workers.length === 0 ? nothing : this.#table(reply)}
    `;
  }

  #table(reply: ExplainReply) {
    const { task } = this;
    const need = {
      cpu: task.cpu_required,
      memory: task.memory_required,
      gpu: task.gpu_required,
      storage: task.storage_required,
    };
    const rows = waitRows(reply, need, this.#cluster.data?.workers ?? []);
    const wanted = this.find.trim().toLowerCase();
    const found =
      wanted === '' ? rows : rows.filter(({ workerId }) => workerId.toLowerCase().includes(wanted));
    const shown = this.isWhole ? found : found.slice(0, SHOWN);
    const cells = rows[0]?.cells ?? [];
    return html`
      ${rows.length > SHOWN ? html`<input class="find" type="search" aria-label="Find workers" placeholder="Find among ${rows.length.toLocaleString()} workers" .value=${this.find} @input=${this.#search} />` : nothing}
      <table>
        <thead>
          <tr>
            <th scope="col">Worker</th>
            ${cells.map(({ dimension, need: wants }) => html`<th scope="col">${NAMES[dimension]}: needs ${sizeOf(dimension, wants)}</th>`)}
            <th scope="col">Now</th>
          </tr>
        </thead>
        <tbody>${shown.map((row) => rowOf(row, reply.reserved_worker))}</tbody>
      </table>
      ${found.length === 0 ? html`<p class="soft small">No worker is called so.</p>` : nothing}
      ${found.length > shown.length ? html`<p class="more"><button class="small" @click=${this.#showAll}>Show all ${found.length.toLocaleString()} workers</button></p>` : nothing}
    `;
  }

  #askSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#explain.refresh();
    }, ASK_EVERY_MS);
  }

  #search(event: Event): void {
    this.find = (event.target as HTMLInputElement).value;
  }

  #showAll(): void {
    this.isWhole = true;
  }
}

function stateWords(
  { workerId, hope, excludedBy, trouble, unmet, unmountable }: WaitRow,
  reserved: string | null,
): string {
  if (workerId === reserved) return 'is kept free for it';
  const small = excludedBy && hope === 'small' ? ', and is too small' : '';
  if (excludedBy === 'labels' && unmet.length > 0) return `has ${unmet.join(', ')}${small}`;
  if (excludedBy === 'mounts' && unmountable.length > 0) return `${unmountable.join(', ')}${small}`;
  const why = excludedBy === 'unhealthy' && trouble !== null ? `: ${trouble}` : '';
  return `${excludedBy ? EXCLUDED[excludedBy] : HOPES[hope]}${why}${small}`;
}

/** What its owner may hold, where that is short of it. */
function quotaOf(shares: ExplainReply['quota']) {
  const short = shares.filter(({ missing }) => missing > 0);
  if (short.length === 0) return nothing;
  return html`
    <ul class="quota">
      ${short.map(({ dimension, held, limit, required }) => {
        const words = `${NAMES[dimension]}: ${sizeOf(dimension, held)} of ${sizeOf(dimension, limit)} held, it needs ${sizeOf(dimension, required)}`;
        return html`<li><usage-bar label="Quota of ${NAMES[dimension].toLowerCase()}" .held=${held} .total=${limit} text=${words}></usage-bar></li>`;
      })}
    </ul>
  `;
}

function rowOf(row: WaitRow, reserved: string | null) {
  const { workerId, cells } = row;
  return html`
    <tr>
      <td data-label="Worker"><a href="/cluster/${encodeURIComponent(workerId)}">${workerId}</a></td>
      ${cells.map((cell) => html`<td data-label=${NAMES[cell.dimension]}>${cellOf(cell)}</td>`)}
      <td data-label="Now" class="soft small">${stateWords(row, reserved)}</td>
    </tr>
  `;
}

function cellOf({ dimension, need, free, isEnough }: NeedCell) {
  const tone = isEnough ? 'enough' : 'short';
  const share = free === null ? 100 : Math.min(100, (free / need) * 100);
  return html`
    <div>
      <span class="cell"><svg-icon class=${tone} .icon=${isEnough ? Check : X}></svg-icon> ${free === null ? 'enough' : `${sizeOf(dimension, free)} free`}<span class="unseen">, ${isEnough ? 'enough' : `too little: needs ${sizeOf(dimension, need)}`}</span></span>
      <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect class=${tone} width=${share} height="6"></rect></svg>
    </div>
  `;
}

function sizeOf(dimension: Dimension, value: number): string {
  return dimension === 'memory' || dimension === 'storage'
    ? megabytes(value)
    : Number(trim(value, 2)).toLocaleString();
}
