// What stands where data would: still loading, nothing there, or what went wrong and what to do about it.

import { css, html, LitElement, nothing } from 'lit';
import { base, controls } from '../styles/shared.ts';

export type NoticeKind = 'loading' | 'empty' | 'error';

/** Sends `retry` when the user asks to try again. */
export class NoticeBox extends LitElement {
  static override properties = { kind: { reflect: true }, heading: {}, retry: { type: Boolean } };
  declare kind: NoticeKind;
  declare heading: string;
  /** Offers to try again. */
  declare retry: boolean;

  static override styles = [
    base,
    controls,
    css`
      :host { padding: var(--space-5) var(--space-4); text-align: center; color: var(--ink-soft); }
      .heading { color: var(--ink); font-weight: 600; }
      :host([kind='error']) { text-align: left; padding: var(--space-3) var(--space-4); background: var(--bad-wash); border-radius: var(--radius-small); color: var(--ink); }
      :host([kind='error']) .heading { color: var(--bad); }
      .dot { display: inline-block; width: 0.5rem; height: 0.5rem; margin-right: var(--space-2); border-radius: 50%; background: var(--accent); }
      button { margin-top: var(--space-3); }
      @media (prefers-reduced-motion: no-preference) {
        .dot { animation: breathe 1.2s ease-in-out infinite; }
        @keyframes breathe { 50% { opacity: 0.25; } }
      }
    `,
  ];

  constructor() {
    super();
    this.kind = 'loading';
    this.heading = '';
    this.retry = false;
  }

  override render() {
    const dot = this.kind === 'loading' ? html`<span class="dot"></span>` : nothing;
    return html`
      <div role=${this.kind === 'error' ? 'alert' : 'status'}>
        <p class="heading">${dot}${this.heading || (this.kind === 'loading' ? 'Loading…' : '')}</p>
        <slot></slot>
      </div>
      ${this.retry ? html`<button @click=${this.#retry}>Try again</button>` : nothing}
    `;
  }

  #retry(): void {
    this.dispatchEvent(new Event('retry'));
  }
}
