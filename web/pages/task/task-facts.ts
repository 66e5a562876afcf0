// The facts of a task in a strip: where it is, since when, how it ended, how it does against its deadline. Ticks.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { CircleCheck, CircleX, Clock, type IconNode, TriangleAlert } from 'lucide';
import { duration, runTime } from '../../../client/words.ts';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import type { SlaBody } from '../../../shared/contracts/queue.ts';
import { Ticker } from '../../data/ticker.ts';
import { base } from '../../styles/shared.ts';
import { firstWait } from './attempt-spans.ts';
import { attemptWords, deadlineWords, deviceWords, reasonWords, SLA_WORDS, slaNow } from './outcome-words.ts';

const SLA_ICONS: Readonly<Record<SlaBody['state'], IconNode>> = {
  safe: Clock,
  at_risk: TriangleAlert,
  met: CircleCheck,
  missed: CircleX,
};

export class TaskFacts extends LitElement {
  static override properties = { task: { attribute: false } };
  declare task: TaskBody | null;

  static override styles = [
    base,
    css`
      :host { container-type: inline-size; }
      dl { display: flex; flex-wrap: wrap; gap: var(--space-3) var(--space-5); }
      @container (max-width: 36rem) { dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(6rem, 1fr)); gap: var(--space-3); } }
      dt { font-size: var(--text-small); color: var(--ink-soft); }
      dd { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
      .bad { color: var(--bad); } .good { color: var(--good); } .risk { color: var(--queued); }
      .state { font-weight: 600; white-space: nowrap; }
      .inline { text-decoration: underline; }
      small { font-size: var(--text-small); color: var(--ink-soft); display: block; }
    `,
  ];

  constructor() {
    super();
    this.task = null;
    new Ticker(this);
  }

  override render() {
    const { task } = this;
    if (!task) return nothing;
    const now = Date.now();
    const waited = firstWait(task, now);
    const ran = runTime(task, now);
    const worker = task.worker_id;
    const devices = deviceWords(worker ? (task.attempts.at(-1)?.gpu_ids ?? []) : []);
    return html`
      <dl>
        ${fact('Worker', worker ? html`<a href="/cluster/${encodeURIComponent(worker)}">${worker}</a>` : task.worker ? html`waits for <a class="inline" href="/cluster/${encodeURIComponent(task.worker)}">${task.worker}</a>` : html`<span class="soft">${task.finished_at ? 'none' : 'none yet'}</span>`)}
        ${devices ? fact('Devices', devices) : nothing}
        ${fact('Submitted', html`<time-ago at=${task.submitted_at}></time-ago>`)}
        ${waited === null ? nothing : fact(task.status === 'queued' && task.attempts.length === 0 ? 'Waits for' : 'Waited', duration(waited))}
        ${task.started_at ? fact('Started', html`<time-ago at=${task.started_at}></time-ago>`) : nothing}
        ${ran === null ? nothing : fact(task.finished_at ? 'Ran' : 'Runs for', duration(ran))}
        ${task.finished_at ? fact('Ended', html`<time-ago at=${task.finished_at}></time-ago>`) : nothing}
        ${task.kept_until ? fact('Kept until', keptWords(task.kept_until, now)) : nothing}
        ${outcome(task)} ${fact('Attempt', attemptWords(task))} ${fact('Priority', `${task.priority} of 9`)} ${sla(task, now)}
      </dl>
    `;
  }
}

function fact(name: string, value: unknown): TemplateResult {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

const DAY_MS = 86_400_000;

/** The day says enough when it is far away. */
function keptWords(at: string, now: number): string {
  const until = new Date(at);
  return until.getTime() - now < 2 * DAY_MS ? until.toLocaleString() : until.toLocaleDateString();
}

function outcome({ status, reason, exit_code }: TaskBody) {
  if (exit_code !== null && (reason === null || reason === 'exit_code')) {
    return fact('Exit code', html`<span class=${exit_code === 0 ? 'good' : 'bad'}>${exit_code}</span>`);
  }
  if (status !== 'failed' || reason === null) return nothing;
  return fact('Failed', html`<span class="bad">${reasonWords(reason)}</span>`);
}

function sla(task: TaskBody, now: number) {
  const state = slaNow(task, now);
  if (!task.sla || state === null) return fact('SLA', html`k = ${task.k_value}`);
  const { deadline, expected_seconds, learned_from } = task.sla;
  const tone = state === 'missed' ? 'bad' : state === 'at_risk' ? 'risk' : 'good';
  const from =
    learned_from === 0
      ? 'a default, as none like it has finished yet'
      : `from ${learned_from.toLocaleString()} like it`;
  const due = `Deadline ${new Date(deadline).toLocaleString()}: ${task.k_value} × ${duration(expected_seconds * 1_000)} expected (${from})`;
  const isOver = state === 'met' || task.finished_at !== null;
  return fact(
    'SLA',
    html`
      <span class="state ${tone}" title=${due}><svg-icon .icon=${SLA_ICONS[state]}></svg-icon> ${SLA_WORDS[state]}</span>
      <small>${isOver ? '' : html`${deadlineWords(deadline, now)}, `}k = ${task.k_value}</small>
      <span class="unseen">${due}</span>
    `,
  );
}
