// The environment of a task as rows. Lines that are pasted become rows; values of secrets are not shown. Sends EditEvent.

import { css, html, LitElement, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import { Plus, X } from 'lucide';
import type { ErrorDetail } from '../../../shared/errors.ts';
import { base, controls } from '../../styles/shared.ts';
import { type EnvRow, looksSecret, mergeRows, newRow, parseEnvLines } from './env-rows.ts';
import { faultsAt } from './field-faults.ts';
import { faultList } from './fields.ts';
import { EditEvent } from './form-events.ts';

export class EnvEditor extends LitElement {
  static override properties = {
    rows: { attribute: false },
    faults: { attribute: false },
  };
  declare rows: readonly EnvRow[];
  declare faults: readonly ErrorDetail[];

  static override styles = [
    base,
    controls,
    css`
      ul { display: grid; gap: var(--space-2); margin-bottom: var(--space-2); }
      li { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr) auto auto; gap: var(--space-2); align-items: start; }
      h3 { color: var(--ink); font-weight: 550; margin-bottom: var(--space-1); }
      li label.tick { min-height: 2.375rem; }
      input, textarea { font-family: var(--mono); font-size: 0.9em; }
      textarea { min-height: 2.375rem; field-sizing: content; max-height: 10rem; }
      .hidden { -webkit-text-security: disc; }
      .fault { grid-column: 1 / -1; margin-top: 0; }
      .row .hint { flex: 1 1 12rem; margin-top: 0; }
      @media (max-width: 34rem) {
        li { grid-template-columns: minmax(0, 1fr) auto auto; padding-bottom: var(--space-2); border-bottom: 1px solid var(--line); }
        li > :nth-child(2) { grid-row: 2; grid-column: 1 / -1; }
      }
    `,
  ];

  constructor() {
    super();
    this.rows = [];
    this.faults = [];
  }

  override render() {
    const general = this.faults.filter(({ field }) => field === 'env' || field === 'secrets');
    return html`
      <div role="group" aria-labelledby="heading">
        <h3 id="heading">Environment</h3>
        ${this.rows.length > 0 ? html`<ul>${this.rows.map((row, at) => this.#row(row, at))}</ul>` : nothing}
        <div class="row tight spread">
          <p class="hint" id="hint">Lines NAME=value may be pasted into a name. Secrets are masked wherever the task is shown.</p>
          <button type="button" class="small" id="add" @click=${this.#add} @paste=${(event: ClipboardEvent) => this.#pasted(event)}><svg-icon .icon=${Plus}></svg-icon>Add a variable</button>
        </div>
        ${faultList(
          'env',
          general.map(({ message }) => message),
        )}
      </div>
    `;
  }

  #row(row: EnvRow, at: number) {
    const faults = faultsAt(this.faults, `env.${row.name.trim()}`);
    const called = row.name.trim() || `variable ${at + 1}`;
    const isWrong = faults.length > 0;
    return html`
      <li>
        <input
          class="name" aria-label="Name of variable ${at + 1}" placeholder="NAME" autocomplete="off" autocapitalize="none" spellcheck="false" .value=${live(row.name)}
          aria-invalid=${isWrong && !row.asked} aria-describedby=${isWrong ? `row-${at}-fault` : 'hint'}
          @input=${(event: Event) => this.#named(at, typedIn(event))} @paste=${(event: ClipboardEvent) => this.#pasted(event)}
        />
        ${this.#value(row, at, isWrong, called)}
        <label class="tick small"><input type="checkbox" aria-label="${called} is secret" .checked=${live(row.secret)} @change=${(event: Event) => this.#set(at, { secret: (event.target as HTMLInputElement).checked })} />Secret</label>
        <button type="button" class="icon quiet" aria-label="Remove ${called}" @click=${() => this.#remove(at)}><svg-icon .icon=${X}></svg-icon></button>
        ${faultList(`row-${at}`, faults)}
      </li>
    `;
  }

  /** Only a textarea keeps the lines of a key, and only a field for passwords is hidden in every browser. */
  #value(row: EnvRow, at: number, isWrong: boolean, called: string) {
    const label = `Value of ${called}`;
    const set = (event: Event) => this.#set(at, { value: typedIn(event), asked: false });
    const described = isWrong ? `row-${at}-fault` : nothing;
    if (row.value.includes('\n') || !row.secret) {
      return html`<textarea
        rows="1" class=${row.secret ? 'hidden' : ''} aria-label=${label} placeholder="value" autocomplete="off" autocapitalize="none" spellcheck="false"
        .value=${live(row.value)} aria-invalid=${isWrong && row.asked} aria-describedby=${described} @input=${set}
      ></textarea>`;
    }
    return html`<input
      type="password" aria-label=${label} placeholder=${row.asked ? 'type it again' : 'value'} autocomplete="new-password" .value=${live(row.value)}
      aria-invalid=${isWrong && row.asked} aria-describedby=${described} @input=${set} @paste=${(event: ClipboardEvent) => this.#pastedSecret(event, at)}
    />`;
  }

  #named(at: number, name: string): void {
    const row = this.rows[at];
    // While the name is being made its look decides; a tick that was set by hand stays.
    const isOwnChoice = row === undefined || row.secret !== looksSecret(row.name);
    this.#set(at, isOwnChoice ? { name } : { name, secret: looksSecret(name) });
  }

  #pasted(event: ClipboardEvent): void {
    const rows = parseEnvLines(event.clipboardData?.getData('text') ?? '');
    if (!rows) return;
    event.preventDefault();
    this.#edit(mergeRows(this.rows, rows));
  }

  /** A field for passwords would take the lines of a key for one. */
  #pastedSecret(event: ClipboardEvent, at: number): void {
    const text = event.clipboardData?.getData('text') ?? '';
    if (!text.trim().includes('\n')) return;
    event.preventDefault();
    this.#set(at, { value: text, asked: false });
  }

  #set(at: number, change: Partial<EnvRow>): void {
    this.#edit(this.rows.map((row, n) => (n === at ? { ...row, ...change } : row)));
  }

  #add(): void {
    this.#edit([...this.rows, newRow()]);
    void this.#focusAfter(() => [...this.renderRoot.querySelectorAll<HTMLElement>('.name')].at(-1));
  }

  #remove(at: number): void {
    this.#edit(this.rows.toSpliced(at, 1));
    void this.#focusAfter(() => {
      const names = this.renderRoot.querySelectorAll<HTMLElement>('.name');
      return names[Math.min(at, names.length - 1)] ?? this.renderRoot.querySelector<HTMLElement>('#add');
    });
  }

  async #focusAfter(find: () => HTMLElement | null | undefined): Promise<void> {
    await this.updateComplete;
    find()?.focus();
  }

  #edit(rows: readonly EnvRow[]): void {
    this.rows = rows;
    this.dispatchEvent(new EditEvent({ env: rows }));
  }
}

function typedIn(event: Event): string {
  return (event.target as HTMLInputElement | HTMLTextAreaElement).value;
}
