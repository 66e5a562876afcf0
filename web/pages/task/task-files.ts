// The files a task left: what they are called, how large they are, one by one or all together as an archive.

import { css, html, LitElement, nothing } from 'lit';
import { byteSize, fileCount } from '../../../client/words.ts';
import type { FileBody, TaskFileListReply } from '../../../shared/contracts/files.ts';
import { saveFile } from '../../data/save-file.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls, tables } from '../../styles/shared.ts';

const PAGE = 100;

export class TaskFiles extends LitElement {
  static override properties = {
    session: { attribute: false },
    taskId: {},
    version: {},
    files: { state: true },
    error: { state: true },
    saving: { state: true },
  };
  declare session: Session;
  declare taskId: string;
  /** Another value asks for the list again: the task has ended, or a new attempt has. */
  declare version: string;
  declare files: TaskFileListReply | null;
  declare error: Error | null;
  /** What is being saved: a path, or `*` for all. */
  declare saving: string | null;
  #loading = 0;

  static override styles = [
    base,
    controls,
    tables,
    css`
      .head { margin-bottom: var(--space-3); }
      td.size { white-space: nowrap; text-align: right; }
      td.act { text-align: right; width: 1%; overflow-wrap: normal; white-space: nowrap; }
      th.size { text-align: right; }
      button { min-height: 2rem; padding: 0.25rem 0.7rem; font-size: var(--text-small); }
      .more { padding-top: var(--space-3); text-align: center; }
      @media (max-width: 44rem) { td.size, td.act { text-align: left; width: auto; } }
    `,
  ];

  constructor() {
    super();
    this.taskId = '';
    this.version = '';
    this.files = null;
    this.error = null;
    this.saving = null;
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has('taskId') && this.taskId !== '') this.files = null;
    if (changed.has('taskId') || changed.has('version')) void this.#load();
  }

  override render() {
    const { files, error } = this;
    return html`
      <div class="row spread head">
        <h2>Files</h2>
        ${
          files && files.files.length > 0
            ? html`<div class="row">
                <span class="soft small">${fileCount(files.total.files)}, ${byteSize(files.total.bytes)}</span>
                <button @click=${() => this.#saveAll('tar.gz')} ?disabled=${this.saving !== null}>${this.saving === '*' ? 'Saving…' : 'All as tar.gz'}</button>
                <button @click=${() => this.#saveAll('zip')} ?disabled=${this.saving !== null}>as zip</button>
              </div>`
            : nothing
        }
      </div>
      ${errorNotice(error, () => void this.#load())} ${this.#list()}
    `;
  }

  #list() {
    const { files } = this;
    if (!files) return this.error ? nothing : html`<notice-box kind="loading"></notice-box>`;
    if (files.files.length === 0) {
      return html`<p class="soft small">None. What the program writes to <code>/output</code> is kept here when it has ended.</p>`;
    }
    return html`
      <table>
        <thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col" class="size">Size</th><th><span class="unseen">Save</span></th></tr></thead>
        <tbody>${files.files.map((file) => this.#row(file))}</tbody>
      </table>
      ${files.next_cursor === null ? nothing : html`<div class="more"><button @click=${() => void this.#load(files.next_cursor)}>Load more</button></div>`}
    `;
  }

  #row(file: FileBody) {
    const { path, content_type, size_bytes, sha256 } = file;
    return html`
      <tr>
        <td data-label="Name"><code title="sha-256 ${sha256}">${path}</code></td>
        <td data-label="Type" class="soft small">${content_type}</td>
        <td data-label="Size" class="size number">${byteSize(size_bytes)}</td>
        <td class="act"><button @click=${() => this.#save(file)} ?disabled=${this.saving !== null} aria-label="Save ${path}">${this.saving === path ? 'Saving…' : 'Save'}</button></td>
      </tr>
    `;
  }

  async #load(cursor: string | null = null): Promise<void> {
    if (this.taskId === '') return;
    this.#loading += 1;
    const mine = this.#loading;
    try {
      const reply = await this.session.client.listTaskFiles(this.taskId, {
        limit: PAGE,
        cursor: cursor ?? undefined,
      });
      if (mine !== this.#loading) return;
      const before = cursor === null ? [] : (this.files?.files ?? []);
      this.files = { ...reply, files: [...before, ...reply.files] };
      this.error = null;
    } catch (error) {
      if (mine === this.#loading) this.error = error as Error;
    }
  }

  #save(file: FileBody): void {
    void this.#saving(file.path, async () => {
      const { body, contentType } = await this.session.client.downloadFile(file);
      await saveFile(body, file.path.slice(file.path.lastIndexOf('/') + 1), contentType);
    });
  }

  #saveAll(format: 'tar.gz' | 'zip'): void {
    void this.#saving('*', async () => {
      const body = await this.session.client.downloadArchive(this.taskId, { format });
      await saveFile(body, `${this.taskId}.${format}`, 'application/octet-stream');
    });
  }

  async #saving(what: string, save: () => Promise<void>): Promise<void> {
    this.saving = what;
    this.error = null;
    try {
      await save();
    } catch (error) {
      this.error = error as Error;
    } finally {
      this.saving = null;
    }
  }
}
