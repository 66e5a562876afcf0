// Draws the questions of asking.ts, one at a time. Escape and a click beside it are a no.

import { css, html, LitElement, nothing } from 'lit';
import { base, controls, dialogs } from '../styles/shared.ts';
import type { AskEvent } from './asking.ts';

export class AskDialog extends LitElement {
  static override properties = { asked: { state: true } };
  declare asked: AskEvent | null;

  static override styles = [
    base,
    controls,
    dialogs,
    css`
      dialog { max-width: min(28rem, calc(100vw - 2rem)); }
      .text { margin: var(--space-2) 0 var(--space-4); color: var(--ink-soft); overflow-wrap: anywhere; }
      .tick { margin-bottom: var(--space-4); }
    `,
  ];

  constructor() {
    super();
    this.asked = null;
  }

  async ask(event: AskEvent): Promise<void> {
    this.asked?.answer(null);
    this.asked = event;
    await this.updateComplete;
    const box = this.renderRoot.querySelector('dialog');
    if (!box) return;
    box.returnValue = '';
    if (!box.open) box.showModal();
  }

  override render() {
    const question = this.asked?.question;
    return html`
      <dialog aria-labelledby="heading" @close=${this.#closed} @click=${this.#clicked}>
        ${
          question
            ? html`
                <form method="dialog">
                  <h2 id="heading">${question.heading}</h2>
                  <div class="text">${question.text}</div>
                  ${question.tick ? html`<label class="tick"><input type="checkbox" name="tick" />${question.tick}</label>` : nothing}
                  <div class="row end">
                    <button value="">${question.keep ?? 'Keep it'}</button>
                    <button class=${question.danger ? 'danger solid' : 'primary'} value="yes">${question.confirm}</button>
                  </div>
                </form>
              `
            : nothing
        }
      </dialog>
    `;
  }

  #clicked(event: MouseEvent): void {
    const box = event.currentTarget as HTMLDialogElement;
    if (event.target === box) box.close('');
  }

  #closed(event: Event): void {
    const box = event.currentTarget as HTMLDialogElement;
    const ticked = box.querySelector<HTMLInputElement>('[name=tick]')?.checked ?? false;
    const { asked } = this;
    this.asked = null;
    asked?.answer(box.returnValue === 'yes' ? { ticked } : null);
  }
}
