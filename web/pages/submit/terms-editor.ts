// Labels that a task demands of its worker, as rows: a label and the values that will do, suggested from the workers there
// are. Sends EditEvent.

import { css, html, LitElement, nothing } from 'lit';
import { Plus, X } from 'lucide';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import type { ErrorDetail } from '../../../shared/errors.ts';
import { base, controls } from '../../styles/shared.ts';
import type { ComboBox } from './combo-box.ts';
import { faultsAt } from './field-faults.ts';
import { faultList } from './fields.ts';
import { EditEvent, type ValueEvent } from './form-events.ts';
import {
  labelOptions,
  metWords,
  NEW_TERM,
  type TermRow,
  type TermsField,
  valueOptions,
} from './term-rows.ts';

export class TermsEditor extends LitElement {
  static override properties = {
    field: {},
    heading: {},
    hint: {},
    rows: { attribute: false },
    workers: { attribute: false },
    faults: { attribute: false },
  };
  /** Which of the form it edits; the API calls it the same. */
  declare field: TermsField;
  declare heading: string;
  declare hint: string;
  declare rows: readonly TermRow[];
  declare workers: readonly WorkerBody[];
  declare faults: readonly ErrorDetail[];

  static override styles = [
    base,
    controls,
    css`
      h3 { color: var(--ink); font-weight: 550; margin-bottom: var(--space-1); }
      ul { display: grid; gap: var(--space-2); margin-bottom: var(--space-2); }
      li { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr) auto; gap: var(--space-2); align-items: start; }
      .row .hint { flex: 1 1 12rem; margin-top: 0; }
      .fault { grid-column: 1 / -1; margin-top: 0; }
      @media (max-width: 34rem) {
        li { grid-template-columns: minmax(0, 1fr) auto; padding-bottom: var(--space-2); border-bottom: 1px solid var(--line); }
        li > :nth-child(2) { grid-row: 2; grid-column: 1 / -1; }
      }
    `,
  ];

  constructor() {
    super();
    this.field = 'constraints';
    this.heading = '';
    this.hint = '';
    this.rows = [];
    this.workers = [];
    this.faults = [];
  }

  override render() {
    const general = this.faults.filter(({ field }) => field === this.field).map(({ message }) => message);
    const able = this.workers.filter(({ state }) => state !== 'unreachable' && state !== 'down');
    return html`
      <div role="group" aria-labelledby="heading">
        <h3 id="heading">${this.heading}</h3>
        ${this.rows.length > 0 ? html`<ul>${this.rows.map((row, at) => this.#row(row, at, able))}</ul>` : nothing}
        <div class="row tight spread">
          <p class="hint" role="status">${metWords(able, this.rows) || this.hint}</p>
          <button type="button" class="small" id="add" aria-label="Add a label: ${this.heading.toLowerCase()}" @click=${this.#add}><svg-icon .icon=${Plus}></svg-icon>Add a label</button>
        </div>
        ${faultList(this.field, general)}
      </div>
    `;
  }

  #row(row: TermRow, at: number, able: readonly WorkerBody[]) {
    const name = row.name.trim();
    const faults = faultsAt(this.faults, `${this.field}.${name}`);
    const called = name || `label ${at + 1}`;
    return html`
      <li>
        <combo-box
          bare class="name" label="Label ${at + 1}" placeholder="disk" listed="labels" .value=${row.name} .options=${labelOptions(able, this.rows, at)}
          .faults=${name === '' ? faults : []} @value=${(event: ValueEvent) => this.#set(at, { name: event.value })}
        ></combo-box>
        <combo-box
          bare label="Values of ${called}" placeholder="ssd, nvme" listed="values" .value=${row.values} .options=${valueOptions(able, row)}
          .faults=${name === '' ? [] : faults} @value=${(event: ValueEvent) => this.#set(at, { values: event.value })}
        ></combo-box>
        <button type="button" class="icon quiet" aria-label="Remove ${called}" @click=${() => this.#remove(at)}><svg-icon .icon=${X}></svg-icon></button>
      </li>
    `;
  }

  #set(at: number, change: Partial<TermRow>): void {
    this.#edit(this.rows.map((row, n) => (n === at ? { ...row, ...change } : row)));
  }

  #add(): void {
    this.#edit([...this.rows, NEW_TERM]);
    void this.#focusAfter(() => [...this.renderRoot.querySelectorAll<ComboBox>('.name')].at(-1));
  }

  #remove(at: number): void {
    this.#edit(this.rows.toSpliced(at, 1));
    void this.#focusAfter(() => {
      const names = this.renderRoot.querySelectorAll<ComboBox>('.name');
      return names[Math.min(at, names.length - 1)] ?? this.renderRoot.querySelector<HTMLElement>('#add');
    });
  }

  async #focusAfter(find: () => HTMLElement | null | undefined): Promise<void> {
    await this.updateComplete;
    const found = find();
    if (found instanceof LitElement) await found.updateComplete;
    found?.focus();
  }

  #edit(rows: readonly TermRow[]): void {
    this.rows = rows;
    this.dispatchEvent(new EditEvent({ [this.field]: rows }));
  }
}
