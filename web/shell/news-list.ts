// Draws the news of telling.ts at the edge of the page.

import { css, html, LitElement, nothing } from 'lit';
import { CircleAlert, CircleCheck, X } from 'lucide';
import { base, controls } from '../styles/shared.ts';
import type { News } from './telling.ts';

const SHOWN_MS = 6_000;
const MOST = 4;

interface Shown extends News {
  readonly id: number;
}

export class NewsList extends LitElement {
  static override properties = { shown: { state: true } };
  declare shown: readonly Shown[];
  #last = 0;

  static override styles = [
    base,
    controls,
    css`
      :host { position: fixed; right: var(--space-4); bottom: var(--space-4); z-index: 30; width: min(24rem, calc(100vw - 2rem)); display: grid; gap: var(--space-2); pointer-events: none; }
      .news { pointer-events: auto; display: flex; gap: var(--space-2); align-items: flex-start; padding: var(--space-3); border-radius: var(--radius); background: var(--raised); border: 1px solid var(--line); box-shadow: var(--shadow-high); }
      .news p { flex: 1; min-width: 0; overflow-wrap: anywhere; }
      svg-icon { margin-top: 0.2rem; }
      .good svg-icon.kind { color: var(--good); } .bad svg-icon.kind { color: var(--bad); }
      button { margin: -0.25rem -0.25rem -0.25rem 0; }
      @media (prefers-reduced-motion: no-preference) {
        .news { animation: rise 160ms ease-out; }
        @keyframes rise { from { opacity: 0; translate: 0 0.5rem; } }
      }
    `,
  ];

  constructor() {
    super();
    this.shown = [];
  }

  tell(news: News): void {
    const id = ++this.#last;
    this.shown = [...this.shown, { ...news, id }].slice(-MOST);
    if (news.kind === 'good') setTimeout(() => this.#drop(id), SHOWN_MS);
  }

  override render() {
    return html`
      <div role="status" aria-live="polite" class="stack tight">
        ${this.shown.map(
          ({ id, kind, text, link }) => html`
            <div class="news ${kind}">
              <svg-icon class="kind" .icon=${kind === 'good' ? CircleCheck : CircleAlert}></svg-icon>
              <p>${text} ${link ? html`<a href=${link.href}>${link.text}</a>` : nothing}</p>
              <button class="icon quiet" aria-label="Dismiss" @click=${() => this.#drop(id)}><svg-icon .icon=${X}></svg-icon></button>
            </div>
          `,
        )}
      </div>
    `;
  }

  #drop(id: number): void {
    this.shown = this.shown.filter((news) => news.id !== id);
  }
}
