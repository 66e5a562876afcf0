// What would become of more tasks, with further workers or without one: asked of the cluster, told in words and worker by
// worker. Nothing is submitted. Folded until it is wanted.

import { css, html, LitElement, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import { entryNeeds } from '../../../client/queue-words.ts';
import { whatIfWords } from '../../../client/what-if-words.ts';
import type { QueueEntryBody } from '../../../shared/contracts/queue.ts';
import type { WhatIfReply } from '../../../shared/contracts/what-if.ts';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import type { ErrorDetail } from '../../../shared/errors.ts';
import { Sending } from '../../data/sending.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls, tables } from '../../styles/shared.ts';
import {
  EMPTY_QUESTION,
  type FateRow,
  fateRows,
  kindsOf,
  questionFaults,
  questionOf,
  type WhatIfForm,
} from './what-if.ts';

/** More would make the lists slow to open. */
const KINDS_LISTED = 50;
const WORKERS_LISTED = 2_000;
const ROWS_SHOWN = 50;

export class WhatIfPanel extends LitElement {
  static override properties = {
    session: { attribute: false },
    entries: { attribute: false },
    workers: { attribute: false },
    form: { state: true },
    faults: { state: true },
    reply: { state: true },
  };
  declare session: Session;
  declare entries: readonly QueueEntryBody[];
  declare workers: readonly WorkerBody[];
  declare form: WhatIfForm;
  declare faults: readonly ErrorDetail[];
  declare reply: WhatIfReply | null;
  readonly #sending = new Sending(this);

  static override styles = [
    base,
    controls,
    tables,
    css`
      summary h2 { display: inline; }
      form { display: grid; gap: var(--space-4); margin-top: var(--space-3); }
      fieldset { display: grid; gap: var(--space-3); grid-template-columns: repeat(auto-fill, minmax(min(100%, 8.5rem), 1fr)); align-items: start; }
      .wide { grid-column: span 2; min-width: 0; }
      .words { font-size: var(--text-large); margin-top: var(--space-4); overflow-wrap: anywhere; }
      .why { margin-top: var(--space-1); overflow-wrap: anywhere; }
      table { margin-top: var(--space-3); }
      @media (max-width: 34rem) { .wide { grid-column: 1 / -1; } }
    `,
  ];

  constructor() {
    super();
    this.entries = [];
    this.workers = [];
    this.form = EMPTY_QUESTION;
    this.faults = [];
    this.reply = null;
  }

  override render() {
    const { form } = this;
    const kinds = kindsOf(this.entries, KINDS_LISTED);
    const isGone = form.of !== '' && !kinds.some(({ task_id }) => task_id === form.of);
    return html`
      <details class="panel">
        <summary><h2>What if…?</h2></summary>
        <form novalidate @submit=${this.#submit}>
          <fieldset>
            <legend>So many more tasks</legend>
            ${this.#number('count', 'How many')}
            <div class="wide">
              <label for="of">Of which kind</label>
              <select id="of" @change=${(event: Event) => this.#set('of', event)}>
                <option value="" ?selected=${form.of === ''}>of the size that is given here</option>
                ${isGone ? html`<option value=${form.of} selected>as ${form.of}</option>` : nothing}
                ${kinds.map((entry) => html`<option value=${entry.task_id} ?selected=${entry.task_id === form.of}>as ${entry.name || entry.task_id}: ${entryNeeds(entry)}</option>`)}
              </select>
            </div>
            ${form.of === '' ? [this.#number('cpu', 'Cores'), this.#number('memory', 'Memory (GB)'), this.#number('gpu', 'GPUs')] : nothing}
          </fieldset>
          <fieldset>
            <legend>On other workers</legend>
            ${this.#number('addCount', 'Further workers')}
            ${form.addCount.trim() === '0' ? nothing : [this.#number('addCpu', 'Cores each'), this.#number('addMemory', 'Memory each (GB)'), this.#number('addGpu', 'GPUs each')]}
            <div class="wide">
              <label for="without">Without worker</label>
              <select id="without" @change=${(event: Event) => this.#set('without', event)}>
                <option value="" ?selected=${form.without === ''}>none left out</option>
                ${this.workers.slice(0, WORKERS_LISTED).map(({ worker_id }) => html`<option value=${worker_id} ?selected=${worker_id === form.without}>${worker_id}</option>`)}
              </select>
            </div>
          </fieldset>
          <div class="row">
            <button class="primary" aria-disabled=${this.#sending.busy}>${this.#sending.busy ? 'Asking…' : 'Ask'}</button>
            <p class="soft small">Nothing is submitted. It counts as if no task ended meanwhile.</p>
          </div>
        </form>
        ${errorNotice(this.#sending.error)}
        <div role="status">${this.reply ? this.#answer(this.reply) : nothing}</div>
      </details>
    `;
  }

  #number(field: keyof WhatIfForm, label: string) {
    const fault = this.faults.find((one) => one.field === field)?.message;
    return html`
      <div>
        <label for=${field}>${label}</label>
        <input
          id=${field} inputmode="decimal" autocomplete="off" .value=${live(this.form[field])} aria-invalid=${fault !== undefined}
          aria-describedby=${fault ? `${field}-fault` : nothing} @input=${(event: Event) => this.#set(field, event)}
        />
        ${fault ? html`<p class="fault" id="${field}-fault" role="alert">${fault}</p>` : nothing}
      </div>
    `;
  }

  #answer(reply: WhatIfReply) {
    const rows = fateRows(reply);
    const [task] = reply.tasks;
    const hasGpu = rows.some(({ gpu }) => gpu !== '');
    const hasAhead = rows.some(({ ahead }) => ahead > 0);
    return html`
      <p class="words">${whatIfWords(reply)}</p>
      ${task && task.verdict !== 'now' ? html`<p class="why soft">${task.summary}</p>` : nothing}
      ${
        rows.length === 0
          ? nothing
          : html`
            <table role="table" aria-label="What each worker would hold">
              <thead role="rowgroup"><tr role="row">
                <th role="columnheader">Worker</th><th role="columnheader" class="right">Would get</th>
                ${hasAhead ? html`<th role="columnheader" class="right">Of those before</th>` : nothing}
                <th role="columnheader">Cores held</th><th role="columnheader">Memory held</th>${hasGpu ? html`<th role="columnheader">GPUs held</th>` : nothing}
              </tr></thead>
              <tbody role="rowgroup">${rows.slice(0, ROWS_SHOWN).map((row) => rowOf(row, hasAhead, hasGpu))}</tbody>
            </table>
          `
      }
      ${rows.length > ROWS_SHOWN ? html`<p class="why soft small">And ${(rows.length - ROWS_SHOWN).toLocaleString('en')} more workers.</p>` : nothing}
    `;
  }

  #set(field: keyof WhatIfForm, event: Event): void {
    const { value } = event.target as HTMLInputElement | HTMLSelectElement;
    this.form = { ...this.form, [field]: value };
    this.faults = this.faults.filter((fault) => fault.field !== field);
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    this.faults = questionFaults(this.form);
    const [first] = this.faults;
    if (first) {
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLElement>(`#${first.field}`)?.focus();
      return;
    }
    await this.#sending.run(async () => {
      this.reply = null;
      this.reply = await this.session.client.whatIf(questionOf(this.form));
    });
  }
}

function rowOf(
  { workerId, added, placed, ahead, cpu, memory, gpu }: FateRow,
  hasAhead: boolean,
  hasGpu: boolean,
) {
  return html`
    <tr role="row">
      <td role="cell" data-label="Worker"><div>${added ? html`${workerId} <span class="chip">further one</span>` : html`<a href="/cluster/${workerId}">${workerId}</a>`}</div></td>
      <td role="cell" class="number right" data-label="Would get">${placed.toLocaleString('en')}</td>
      ${hasAhead ? html`<td role="cell" class="number right" data-label="Of those before">${ahead.toLocaleString('en')}</td>` : nothing}
      <td role="cell" class="number" data-label="Cores held">${cpu}</td>
      <td role="cell" class="number" data-label="Memory held">${memory}</td>
      ${hasGpu ? html`<td role="cell" class="number" data-label="GPUs held">${gpu || '–'}</td>` : nothing}
    </tr>
  `;
}
