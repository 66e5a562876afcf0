// What can be done with an output: search, choose what of it is shown and how, take it along. Says what was asked for;
// does none of it.

import { css, html, LitElement, nothing } from 'lit';
import {
  CaseSensitive,
  ChevronDown,
  ChevronUp,
  Copy,
  Download,
  Maximize2,
  Minimize2,
  Regex,
  WrapText,
} from 'lucide';
import { base, controls } from '../../styles/shared.ts';
import type { Stream } from './log-lines.ts';
import type { Times } from './log-row.ts';
import type { SearchTerms } from './log-search.ts';

export type Tool =
  | { readonly kind: 'search'; readonly terms: SearchTerms }
  | { readonly kind: 'step'; readonly direction: 1 | -1 }
  | { readonly kind: 'stream'; readonly stream: Stream | null }
  | { readonly kind: 'attempt'; readonly attempt: number | null }
  | { readonly kind: 'times'; readonly times: Times }
  | { readonly kind: 'line'; readonly seq: number }
  | { readonly kind: 'wrap' | 'tall' | 'copy' | 'download' };

/** What the search has to say of itself. */
export interface Findings {
  /** Counted from 1; 0 while none was stepped to. */
  readonly place: number;
  readonly count: number;
  /** There are more, which are not counted. */
  readonly isFull: boolean;
  /** Why the pattern is none. */
  readonly fault: string | null;
}

export class LogTools extends LitElement {
  static override properties = {
    terms: { attribute: false },
    findings: { attribute: false },
    stream: {},
    times: {},
    wrap: { type: Boolean },
    tall: { type: Boolean },
    attempt: { type: Number },
    attempts: { type: Number },
    saving: { type: Boolean },
  };
  declare terms: SearchTerms;
  declare findings: Findings | null;
  declare stream: Stream | null;
  declare times: Times;
  declare wrap: boolean;
  declare tall: boolean;
  /** Null: all of them. */
  declare attempt: number | null;
  /** How many there are. */
  declare attempts: number;
  declare saving: boolean;

  static override styles = [
    base,
    controls,
    css`
      :host { display: flex; flex-wrap: wrap; gap: var(--space-2); align-items: center; }
      select, input { width: auto; min-height: 1.875rem; padding: 0.15rem 0.5rem; font-size: var(--text-small); }
      .search { display: flex; flex: 1 1 28rem; align-items: center; gap: var(--space-1); min-width: 0; }
      .search input { flex: 1; min-width: 5rem; }
      .found { min-width: 4.5rem; text-align: center; white-space: nowrap; }
      .line { width: 6rem; }
      button.icon.small { width: 1.875rem; }
      .fault { flex-basis: 100%; margin: 0; overflow-wrap: anywhere; }
    `,
  ];

  constructor() {
    super();
    this.terms = { text: '', isPattern: false, matchCase: false };
    this.findings = null;
    this.stream = null;
    this.times = 'off';
    this.wrap = true;
    this.tall = false;
    this.attempt = null;
    this.attempts = 1;
    this.saving = false;
  }

  focusSearch(): void {
    const field = this.renderRoot.querySelector<HTMLInputElement>('#search');
    field?.focus();
    field?.select();
  }

