// A field that suggests: one may type anything, or choose from a list. A combobox with a list, as WAI-ARIA describes it: the
// focus stays in the field; arrows move the chosen entry, Enter takes it, Escape closes the list. Sends ValueEvent.

import { css, html, LitElement, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import { ChevronDown } from 'lucide';
import { base, controls } from '../../styles/shared.ts';
import { type ComboOption, matchingOptions } from './combo-options.ts';
import { below, describedBy } from './fields.ts';
import { ValueEvent } from './form-events.ts';

export class ComboBox extends LitElement {
  static override properties = {
    label: {},
    value: {},
    placeholder: {},
    hint: {},
    listed: {},
    bare: { type: Boolean },
    options: { attribute: false },
    faults: { attribute: false },
    open: { state: true },
    chosen: { state: true },
    filtered: { state: true },
  };
  declare label: string;
  declare value: string;
  declare placeholder: string;
  declare hint: string;
  /** What the list holds, for its accessible name. */
  declare listed: string;
  /** One of many in rows: its label is heard, not seen. */
  declare bare: boolean;
  declare options: readonly ComboOption[];
  declare faults: readonly string[];
  declare open: boolean;
  /** Place in what is shown; -1 while none is chosen. */
  declare chosen: number;
  /** By what is typed; a list that was asked for shows all. */
  declare filtered: boolean;

  static override styles = [
    base,
    controls,
    css`
      .box { position: relative; }
      input { padding-right: 2.5rem; }
      .arrow { position: absolute; right: 0; top: 0; width: 2.375rem; height: 2.375rem; border: 0; background: none; padding: 0; color: var(--ink-soft); }
      .list { position: absolute; z-index: 10; top: calc(100% + 0.25rem); left: 0; right: 0; max-height: 19rem; overflow-y: auto; overscroll-behavior: contain; padding: var(--space-1); background: var(--raised); border: 1px solid var(--line); border-radius: var(--radius-small); box-shadow: var(--shadow-high); }
      .option { display: flex; flex-wrap: wrap; gap: 0 var(--space-3); align-items: baseline; justify-content: space-between; padding: 0.4rem var(--space-2); border-radius: var(--radius-small); cursor: pointer; }
      .option:hover { background: var(--sunken); }
      .option[aria-selected='true'] { background: var(--accent-wash); box-shadow: inset 2px 0 0 var(--accent); }
      .name { overflow-wrap: anywhere; }
    `,
  ];

  constructor() {
    super();
    this.label = '';
    this.value = '';
    this.placeholder = '';
    this.hint = '';
    this.listed = '';
    this.bare = false;
    this.options = [];
    this.faults = [];
    this.open = false;
    this.chosen = -1;
    this.filtered = true;
  }

  get #shown(): readonly ComboOption[] {
    return matchingOptions(this.options, this.filtered ? this.value : '');
  }

  override render() {
    const shown = this.open ? this.#shown : [];
    const isOpen = shown.length > 0;
    return html`
      <label for="field" class=${this.bare ? 'unseen' : ''}>${this.label}</label>
      <div class="box" @focusout=${this.#close}>
        <input
          id="field" role="combobox" aria-autocomplete="list" aria-expanded=${isOpen} aria-controls="list"
          aria-activedescendant=${isOpen && this.chosen >= 0 ? `option-${this.chosen}` : nothing}
          aria-invalid=${this.faults.length > 0} aria-describedby=${describedBy('field', this.hint, this.faults)}
          .value=${live(this.value)} placeholder=${this.placeholder || nothing} autocomplete="off" autocapitalize="none" spellcheck="false"
          @input=${this.#typed} @keydown=${this.#pressed} @click=${this.#clicked}
        />
        ${
          this.options.length > 0
            ? html`<button type="button" class="arrow" tabindex="-1" aria-label="Show ${this.listed}" @mousedown=${this.#held} @click=${this.#toggle}><svg-icon .icon=${ChevronDown}></svg-icon></button>`
            : nothing
        }
        <div class="list" id="list" role="listbox" aria-label=${this.listed} ?hidden=${!isOpen} @mousedown=${this.#held}>
          ${shown.map(
            ({ value, hint }, at) => html`
              <div class="option" id="option-${at}" role="option" aria-selected=${at === this.chosen} @click=${() => this.#take(value)}>
                <span class="name">${value}</span><span class="soft small">${hint}</span>
              </div>
            `,
          )}
        </div>
      </div>
      ${below('field', this.hint, this.faults)}
    `;
  }

  override focus(): void {
    this.renderRoot.querySelector('input')?.focus();
  }

  override updated(): void {
    this.renderRoot.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }

  /** The field keeps the focus. */
  #held(event: Event): void {
    event.preventDefault();
  }

  #typed(event: Event): void {
    this.filtered = true;
    this.open = true;
    this.chosen = -1;
    this.#tell((event.target as HTMLInputElement).value);
  }

  /** An empty field shows what there is; one that holds something is about to be changed. */
  #clicked(): void {
    if (!this.open && this.value === '') this.#openWith(-1);
  }

  #toggle(): void {
    if (this.open) this.#close();
    else this.#openWith(-1);
    this.renderRoot.querySelector('input')?.focus();
  }

  #openWith(chosen: number): void {
    // Whoever opens it wants to see what else there is.
    this.filtered = !this.options.some(({ value }) => value === this.value);
    if (this.filtered && this.#shown.length === 0) this.filtered = false;
    this.open = true;
    this.chosen = chosen;
  }

  #pressed(event: KeyboardEvent): void {
    const count = this.#shown.length;
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp': {
        event.preventDefault();
        const step = event.key === 'ArrowDown' ? 1 : -1;
        if (!this.open) this.#openWith(step === 1 ? 0 : this.#shown.length - 1);
        else if (count > 0) {
          this.chosen = this.chosen < 0 && step < 0 ? count - 1 : (this.chosen + step + count) % count;
        }
        return;
      }
      case 'Enter': {
        const option = this.open ? this.#shown[this.chosen] : undefined;
        if (!option || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        this.#take(option.value);
        return;
      }
      case 'Escape':
        if (!this.open) return;
        event.preventDefault();
        event.stopPropagation();
        this.#close();
    }
  }

  #take(value: string): void {
    this.#close();
    this.#tell(value);
  }

  #close(): void {
    this.open = false;
    this.chosen = -1;
  }

  #tell(value: string): void {
    this.value = value;
    this.dispatchEvent(new ValueEvent(value));
  }
}
