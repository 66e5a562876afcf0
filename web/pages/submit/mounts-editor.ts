// Folders of the worker that the task finds in its container, as rows: from where, to where, and whether it may write. Sends
// EditEvent.

import { css, html, LitElement, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import { Plus, X } from 'lucide';
import type { MountBody } from '../../../shared/contracts/mounts.ts';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import type { ErrorDetail } from '../../../shared/errors.ts';
import { base, controls } from '../../styles/shared.ts';
import { faultsAt } from './field-faults.ts';
import { faultList } from './fields.ts';
import { EditEvent } from './form-events.ts';
import { mountableWords, NEW_MOUNT } from './mount-rows.ts';

export class MountsEditor extends LitElement {
  static override properties = {
    rows: { attribute: false },
    workers: { attribute: false },
    faults: { attribute: false },
  };
  declare rows: readonly MountBody[];
  declare workers: readonly WorkerBody[];
  declare faults: readonly ErrorDetail[];

  static override styles = [
    base,
    controls,
    css`
      h3 { color: var(--ink); font-weight: 550; margin-bottom: var(--space-1); }
      ul { display: grid; gap: var(--space-2); margin-bottom: var(--space-2); }
      li { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr) auto auto; gap: var(--space-2); align-items: center; }
      .row .hint { flex: 1 1 12rem; margin-top: 0; overflow-wrap: anywhere; }
      .fault { grid-column: 1 / -1; margin-top: 0; }
      @media (max-width: 34rem) {
        li { grid-template-columns: minmax(0, 1fr) auto; padding-bottom: var(--space-2); border-bottom: 1px solid var(--line); }
        li > :nth-child(2) { grid-row: 2; grid-column: 1 / -1; }
        li > :nth-child(3) { grid-row: 3; grid-column: 1 / -1; }
      }
    `,
  ];

  constructor() {
    super();
    this.rows = [];
    this.workers = [];
    this.faults = [];
  }

  override render() {
    const general = this.faults.filter(({ field }) => field === 'mounts').map(({ message }) => message);
    return html`
      <div role="group" aria-labelledby="heading">
        <h3 id="heading">Folders of the worker</h3>
        ${this.rows.length > 0 ? html`<ul>${this.rows.map((row, at) => this.#row(row, at))}</ul>` : nothing}
        <div class="row tight spread">
          <p class="hint">${mountableWords(this.workers)}</p>
          <button type="button" class="small" id="add" @click=${this.#add}><svg-icon .icon=${Plus}></svg-icon>Add a folder</button>
        </div>
        ${faultList('mounts', general)}
      </div>
    `;
  }

  #row(row: MountBody, at: number) {
    const faults = faultsAt(this.faults, `mounts.${at}`);
    const called = `folder ${at + 1}`;
    const field = (name: 'source' | 'target', label: string, placeholder: string) =>
      html`<input
        class=${name} aria-label=${label} placeholder=${placeholder} .value=${live(row[name])} autocomplete="off" autocapitalize="none" spellcheck="false"
        aria-invalid=${faults.length > 0} @input=${(event: Event) => this.#set(at, { [name]: (event.target as HTMLInputElement).value })}
      />`;
    return html`
      <li>
        ${field('source', `Path of ${called} on the worker`, '/data/sets')}
        ${field('target', `Path of ${called} in the container`, '/data')}
        <label class="tick"><input type="checkbox" .checked=${live(row.read_only)} @change=${(event: Event) => this.#set(at, { read_only: (event.target as HTMLInputElement).checked })} />Read-only</label>
        <button type="button" class="icon quiet" aria-label="Remove ${called}" @click=${() => this.#remove(at)}><svg-icon .icon=${X}></svg-icon></button>
        ${faultList(`mount-${at}`, faults)}
      </li>
    `;
  }

  #set(at: number, change: Partial<MountBody>): void {
    this.#edit(this.rows.map((row, n) => (n === at ? { ...row, ...change } : row)));
  }

  #add(): void {
    this.#edit([...this.rows, NEW_MOUNT]);
    void this.#focusAfter(() => [...this.renderRoot.querySelectorAll<HTMLElement>('.source')].at(-1));
  }

  #remove(at: number): void {
    this.#edit(this.rows.toSpliced(at, 1));
    void this.#focusAfter(() => this.renderRoot.querySelector<HTMLElement>('#add'));
  }

  async #focusAfter(find: () => HTMLElement | null | undefined): Promise<void> {
    await this.updateComplete;
    find()?.focus();
  }

  #edit(rows: readonly MountBody[]): void {
    this.rows = rows;
    this.dispatchEvent(new EditEvent({ mounts: rows }));
  }
}
