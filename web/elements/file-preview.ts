// What is in a file: text, a table, a picture, or in words what it is. Never as a document: nothing in a file can run.
//
//   <file-preview .session=${session} .file=${file} .user=${name}></file-preview>
//
// `file` is a FileBody, or only its path (with task_id and attempt for an output): an address may know no more. `user`
// only where an admin looks at another's upload. It fetches by itself when `file` becomes another, stops when it leaves
// the page, and draws its own loading, empty and error states, its facts and its save button. For a dialog around it see
// file-dialog.ts; a page names the elements of both with `filePreviewElements`.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { Download, WrapText } from 'lucide';
import type { FileOf } from '../../client/client.ts';
import { byteSize } from '../../client/words.ts';
import type { FileBody } from '../../shared/contracts/files.ts';
import { nameOf } from '../data/file-kinds.ts';
import { type OpenedFile, openFile, type Shown } from '../data/file-opening.ts';
import { saveFile } from '../data/save-file.ts';
import type { Session } from '../data/session.ts';
import { base, controls } from '../styles/shared.ts';
import { errorNotice } from './error-notice.ts';
import { cellTable, previewStyles } from './file-preview-parts.ts';

export type PreviewFile = FileOf & Partial<Pick<FileBody, 'created_at'>>;

type TextShown = Extract<Shown, { kind: 'text' }>;

export class FilePreview extends LitElement {
  static override properties = {
    session: { attribute: false },
    file: { attribute: false },
    user: {},
    opened: { state: true },
    error: { state: true },
    saving: { state: true },
    saveError: { state: true },
    wrapped: { state: true },
    raw: { state: true },
    broken: { state: true },
  };
  declare session: Session;
  declare file: PreviewFile | null;
  declare user: string | undefined;
  declare opened: OpenedFile | null;
  declare error: Error | null;
  declare saving: boolean;
  declare saveError: Error | null;
  declare wrapped: boolean;
  /** As it is written, instead of laid out or as a table. */
  declare raw: boolean;
  /** The browser cannot draw the picture. */
  declare broken: boolean;
  #running: AbortController | null = null;
  #key = '';
  #picture = '';

  static override styles = [base, controls, previewStyles, css`:host { min-width: 0; }`];

  constructor() {
    super();
    this.file = null;
    this.user = undefined;
    this.opened = null;
    this.error = null;
    this.saving = false;
    this.saveError = null;
    this.wrapped = true;
    this.raw = false;
    this.broken = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#running?.abort();
    this.#key = '';
    this.#forget();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate();
  }

  override willUpdate(): void {
    const { file } = this;
    // Lists are asked for again and again: the same file as another object is no news.
    const key = file
      ? JSON.stringify([file.path, file.task_id, file.attempt, file.created_at, this.user])
      : '';
    if (key === this.#key || !this.isConnected) return;
    this.#key = key;
    this.saveError = null;
    this.raw = false;
    void this.#open();
  }

  override render() {
    const { file, opened, error } = this;
    if (!file) return nothing;
    return html`
      <div class="head">
        <p class="soft small number facts">${opened ? facts(opened, file) : ' '}</p>
        <div class="row tight">${opened ? this.#switches(opened.shown) : nothing}<button class="small" @click=${this.#save} ?disabled=${this.saving}><svg-icon .icon=${Download}></svg-icon>${this.saving ? 'Saving…' : 'Save'}</button></div>
      </div>
      ${errorNotice(this.saveError)} ${errorNotice(error, () => void this.#open())}
      ${opened ? this.#content(opened, nameOf(file.path)) : error ? nothing : html`<notice-box kind="loading"></notice-box>`}
    `;
  }

  #switches(shown: Shown) {
    if (shown.kind !== 'text') return nothing;
    const isPlain = this.raw || shown.table === null;
    return html`
      ${shown.table || shown.laidOut ? html`<button class="small" aria-pressed=${this.raw} @click=${this.#toggleRaw}>As written</button>` : nothing}
      ${isPlain ? html`<button class="small" aria-pressed=${this.wrapped} @click=${this.#toggleWrap}><svg-icon .icon=${WrapText}></svg-icon>Wrap</button>` : nothing}
      <copy-button wide label="Copy" .text=${this.#textOf(shown)}></copy-button>
    `;
  }

  #content({ facts: { sizeBytes }, shown }: OpenedFile, name: string): TemplateResult {
    switch (shown.kind) {
      case 'empty':
        return html`<notice-box kind="empty" heading="The file is empty"></notice-box>`;
      case 'none':
        return html`<notice-box kind="empty" heading="No preview"><p>${shown.why} Save it to open it on your machine.</p></notice-box>`;
      case 'image':
        return this.broken
          ? html`<notice-box kind="empty" heading="The picture cannot be drawn"><p>It may be damaged, or not what its name says. Save it to look at it.</p></notice-box>`
          : html`<div class="picture"><img src=${this.#picture} alt=${name} @error=${this.#onBroken} /></div>`;
      case 'text': {
        const { table, bytes, isWhole } = shown;
        const rest = isWhole
          ? nothing
          : html`<p class="soft small rest">These are the first ${byteSize(bytes)} of ${byteSize(sizeBytes)}. Save the file to see the rest.</p>`;
        if (table && !this.raw) return html`${cellTable(table, name)}${rest}`;
        return html`<pre class=${this.wrapped ? 'wrapped' : ''} tabindex="0" role="region" aria-label="Content of ${name}">${this.#textOf(shown)}</pre>${rest}`;
      }
    }
  }

  #textOf({ text, laidOut }: TextShown): string {
    return this.raw ? text : (laidOut ?? text);
  }

  async #open(): Promise<void> {
    this.#running?.abort();
    this.#forget();
    const { file } = this;
    if (!file) return;
    const running = new AbortController();
    this.#running = running;
    try {
      const opened = await openFile(this.session.client, file, { user: this.user, signal: running.signal });
      if (running.signal.aborted) return;
      if (opened.shown.kind === 'image') this.#picture = URL.createObjectURL(opened.shown.blob);
      this.opened = opened;
    } catch (error) {
      if (!running.signal.aborted) this.error = error as Error;
    }
  }

  #forget(): void {
    if (this.#picture !== '') URL.revokeObjectURL(this.#picture);
    this.#picture = '';
    this.opened = null;
    this.error = null;
    this.broken = false;
  }

  async #save(): Promise<void> {
    const { file } = this;
    if (!file) return;
    this.saving = true;
    this.saveError = null;
    try {
      const { body, contentType } = await this.session.client.downloadFile(file, { user: this.user });
      await saveFile(body, nameOf(file.path), contentType);
    } catch (error) {
      this.saveError = error as Error;
    } finally {
      this.saving = false;
    }
  }

  #toggleWrap(): void {
    this.wrapped = !this.wrapped;
  }

  #toggleRaw(): void {
    this.raw = !this.raw;
  }

  #onBroken(): void {
    this.broken = true;
  }
}

function facts({ facts: { sizeBytes, contentType, sha256 } }: OpenedFile, { created_at }: PreviewFile) {
  const type = contentType.split(';')[0];
  return html`
    ${byteSize(sizeBytes)} · ${type}${created_at ? html` · <time-ago at=${created_at}></time-ago>` : nothing} ·
    <span title=${sha256}>sha-256 ${sha256.slice(0, 12)}…</span>
  `;
}
