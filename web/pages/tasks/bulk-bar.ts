// What can be done to the chosen tasks, how far it is, and how it went. Sends `select` when it has changed what is chosen.

import { css, html, LitElement, nothing } from 'lit';
import type { CancelledTaskBody } from '../../../shared/contracts/task-lists.ts';
import { isTerminal } from '../../../shared/model/task-states.ts';
import type { Session } from '../../data/session.ts';
import { ask } from '../../shell/asking.ts';
import { tell, tellFault } from '../../shell/telling.ts';
import { base, controls } from '../../styles/shared.ts';
import { cancelMany, cancelWords, many, RETRY_MOST, retryMany, taskCount } from './bulk.ts';
import { Selection } from './selection.ts';
import { TaskRows } from './task-rows.ts';

interface Doing {
  readonly what: string;
  readonly total: number;
  readonly done: number;
  readonly run: AbortController;
}

export class BulkBar extends LitElement {
  static override properties = {
    session: { attribute: false },
    rows: { attribute: false },
    selection: { attribute: false },
    doing: { state: true },
  };
  declare session: Session;
  declare rows: TaskRows;
  declare selection: Selection;
  declare doing: Doing | null;

  static override styles = [
    base,
    controls,
    css`
      .bar { display: flex; flex-wrap: wrap; gap: var(--space-2); align-items: center; }
      .bar > strong { margin-right: var(--space-2); font-weight: 600; }
      progress { width: 8rem; height: 0.5rem; accent-color: var(--accent); }
    `,
  ];

  constructor() {
    super();
    this.rows = new TaskRows();
    this.selection = new Selection();
    this.doing = null;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.doing?.run.abort();
  }

  override render() {
    if (this.doing) {
      const { what, total, done, run } = this.doing;
      return html`
        <div class="bar">
          <strong class="number" role="status">${what} ${many(done)} of ${many(total)}</strong>
          <progress max=${total} value=${done} aria-label=${what}></progress>
          <button class="small" @click=${() => run.abort()}>Stop</button>
        </div>
      `;
    }
    if (this.selection.size === 0) return nothing;
    const { open, ended } = this.#split();
    return html`
      <div class="bar" role="group" aria-label="Selected tasks">
        <strong class="number">${many(this.selection.size)} of ${many(this.rows.count)} loaded selected</strong>
        ${this.session.may('task.cancel') ? html`<button class="small danger" ?disabled=${open.length === 0} @click=${() => this.cancel(open, ended.length)}>Cancel ${open.length > 0 ? many(open.length) : ''}</button>` : nothing}
        ${this.session.may('task.retry') ? html`<button class="small" ?disabled=${ended.length === 0} @click=${() => this.retry(ended)}>Run again ${ended.length > 0 ? many(ended.length) : ''}</button>` : nothing}
        <button class="small" @click=${this.#copy}>Copy ids</button>
        ${this.selection.size < this.rows.count ? html`<button class="small link" @click=${this.#all}>Select all ${many(this.rows.count)} loaded</button>` : nothing}
        <button class="small link" @click=${this.#clear}>Clear the selection</button>
      </div>
    `;
  }

  /** Asks first. `endedBefore` of those that were chosen have nothing to be cancelled. */
  async cancel(ids: readonly string[], endedBefore = 0): Promise<void> {
    const stay =
      endedBefore === 0
        ? ''
        : ` ${taskCount(endedBefore)} of the selected ended already and stay as they are.`;
    const answer = await ask(this, {
      heading: `Cancel ${taskCount(ids.length)}?`,
      text: `Those that wait end at once, those that run are asked to stop.${stay}`,
      confirm: `Cancel ${taskCount(ids.length)}`,
      keep: 'Keep them',
      danger: true,
      tick: 'Kill at once what runs',
    });
    if (!answer) return;
    await this.#do('Cancelling', ids.length, async (progress) => {
      const onAnswer = (tasks: readonly CancelledTaskBody[]) => this.#mark(tasks);
      const sum = await cancelMany(this.session.client, ids, answer.ticked, { ...progress, onAnswer });
      const asked = sum.cancelled + sum.stopping + sum.ended + sum.refused;
      const left = asked < ids.length ? `; stopped before the other ${many(ids.length - asked)}` : '';
      tell(this, `${cancelWords(sum, endedBefore)}${left}.`);
    });
  }

  async retry(ids: readonly string[]): Promise<void> {
    if (ids.length > RETRY_MOST) {
      await ask(this, {
        heading: 'Too many to run again at once',
        text: `${taskCount(ids.length)} are selected that have ended; ${many(RETRY_MOST)} can be run again at a time. Select fewer.`,
        confirm: 'All right',
        keep: 'Close',
      });
      return;
    }
    if (ids.length > 1) {
      const heading = `Run ${taskCount(ids.length)} again?`;
      const text = 'Each is submitted anew, with the same image, command and needs.';
      if (
        !(await ask(this, { heading, text, confirm: `Run ${taskCount(ids.length)} again`, keep: 'Not now' }))
      )
        return;
    }
    await this.#do('Submitting', ids.length, async (progress) => {
      const { submitted, refused, fault } = await retryMany(this.session.client, ids, progress);
      if (submitted > 0) tell(this, `${taskCount(submitted)} submitted again.`);
      if (fault) tellFault(this, `${taskCount(refused)} could not be run again`, fault);
    });
  }

  async #do(
    what: string,
    total: number,
    work: (progress: { signal: AbortSignal; onDone: (done: number) => void }) => Promise<void>,
  ): Promise<void> {
    if (this.doing) return;
    const run = new AbortController();
    this.doing = { what, total, done: 0, run };
    const onDone = (done: number) => {
      this.doing = { what, total, done, run };
    };
    try {
      await work({ signal: run.signal, onDone });
      this.#clear();
    } catch (error) {
      if (!run.signal.aborted)
        tellFault(this, `${what} ended after ${many(this.doing.done)} of ${many(total)}`, error);
    } finally {
      this.doing = null;
    }
  }

  /** What the answer says beyond what is pushed: the wish itself. */
  #mark(tasks: readonly CancelledTaskBody[]): void {
    for (const { task_id, cancel_requested } of tasks) {
      const row = this.rows.get(task_id);
      if (row && cancel_requested) row.cancel_requested = true;
    }
    this.#tellSelect();
  }

  #split(): { open: string[]; ended: string[] } {
    const open: string[] = [];
    const ended: string[] = [];
    for (const id of this.selection.ids) {
      const row = this.rows.get(id);
      if (row) (isTerminal(row.status) ? ended : open).push(id);
    }
    return { open, ended };
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText([...this.selection.ids].join('\n'));
      tell(this, `${many(this.selection.size)} ids copied, one a line.`);
    } catch (error) {
      tellFault(this, 'Could not copy the ids', error);
    }
  }

  #all(): void {
    this.selection.all(this.rows);
    this.#tellSelect();
  }

  #clear(): void {
    this.selection.clear();
    this.#tellSelect();
  }

  #tellSelect(): void {
    this.requestUpdate();
    this.dispatchEvent(new Event('select'));
  }
}
