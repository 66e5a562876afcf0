// The story of a task from its submission on: a picture to scale, then an entry for each attempt, oldest first.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { byteSize, duration, fileCount, megabytes, trim } from '../../../client/words.ts';
import type { AttemptBody, TaskBody } from '../../../shared/contracts/http.ts';
import { isTerminal } from '../../../shared/model/task-states.ts';
import { Ticker } from '../../data/ticker.ts';
import { base, controls } from '../../styles/shared.ts';
import { type AttemptSpans, type SpanKind, taskSpans } from './attempt-spans.ts';
import { deviceWords, evictionWords, reasonWords } from './outcome-words.ts';

/** With more attempts than this the middle of the story is folded. */
const FOLD_ABOVE = 6;

export class AttemptTimeline extends LitElement {
  static override properties = { task: { attribute: false }, unfolded: { state: true } };
  declare task: TaskBody | null;
  declare unfolded: boolean;

  static override styles = [
    base,
    controls,
    css`
      attempt-picture { margin-bottom: var(--space-4); }
      li { position: relative; padding: 0 0 var(--space-4) var(--space-5); }
      li::before { content: ''; position: absolute; left: 0.2rem; top: 0.45rem; width: 0.6rem; height: 0.6rem; border-radius: 50%; background: var(--line-strong); }
      li::after { content: ''; position: absolute; left: 0.45rem; top: 1.2rem; bottom: -0.3rem; width: 2px; background: var(--line); }
      li:last-child { padding-bottom: 0; }
      li:last-child::after { content: none; }
      li.completed::before { background: var(--good); } li.failed::before, li.lost::before { background: var(--bad); }
      li.evicted::before { background: var(--queued); }
      li.running::before, li.assigned::before { background: var(--running); }
      li.fold::before { content: none; }
      .row { gap: var(--space-1) var(--space-2); }
      .why, .devices { overflow-wrap: anywhere; }
      .left { color: var(--queued); font-weight: 550; }
      .hint { margin-top: var(--space-1); padding: var(--space-2) var(--space-3); border-radius: var(--radius-small); background: var(--quiet-wash); color: var(--ink); }
    `,
  ];

  constructor() {
    super();
    this.task = null;
    this.unfolded = false;
    new Ticker(this);
  }

  override shouldUpdate(changed: Map<string, unknown>): boolean {
    return changed.size > 0 || !this.hasUpdated || (this.task !== null && !isTerminal(this.task.status));
  }

  override render() {
    const { task } = this;
    if (!task) return nothing;
    const rows = taskSpans(task, Date.now()).rows;
    const isFolded = rows.length > FOLD_ABOVE && !this.unfolded;
    const [first, ...rest] = rows;
    const shown = isFolded ? rest.slice(2 - FOLD_ABOVE) : rest;
    return html`
      <attempt-picture .task=${task}></attempt-picture>
      <ol>
        <li>Submitted ${time(task.submitted_at)} by ${task.user}</li>
        ${first ? this.#entry(task, first) : nothing}
        ${isFolded ? html`<li class="fold"><button class="link" @click=${this.#unfold}>${rest.length - shown.length} more attempts</button></li>` : nothing}
        ${shown.map((row) => this.#entry(task, row))}
      </ol>
    `;
  }

  #entry(task: TaskBody, row: AttemptSpans) {
    return row.body ? attemptEntry(row.body, row) : waiting(task, row);
  }

  #unfold(): void {
    this.unfolded = true;
  }
}

function attemptEntry(body: AttemptBody, row: AttemptSpans) {
  const { attempt, state, worker_id, assigned_at, finished_at, reason, outputs, hint } = body;
  const evicted = evictionWords(body);
  const message = body.message ?? body.eviction?.message;
  const devices = deviceWords(body.gpu_ids);
  return html`
    <li class=${state}>
      <div class="row">
        <strong>Attempt ${attempt}</strong><state-badge state=${state}></state-badge><span>on <a href="/cluster/${encodeURIComponent(worker_id)}">${worker_id}</a></span>${devices ? html`<span class="devices">with ${devices}</span>` : nothing}
      </div>
      <p class="soft small number">Given to it ${time(assigned_at)}; ${spanWords(row)}${finished_at ? html`; ended ${time(finished_at)}` : nothing}</p>
      ${evicted ? html`<p class="left small">${evicted}</p>` : nothing}
      ${message || reason ? html`<p class="why small">${message ?? (reason ? reasonWords(reason) : '')}</p>` : nothing}
      ${measured(body)}
      ${outputs ? html`<p class="soft small">left ${fileCount(outputs.files)}, ${byteSize(outputs.bytes)}${outputs.note ? html`; <span class="why">${outputs.note}</span>` : nothing}</p>` : nothing}
      ${hint ? html`<p class="hint small">${hint}</p>` : nothing}
    </li>
  `;
}

function waiting(
  { attempts, not_before, expires_at, status, finished_at }: TaskBody,
  row: AttemptSpans,
): TemplateResult {
  if (status !== 'queued') {
    return html`<li>Ended ${finished_at ? time(finished_at) : nothing} before it was given to a worker; ${spanWords(row)}</li>`;
  }
  const what = attempts.length === 0 ? 'Waits for a worker' : `Waits for attempt ${row.attempt}`;
  const isLater = not_before !== null && Date.parse(not_before) > Date.now();
  return html`<li>${what}${isLater ? html`, not before ${time(not_before)}` : nothing}${expires_at ? html`, given up ${time(expires_at)}` : nothing} <p class="soft small number">${spanWords(row)}</p></li>`;
}

const DONE: Readonly<Record<SpanKind, string>> = { waited: 'waited', prepared: 'prepared', ran: 'ran' };
const OPEN: Readonly<Record<SpanKind, string>> = {
  waited: 'waiting for',
  prepared: 'preparing for',
  ran: 'running for',
};

function spanWords({ spans }: AttemptSpans): string {
  return spans
    .map(({ kind, from, to, isOpen }) => `${isOpen ? OPEN[kind] : DONE[kind]} ${duration(to - from)}`)
    .join(', ');
}

function measured({ usage }: AttemptBody) {
  if (!usage) return nothing;
  const cpu = `${trim(usage.cpu_mean, 2)} cores on average, ${trim(usage.cpu_peak, 2)} at most`;
  return html`<p class="soft small">used ${cpu}; ${megabytes(usage.memory_peak)} of memory at most</p>`;
}

function time(iso: string) {
  const date = new Date(iso);
  const today = date.toDateString() === new Date().toDateString();
  return html`<time datetime=${iso} title=${date.toLocaleString()}>${today ? date.toLocaleTimeString() : date.toLocaleString()}</time>`;
}
