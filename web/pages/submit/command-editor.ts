// The command of a task: a text for a shell, or a program with its arguments word by word. Sends EditEvent.

import { css, html, LitElement, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import { Plus, X } from 'lucide';
import { quoteWords, splitWords } from '../../data/shell-words.ts';
import { base, controls } from '../../styles/shared.ts';
import { below, describedBy, faultList } from './fields.ts';
import { EditEvent } from './form-events.ts';
import type { FormState } from './form-state.ts';

export class CommandEditor extends LitElement {
  static override properties = {
    form: { attribute: false },
    faults: { attribute: false },
  };
  declare form: Pick<FormState, 'commandForm' | 'shell' | 'words'>;
  declare faults: readonly string[];

  static override styles = [
    base,
    controls,
    css`
      .head { margin-bottom: var(--space-2); }
      .head label { margin: 0; }
      .forms { display: flex; gap: var(--space-4); }
      ol { display: grid; gap: var(--space-2); max-height: 22rem; overflow-y: auto; padding: 2px; margin: -2px; }
      li { display: grid; grid-template-columns: 1.75rem minmax(0, 1fr) auto; gap: var(--space-2); align-items: start; }
      li .number { color: var(--ink-soft); font-size: var(--text-small); text-align: right; padding-top: 0.6rem; }
      li textarea { field-sizing: content; min-height: 2.375rem; max-height: 12rem; overflow-wrap: anywhere; }
      .row .hint { flex: 1 1 12rem; margin-top: 0; }
      .preview { margin-top: var(--space-2); padding: var(--space-2) var(--space-3); border-radius: var(--radius-small); background: var(--sunken); white-space: pre-wrap; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 6; overflow: hidden; }
    `,
  ];

  constructor() {
    super();
    this.form = { commandForm: 'shell', shell: '', words: [] };
    this.faults = [];
  }

  override render() {
    const isExec = this.form.commandForm === 'exec';
    return html`
      <div class="head">
        ${isExec ? html`<label for="word-0">Program and arguments</label>` : html`<label for="command">Command</label>`}
        <div class="forms" role="radiogroup" aria-label="How the command runs">
          ${this.#choice('shell', 'Shell')} ${this.#choice('exec', 'Exec')}
        </div>
      </div>
      ${isExec ? this.#words() : this.#shell()}
    `;
  }

  #choice(form: FormState['commandForm'], label: string) {
    return html`<label class="tick small"><input type="radio" name="form" .checked=${live(this.form.commandForm === form)} @change=${() => this.#become(form)} />${label}</label>`;
  }

  #shell() {
    const hint = 'Runs through /bin/sh -c. Empty: the image’s own command.';
    return html`
      <textarea
        id="command" rows="3" spellcheck="false" autocapitalize="none" .value=${live(this.form.shell)} aria-invalid=${this.faults.length > 0}
        aria-describedby=${describedBy('command', hint, this.faults)} @input=${(event: Event) => this.#edit({ shell: typedIn(event) })}
      ></textarea>
      ${below('command', hint, this.faults)}
    `;
  }

  #words() {
    const { words } = this.form;
    const rows = words.length === 0 ? [''] : words;
    return html`
      <ol>
        ${rows.map(
          (word, at) => html`
            <li>
              <span class="number" aria-hidden="true">${at === 0 ? '' : at}</span>
              <textarea
                id="word-${at}" rows="1" spellcheck="false" autocapitalize="none" .value=${live(word)}
                aria-label=${at === 0 ? nothing : `Argument ${at}`} aria-invalid=${this.faults.length > 0}
                aria-describedby="words-hint" placeholder=${at === 0 ? 'program, e.g. python' : nothing}
                @input=${(event: Event) => this.#edit({ words: rows.with(at, typedIn(event)) })}
                @keydown=${(event: KeyboardEvent) => this.#pressed(event, at, rows)}
              ></textarea>
              <button type="button" class="icon quiet" aria-label=${at === 0 ? 'Remove the program' : `Remove argument ${at}`} ?disabled=${words.length === 0} @click=${() => this.#remove(at, rows)}><svg-icon .icon=${X}></svg-icon></button>
            </li>
          `,
        )}
      </ol>
      <div class="row tight spread">
        <p class="hint" id="words-hint">One word a field, without quotes; no shell reads it. Enter adds a field, Shift+Enter a line.</p>
        <button type="button" class="small" @click=${() => this.#insert(rows.length - 1, rows)}><svg-icon .icon=${Plus}></svg-icon>Add an argument</button>
      </div>
      ${faultList('word-0', this.faults)}
      ${words.some((word) => word !== '') ? html`<code class="preview">${quoteWords(words)}</code>` : nothing}
    `;
  }

  /** What is there already goes along into the other form, if that is still empty. */
  #become(commandForm: FormState['commandForm']): void {
    const { shell, words } = this.form;
    if (commandForm === 'exec' && words.length === 0 && shell.trim() !== '') {
      this.#edit({ commandForm, words: splitWords(shell) ?? [shell] });
    } else if (commandForm === 'shell' && shell.trim() === '' && words.some((word) => word !== '')) {
      this.#edit({ commandForm, shell: quoteWords(words) });
    } else this.#edit({ commandForm });
  }

  #pressed(event: KeyboardEvent, at: number, rows: readonly string[]): void {
    if (event.key === 'Enter' && !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.isComposing) {
      event.preventDefault();
      this.#insert(at, rows);
    } else if (event.key === 'Backspace' && rows[at] === '' && rows.length > 1) {
      event.preventDefault();
      this.#remove(at, rows);
    }
  }

  #insert(after: number, rows: readonly string[]): void {
    this.#edit({ words: rows.toSpliced(after + 1, 0, '') });
    void this.#focusWord(after + 1);
  }

  #remove(at: number, rows: readonly string[]): void {
    this.#edit({ words: rows.toSpliced(at, 1) });
    void this.#focusWord(Math.max(0, at - 1));
  }

  async #focusWord(at: number): Promise<void> {
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>(`#word-${at}`)?.focus();
  }

  #edit(change: Partial<FormState>): void {
    this.form = { ...this.form, ...change };
    this.dispatchEvent(new EditEvent(change));
  }
}

function typedIn(event: Event): string {
  return (event.target as HTMLTextAreaElement).value;
}
