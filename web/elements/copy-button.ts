// Copies a text and says so: `<copy-button .text=${id} label="Copy the id">`. With `wide` the label stands beside the
// icon.

import { css, html, LitElement, nothing } from 'lit';
import { Check, Copy } from 'lucide';
import { copyText } from '../data/copy-text.ts';
import { tellFault } from '../shell/telling.ts';
import { base, controls } from '../styles/shared.ts';

const SHOWN_MS = 2_000;

export class CopyButton extends LitElement {
  static override properties = {
    text: { attribute: false },
    label: {},
    wide: { type: Boolean },
    copied: { state: true },
  };
  /** What is copied; a function is asked when the button is pressed. */
  declare text: string | (() => string);
  /** What the button does, in words. */
  declare label: string;
  declare wide: boolean;
  declare copied: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;

  static override styles = [
    base,
    controls,
    css`
      :host { display: inline-flex; }
      .done { color: var(--good); }
    `,
  ];

  constructor() {
    super();
    this.text = '';
    this.label = 'Copy';
    this.wide = false;
    this.copied = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.copied = false;
  }

  override render() {
    const icon = html`<svg-icon class=${this.copied ? 'done' : nothing} .icon=${this.copied ? Check : Copy}></svg-icon>`;
    return html`
      <button
        type="button" class=${this.wide ? 'small' : 'icon small quiet'} @click=${this.#copy}
        aria-label=${this.wide ? nothing : this.label} title=${this.wide ? nothing : this.label}
      >${icon}${this.wide ? html`<span>${this.copied ? 'Copied' : this.label}</span>` : nothing}</button>
      <span class="unseen" role="status">${this.copied ? 'Copied' : ''}</span>
    `;
  }

  async #copy(): Promise<void> {
    try {
      await copyText(typeof this.text === 'function' ? this.text() : this.text, this);
      this.copied = true;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => {
        this.copied = false;
      }, SHOWN_MS);
    } catch (error) {
      tellFault(this, 'Could not copy it', error);
    }
  }
}
