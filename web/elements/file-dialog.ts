// A file's preview over the page: `<file-dialog .session=${session} .file=${file} .user=${name} @close=${…}>`. Open while
// `file` is there; sends `close` when the person closes it, and the page then takes `file` away (and out of its address).

import { css, html, LitElement, nothing } from 'lit';
import { X } from 'lucide';
import type { Session } from '../data/session.ts';
import { base, controls, dialogs } from '../styles/shared.ts';
import { CopyButton } from './copy-button.ts';
import type { Elements } from './define.ts';
import { FilePreview, type PreviewFile } from './file-preview.ts';

class FileDialog extends LitElement {
  static override properties = { session: { attribute: false }, file: { attribute: false }, user: {} };
  declare session: Session;
  declare file: PreviewFile | null;
  declare user: string | undefined;

  static override styles = [
    base,
    controls,
    dialogs,
    css`
      dialog { width: min(60rem, calc(100vw - 2rem)); max-width: none; padding: var(--space-4); }
      header { display: flex; gap: var(--space-3); align-items: start; justify-content: space-between; }
      h2 { overflow-wrap: anywhere; min-width: 0; }
    `,
  ];

  constructor() {
    super();
    this.file = null;
    this.user = undefined;
  }

  override render() {
    const { file } = this;
    return html`
      <dialog aria-labelledby="name" @close=${this.#closed} @click=${this.#clicked}>
        ${
          file
            ? html`
                <header>
                  <h2 id="name">${file.path}</h2>
                  <button class="icon small quiet" aria-label="Close" title="Close" @click=${this.#shut}><svg-icon .icon=${X}></svg-icon></button>
                </header>
                <file-preview .session=${this.session} .file=${file} .user=${this.user}></file-preview>
              `
            : nothing
        }
      </dialog>
    `;
  }

  override updated(): void {
    const box = this.#box;
    if (this.file && !box?.open) box?.showModal();
    else if (!this.file && box?.open) box.close();
  }

  get #box(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }

  #shut(): void {
    this.#box?.close();
  }

  #clicked(event: MouseEvent): void {
    if (event.target === event.currentTarget) this.#shut();
  }

  #closed(): void {
    if (this.file) this.dispatchEvent(new Event('close'));
  }
}

export const filePreviewElements: Elements = {
  'copy-button': CopyButton,
  'file-preview': FilePreview,
  'file-dialog': FileDialog,
};
