// Ctrl-K: to any page, task, worker or action by a few letters. A combobox with a list, as WAI-ARIA describes it: the
// focus stays in the field, the arrows move the chosen entry. Sends `action` with what is to be done.

import { css, html, LitElement, nothing } from 'lit';
import { Search } from 'lucide';
import { errorWords } from '../../data/error-words.ts';
import type { Router } from '../../data/router.ts';
import type { Session } from '../../data/session.ts';
import { base, controls, dialogs } from '../../styles/shared.ts';
import { matching, type PaletteAction, type PaletteEntry } from './entries.ts';
import { fixedEntries, foundEntries } from './sources.ts';

/** Typing goes on for so long before the API is asked. */
const PAUSE_MS = 150;

export class ActionEvent extends Event {
  readonly action: PaletteAction;

  constructor(action: PaletteAction) {
    super('action');
    this.action = action;
  }
}

export class CommandPalette extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    query: { state: true },
    found: { state: true },
    chosen: { state: true },
    asking: { state: true },
    fault: { state: true },
  };
  declare session: Session;
  declare router: Router;
  declare query: string;
  declare found: readonly PaletteEntry[];
  /** Place of the chosen entry in what is shown. */
  declare chosen: number;
  declare asking: boolean;
  declare fault: string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | null = null;

  static override styles = [
    base,
    controls,
    dialogs,
    css`
      dialog { width: min(38rem, calc(100vw - 1.5rem)); padding: 0; margin-top: min(12vh, 7rem); overflow: hidden; }
      .field { display: flex; align-items: center; gap: var(--space-2); padding: 0 var(--space-4); border-bottom: 1px solid var(--line); }
      .field svg-icon { color: var(--ink-soft); }
      input { border: 0; background: none; min-height: 3.25rem; padding: 0; font-size: var(--text-large); }
      .field:focus-within { box-shadow: inset 0 0 0 2px var(--focus); border-radius: var(--radius) var(--radius) 0 0; }
      input:focus-visible { outline: none; }
      .list { max-height: min(26rem, 60vh); overflow-y: auto; padding: var(--space-2); overscroll-behavior: contain; }
      .group { padding: var(--space-2) var(--space-2) var(--space-1); font-size: var(--text-small); font-weight: 600; color: var(--ink-soft); }
      .entry { display: flex; align-items: center; gap: var(--space-3); padding: 0.45rem var(--space-2); border-radius: var(--radius-small); cursor: pointer; }
      .entry svg-icon { color: var(--ink-soft); }
      .entry[aria-selected='true'] { background: var(--accent-wash); box-shadow: inset 2px 0 0 var(--accent); }
      .entry .soft { margin-left: auto; flex: 0 1 auto; }
      .entry .name { flex: 0 1 auto; }
      .none { padding: var(--space-4); color: var(--ink-soft); text-align: center; overflow-wrap: anywhere; }
      .foot { display: flex; gap: var(--space-4); padding: var(--space-2) var(--space-4); border-top: 1px solid var(--line); color: var(--ink-soft); font-size: var(--text-small); }
      @media (max-width: 34rem) { .foot { display: none; } dialog { margin-top: 0.75rem; } }
    `,
  ];

  constructor() {
    super();
    this.query = '';
    this.found = [];
    this.chosen = 0;
    this.asking = false;
    this.fault = '';
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop();
  }

  show(): void {
    const box = this.#box;
    if (!box || box.open) return;
    this.query = '';
    this.found = [];
    this.chosen = 0;
    this.fault = '';
    box.showModal();
  }

  override render() {
    const shown = this.#shown;
    return html`
      <dialog aria-label="Jump to" @close=${this.#stop} @click=${this.#clicked}>
        <div class="field">
          <svg-icon .icon=${Search}></svg-icon>
          <input
            type="text" role="combobox" aria-label="Page, task, worker or action" placeholder="Page, task, worker or action" autocomplete="off" autocapitalize="none" spellcheck="false"
            aria-expanded="true" aria-controls="list" aria-autocomplete="list" aria-activedescendant=${shown[this.chosen] ? `entry-${this.chosen}` : nothing}
            .value=${this.query} @input=${this.#typed} @keydown=${this.#pressed} autofocus
          />
        </div>
        <div class="list" id="list" role="listbox" aria-label="What goes by it">
          ${shown.map((entry, place) => this.#entry(entry, place, shown[place - 1]))}
        </div>
        ${this.#rest(shown.length)}
        <div class="foot" aria-hidden="true"><span><kbd>↑</kbd> <kbd>↓</kbd> choose</span><span><kbd>↵</kbd> open</span><span><kbd>Esc</kbd> close</span></div>
      </dialog>
    `;
  }

  override updated(changed: Map<string, unknown>): void {
    if (changed.has('chosen')) {
      this.renderRoot.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
    }
  }

  get #box(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }

  get #shown(): readonly PaletteEntry[] {
    const { user } = this.session;
    return user ? [...matching(fixedEntries(user), this.query), ...this.found] : [];
  }

  #entry(entry: PaletteEntry, place: number, before: PaletteEntry | undefined) {
    const isChosen = place === this.chosen;
    // While something is typed the best come first, whatever they are: groups would tear them apart.
    const heading =
      before?.group === entry.group || (this.query !== '' && before && !this.found.includes(entry))
        ? nothing
        : entry.group;
    return html`
      ${heading === nothing ? nothing : html`<div class="group" role="presentation">${heading}</div>`}
      <div
        class="entry" id="entry-${place}" role="option" aria-selected=${isChosen}
        @click=${() => this.#run(entry)} @pointermove=${() => this.#choose(place)}
      >
        <svg-icon .icon=${entry.icon}></svg-icon><span class="name cut">${entry.label}</span>${entry.hint ? html`<span class="soft small cut">${entry.hint}</span>` : nothing}
      </div>
    `;
  }

  #rest(count: number) {
    if (this.fault !== '') return html`<p class="none" role="alert">${this.fault}</p>`;
    if (this.asking) return html`<p class="unseen" role="status">Searching</p>`;
    return count === 0
      ? html`<p class="none" role="status">Nothing goes by “${this.query}”</p>`
      : html`<p class="unseen" role="status">${this.query === '' ? '' : `${count} found`}</p>`;
  }

  #typed(event: Event): void {
    this.query = (event.target as HTMLInputElement).value;
    this.chosen = 0;
    this.fault = '';
    this.#stop();
    if (this.query.trim() === '') {
      this.found = [];
      return;
    }
    this.asking = true;
    this.#timer = setTimeout(() => void this.#find(this.query), PAUSE_MS);
  }

  async #find(query: string): Promise<void> {
    const running = new AbortController();
    this.#running = running;
    try {
      const found = await foundEntries(this.session, query, running.signal);
      if (!running.signal.aborted) this.found = found;
    } catch (error) {
      if (!running.signal.aborted) this.fault = errorWords(error as Error).what;
    } finally {
      if (this.#running === running) this.asking = false;
    }
  }

  #pressed(event: KeyboardEvent): void {
    const count = this.#shown.length;
    const moves: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    const by = moves[event.key];
    if (by !== undefined && count > 0) {
      event.preventDefault();
      const next = this.chosen + by;
      // One by one it goes round; in leaps it stops at the ends.
      this.#choose(Math.abs(by) === 1 ? (next + count) % count : Math.min(count - 1, Math.max(0, next)));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      const entry = this.#shown[this.chosen];
      if (entry) this.#run(entry);
    }
  }

  #choose(place: number): void {
    this.chosen = place;
  }

  #run(entry: PaletteEntry): void {
    this.#box?.close();
    if ('href' in entry.run) this.router.go(entry.run.href);
    else this.dispatchEvent(new ActionEvent(entry.run.action));
  }

  #clicked(event: MouseEvent): void {
    if (event.target === event.currentTarget) this.#box?.close();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = null;
    this.asking = false;
  }
}
