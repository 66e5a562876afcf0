// The task of the form as JSON, for curl and for the command line, to be copied. Values of secrets are not in it.

import { css, html, LitElement, nothing } from 'lit';
import type { SubmitBody } from '../../../shared/contracts/http.ts';
import { cliText, curlText, jsonText } from '../../data/same-commands.ts';
import { base, controls } from '../../styles/shared.ts';

const TABS = [
  { id: 'cli', label: 'Command line' },
  { id: 'curl', label: 'curl' },
  { id: 'json', label: 'JSON' },
] as const;
type Tab = (typeof TABS)[number]['id'];

export class SamePanel extends LitElement {
  static override properties = {
    body: { attribute: false },
    copies: { type: Number },
    tab: { state: true },
  };
  declare body: SubmitBody | null;
  declare copies: number;
  declare tab: Tab;

  static override styles = [
    base,
    controls,
    css`
      .tabs { display: flex; gap: var(--space-1); }
      .bar { margin: var(--space-2) 0 var(--space-2); border-bottom: 1px solid var(--line); flex-wrap: nowrap; }
      .tabs button { border: 0; border-bottom: 2px solid transparent; border-radius: 0; background: none; color: var(--ink-soft); padding: 0.35rem var(--space-2); min-height: 2rem; font-size: var(--text-small); margin-bottom: -1px; }
      .tabs button[aria-selected='true'] { color: var(--ink); border-color: var(--accent); }
      pre { margin: 0; padding: var(--space-3); border-radius: var(--radius-small); background: var(--sunken); font: 0.8125rem/1.5 var(--mono); max-height: 18rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
      .foot { margin-top: var(--space-2); }
    `,
  ];

  constructor() {
    super();
    this.body = null;
    this.copies = 1;
    this.tab = 'cli';
  }

  override render() {
    const { text, notes } = this.#content();
    return html`
      <h2 id="same">The same from elsewhere</h2>
      <div class="row tight spread bar">
      <div class="tabs" role="tablist" aria-labelledby="same" @keydown=${this.#pressed}>
        ${TABS.map(
          ({ id, label }) =>
            html`<button type="button" role="tab" id="tab-${id}" aria-controls="text" aria-selected=${id === this.tab} tabindex=${id === this.tab ? 0 : -1} @click=${() => this.#choose(id)}>${label}</button>`,
        )}
      </div>
      ${text === '' ? nothing : html`<copy-button wide label="Copy" .text=${text}></copy-button>`}
      </div>
      <pre id="text" role="tabpanel" aria-labelledby="tab-${this.tab}" tabindex="0">${text || 'Name an image first.'}</pre>
      ${notes.map((note) => html`<p class="hint">${note}</p>`)}
    `;
  }

  #content(): { text: string; notes: readonly string[] } {
    const { body, copies } = this;
    if (!body) return { text: '', notes: [] };
    if (this.tab === 'cli') return cliText(body, copies);
    const notes = body.secrets.length > 0 ? ['Put the values of secrets in place of ********.'] : [];
    return {
      text: this.tab === 'curl' ? curlText(body, location.origin, copies) : jsonText(body, copies),
      notes,
    };
  }

  #choose(tab: Tab): void {
    this.tab = tab;
  }

  async #pressed(event: KeyboardEvent): Promise<void> {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const at = TABS.findIndex(({ id }) => id === this.tab);
    const next = TABS[(at + step + TABS.length) % TABS.length];
    if (!next) return;
    this.#choose(next.id);
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>(`#tab-${next.id}`)?.focus();
  }
}