  override render() {
    const { terms, findings, wrap, tall } = this;
    const fault = findings?.fault ?? null;
    return html`
      <div class="search" role="search" aria-label="Output">
        <input id="search" type="search" placeholder="Search" aria-label="Search the output" autocomplete="off" spellcheck="false"
          .value=${terms.text} aria-invalid=${fault ? 'true' : 'false'} @input=${this.#typed} @keydown=${this.#pressed} />
        ${this.#icon(CaseSensitive, 'Match case', () => this.#search({ matchCase: !terms.matchCase }), terms.matchCase)}
        ${this.#icon(Regex, 'Regular expression', () => this.#search({ isPattern: !terms.isPattern }), terms.isPattern)}
        <span class="found soft small number" role="status">${findings && !fault ? foundWords(findings) : nothing}</span>
        ${this.#icon(ChevronUp, 'Previous find', () => this.#say({ kind: 'step', direction: -1 }), null, !findings?.count)}
        ${this.#icon(ChevronDown, 'Next find', () => this.#say({ kind: 'step', direction: 1 }), null, !findings?.count)}
      </div>
      ${
        this.attempts > 1
          ? html`<select aria-label="Attempt" @change=${(event: Event) => this.#say({ kind: 'attempt', attempt: Number(typedIn(event)) || null })}>
              <option value="" ?selected=${this.attempt === null}>All attempts</option>
              ${Array.from({ length: this.attempts }, (_none, at) => html`<option value=${at + 1} ?selected=${this.attempt === at + 1}>Attempt ${at + 1}</option>`)}
            </select>`
          : nothing
      }
      <select aria-label="Stream" @change=${(event: Event) => this.#say({ kind: 'stream', stream: (typedIn(event) || null) as Stream | null })}>
        <option value="" ?selected=${this.stream === null}>stdout, stderr</option>
        <option value="stdout" ?selected=${this.stream === 'stdout'}>stdout</option>
        <option value="stderr" ?selected=${this.stream === 'stderr'}>stderr</option>
      </select>
      <select aria-label="Times" @change=${(event: Event) => this.#say({ kind: 'times', times: typedIn(event) as Times })}>
        <option value="off" ?selected=${this.times === 'off'}>No times</option>
        <option value="relative" ?selected=${this.times === 'relative'}>Since start</option>
        <option value="absolute" ?selected=${this.times === 'absolute'}>Time of day</option>
      </select>
      <input class="line" type="number" min="1" inputmode="numeric" placeholder="Line" aria-label="Go to line" @keydown=${this.#lineKeyed} />
      ${this.#icon(WrapText, 'Wrap lines', () => this.#say({ kind: 'wrap' }), wrap)}
      ${this.#icon(Copy, 'Copy all that is loaded', () => this.#say({ kind: 'copy' }))}
      ${this.#icon(Download, this.saving ? 'Downloading…' : 'Download the whole output', () => this.#say({ kind: 'download' }), null, this.saving)}
      ${this.#icon(tall ? Minimize2 : Maximize2, 'Full height', () => this.#say({ kind: 'tall' }), tall)}
      ${fault ? html`<p class="fault" role="alert">${fault}</p>` : nothing}
    `;
  }

  #icon(icon: typeof Copy, label: string, act: () => void, pressed: boolean | null = null, disabled = false) {
    return html`<button class="icon small quiet" type="button" aria-label=${label} title=${label} aria-pressed=${pressed === null ? nothing : pressed} ?disabled=${disabled} @click=${act}><svg-icon .icon=${icon}></svg-icon></button>`;
  }

  #typed(event: Event): void {
    this.#search({ text: typedIn(event) });
  }

  #pressed(event: KeyboardEvent): void {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    this.#say({ kind: 'step', direction: event.shiftKey ? -1 : 1 });
  }

  #lineKeyed(event: KeyboardEvent): void {
    const seq = Number(typedIn(event));
    if (event.key === 'Enter' && Number.isInteger(seq) && seq > 0) this.#say({ kind: 'line', seq });
  }

  #search(change: Partial<SearchTerms>): void {
    this.#say({ kind: 'search', terms: { ...this.terms, ...change } });
  }

  #say(tool: Tool): void {
    this.dispatchEvent(new CustomEvent<Tool>('tool', { detail: tool }));
  }
}

function typedIn(event: Event): string {
  return (event.target as HTMLInputElement | HTMLSelectElement).value;
}

function foundWords({ place, count, isFull }: Findings): string {
  const all = `${count.toLocaleString()}${isFull ? '+' : ''}`;
  if (count === 0) return 'no find';
  return place > 0 ? `${place.toLocaleString()} of ${all}` : all;
}
