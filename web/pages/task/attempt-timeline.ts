// The story of a task from its submission on, one entry per attempt, oldest first.

import { css, html, LitElement, nothing } from 'lit';
import { byteSize, duration, fileCount, megabytes, trim } from '../../../client/words.ts';
import type { AttemptBody, TaskBody } from '../../../shared/contracts/http.ts';
import { base } from '../../styles/shared.ts';

export class AttemptTimeline extends LitElement {
  static override properties = { task: { attribute: false } };
  declare task: TaskBody | null;

  static override styles = [
    base,
    css`
      li { position: relative; padding: 0 0 var(--space-4) var(--space-5); }
      li::before { content: ''; position: absolute; left: 0.2rem; top: 0.45rem; width: 0.6rem; height: 0.6rem; border-radius: 50%; background: var(--line-strong); }
      li::after { content: ''; position: absolute; left: 0.45rem; top: 1.2rem; bottom: -0.3rem; width: 2px; background: var(--line); }
      li:last-child { padding-bottom: 0; }
      li:last-child::after { content: none; }
      li.completed::before { background: var(--good); } li.failed::before, li.lost::before { background: var(--bad); }
      li.running::before, li.assigned::before { background: var(--running); }
      .why { overflow-wrap: anywhere; }
      .hint { margin-top: var(--space-1); padding: var(--space-2) var(--space-3); border-radius: var(--radius-small); background: var(--quiet-wash); font-size: var(--text-small); }
    `,
  ];

  constructor() {
    super();
    this.task = null;
  }

  override render() {
    const { task } = this;
    if (!task) return nothing;
    const waits = task.status === 'queued' && task.attempts.length > 0;
    return html`
      <ol>
        <li>Submitted ${time(task.submitted_at)} by ${task.user}</li>
        ${task.attempts.map((attempt) => entry(attempt))}
        ${waits ? html`<li>Waits for its next attempt${task.not_before ? html`, not before ${time(task.not_before)}` : nothing}</li>` : nothing}
        ${task.attempts.length === 0 && task.finished_at ? html`<li>Ended ${time(task.finished_at)} before it was given to a worker</li>` : nothing}
      </ol>
    `;
  }
}

function entry(body: AttemptBody) {
  const { attempt, state, worker_id, assigned_at, started_at, finished_at, message, outputs, hint } = body;
  const waited = started_at ? Date.parse(started_at) - Date.parse(assigned_at) : null;
  const end = finished_at ? Date.parse(finished_at) : Date.now();
  return html`
    <li class=${state}>
      <div class="row">
        <strong>Attempt ${attempt}</strong><state-badge state=${state}></state-badge><span>on ${worker_id}</span>
      </div>
      <p class="soft small">
        given to it ${time(assigned_at)}${waited === null ? nothing : `, started ${duration(waited)} later`}${
          started_at
            ? `, ${finished_at ? 'ran' : 'running for'} ${duration(end - Date.parse(started_at))}`
            : nothing
        }
      </p>
      ${message ? html`<p class="why small">${message}</p>` : nothing}
      ${measured(body)}
      ${outputs ? html`<p class="soft small">left ${fileCount(outputs.files)}, ${byteSize(outputs.bytes)}${outputs.note ? html`; <span class="why">${outputs.note}</span>` : nothing}</p>` : nothing}
      ${hint ? html`<p class="hint">${hint}</p>` : nothing}
    </li>
  `;
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
