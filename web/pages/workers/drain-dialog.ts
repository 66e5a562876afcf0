// Asks until when a worker may take to get empty, and says what becomes of its tasks. Sends `drain` with the answer, and
// `close` when it is over, whatever the answer.

import { css, html, LitElement, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import { base, controls, dialogs } from '../../styles/shared.ts';
import {
  DRAIN_CHOICES,
  type DrainChoice,
  drainEffect,
  drainSeconds,
  drainWords,
  MOST_MINUTES,
} from './draining.ts';

export class DrainEvent extends Event {
  /** Undefined: its tasks may take as long as they like. */
  readonly deadlineSeconds: number | undefined;

  constructor(deadlineSeconds: number | undefined) {
    super('drain');
    this.deadlineSeconds = deadlineSeconds;
  }
}

export class DrainDialog extends LitElement {
  static override properties = {
    worker: { attribute: false },
    choice: { state: true },
    minutes: { state: true },
    isWrong: { state: true },
  };
  declare worker: WorkerBody;
  declare choice: DrainChoice;
  /** As typed. */
  declare minutes: string;
  /** What was typed is no number of minutes, and it was to be sent. */
  declare isWrong: boolean;

  static override styles = [
    base,
    controls,
    dialogs,
    css`
      dialog { width: 30rem; }
      form { display: grid; gap: var(--space-3); margin-top: var(--space-2); }
      fieldset { display: grid; gap: var(--space-1); }
      .own { display: flex; flex-wrap: wrap; gap: var(--space-1) var(--space-2); align-items: center; }
      .own input:not([type='radio']) { width: 6rem; min-height: 2rem; }
      .effect { padding: var(--space-2) var(--space-3); border-radius: var(--radius-small); background: var(--quiet-wash); }
      .effect.stops { background: var(--queued-wash); }
      h2 { overflow-wrap: anywhere; }
    `,
  ];

  constructor() {
    super();
    this.choice = 'never';
    this.minutes = '30';
    this.isWrong = false;
  }

  override firstUpdated(): void {
    this.#box?.showModal();
  }

  override render() {
    const { worker, choice } = this;
    const { worker_id, state, tasks } = worker;
    const held = tasks.assigned + tasks.running;
    const isOn = state === 'draining';
    const fault = this.isWrong
      ? `Say how many minutes: a number from 0 to ${MOST_MINUTES.toLocaleString('en')}`
      : '';
    return html`
      <dialog aria-labelledby="heading" @close=${this.#closed} @click=${this.#clicked}>
        <h2 id="heading">${isOn ? `Change deadline of ${worker_id}` : `Drain ${worker_id}?`}</h2>
        <form novalidate @submit=${this.#submit}>
          <p class="soft">${isOn ? drainWords(worker, Date.now()) : 'It gets no new tasks. Uncordon it to undo this.'}</p>
          <fieldset>
            <legend>It is to be empty</legend>
            ${(Object.keys(DRAIN_CHOICES) as DrainChoice[]).map((one) => this.#option(one, fault))}
          </fieldset>
          ${fault ? html`<p class="fault" id="fault" role="alert">${fault}</p>` : nothing}
          <p class="effect small ${choice === 'never' || held === 0 ? '' : 'stops'}" role="status">${drainEffect(choice, held)}</p>
          <div class="row end">
            <button type="button" @click=${this.#shut}>${isOn ? 'Leave it' : 'Keep it'}</button>
            <button class="primary">${isOn ? 'Change' : 'Drain'}</button>
          </div>
        </form>
      </dialog>
    `;
  }

  #option(one: DrainChoice, fault: string) {
    const radio = html`<label class="tick"><input type="radio" name="when" value=${one} .checked=${live(this.choice === one)} @change=${() => this.#choose(one)} />${DRAIN_CHOICES[one]}</label>`;
    if (one !== 'own') return radio;
    return html`
      <div class="own">
        ${radio}
        <input
          id="minutes" aria-label="Minutes" inputmode="decimal" autocomplete="off" .value=${live(this.minutes)} aria-invalid=${fault !== ''}
          aria-describedby=${fault ? 'fault' : nothing} @focus=${() => this.#choose('own')} @input=${this.#typed}
        />
      </div>
    `;
  }

  get #box(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }

  #choose(choice: DrainChoice): void {
    this.choice = choice;
    this.isWrong = false;
  }

  #typed(event: Event): void {
    this.minutes = (event.target as HTMLInputElement).value;
    this.#choose('own');
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    const seconds = drainSeconds(this.choice, this.minutes);
    if (seconds === null) {
      this.renderRoot.querySelector<HTMLElement>('#minutes')?.focus();
      // After the focus, which takes the fault away.
      this.isWrong = true;
      return;
    }
    this.dispatchEvent(new DrainEvent(seconds === 'never' ? undefined : seconds));
    this.#shut();
  }

  #shut(): void {
    this.#box?.close();
  }

  #clicked(event: MouseEvent): void {
    if (event.target === event.currentTarget) this.#shut();
  }

  #closed(): void {
    this.dispatchEvent(new Event('close'));
  }
}
