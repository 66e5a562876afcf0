// Files in groups that fold: uploads are open, what tasks left is opened when it is wanted. Sends `save-file` and
// `delete-file` with the file.

import { css, html, LitElement, nothing } from 'lit';
import { Download, Trash2 } from 'lucide';
import { byteSize, fileCount } from '../../../client/words.ts';
import type { FileBody } from '../../../shared/contracts/files.ts';
import { base, controls, tables } from '../../styles/shared.ts';
import type { FileGroup } from './file-groups.ts';

/** More rows are drawn when they are asked for. */
const ROWS = 100;
/** Groups, likewise. */
const GROUPS = 50;

export class FileGroupList extends LitElement {
  static override properties = {
    groups: { attribute: false },
    all: { attribute: false },
    deletable: { type: Boolean },
    hrefOf: { attribute: false },
    opened: { state: true },
    rows: { state: true },
    shown: { state: true },
  };
  declare groups: readonly FileGroup[];
  /** All groups are open: something was searched for. */
  declare all: boolean;
  /** Whether deleting is for whoever looks. */
  declare deletable: boolean;
  /** Where a file is looked at. */
  declare hrefOf: (file: FileBody) => string;
  declare opened: ReadonlyMap<string, boolean>;
  declare rows: ReadonlyMap<string, number>;
  declare shown: number;

  static override styles = [
    base,
    controls,
    tables,
    css`
      details { border-top: 1px solid var(--line); }
      details:first-of-type { border-top: 0; }
      summary { display: flex; flex-wrap: wrap; gap: var(--space-1) var(--space-3); align-items: baseline; padding: var(--space-3) 0; color: var(--ink); list-style-position: inside; min-width: 0; }
      summary::before { content: '▸'; color: var(--ink-soft); width: 1ch; }
      details[open] > summary::before { content: '▾'; }
      summary::-webkit-details-marker { display: none; }
      summary .soft { font-weight: 400; margin-left: auto; }
      summary .id { font-weight: 400; margin: 0 0 0 var(--space-2); font-size: var(--text-small); }
      .to { margin-bottom: var(--space-2); }
      .to a { display: inline-flex; align-items: center; min-height: 1.5rem; }
      table { margin-bottom: var(--space-3); }
      td.path { width: 50%; }
      td.act { width: 1%; white-space: nowrap; }
      td.number, td.when { white-space: nowrap; }
      @media (max-width: 44rem) {
        summary { display: grid; grid-template-columns: 1ch minmax(0, 1fr); }
        summary .soft { grid-column: 2; margin-left: 0; }
      }
      @media (max-width: 44rem) { td.path, td.act { width: auto; } td.type { display: none; } }
    `,
  ];

  constructor() {
    super();
    this.groups = [];
    this.all = false;
    this.deletable = false;
    this.opened = new Map();
    this.rows = new Map();
    this.shown = GROUPS;
  }

  override render() {
    const more = this.groups.length - this.shown;
    return html`
      ${this.groups.slice(0, this.shown).map((group) => this.#group(group))}
      ${more > 0 ? html`<button class="small" @click=${this.#showGroups}>Show ${Math.min(more, GROUPS)} more of ${more.toLocaleString()} tasks</button>` : nothing}
    `;
  }

  #group(group: FileGroup) {
    const key = group.taskId ?? '';
    const isOpen = this.opened.get(key) ?? (this.all || group.taskId === null || this.groups.length === 1);
    return html`
      <details ?open=${isOpen} @toggle=${(event: Event) => this.#toggled(key, event)}>
        <summary>
          <span class="cut">${group.taskId === null ? 'Uploads' : taskTitle(group)}</span>
          <span class="soft small number">${fileCount(group.files.length)}, ${byteSize(group.bytes)} · <time-ago at=${group.newestAt}></time-ago></span>
        </summary>
        ${isOpen ? this.#content(group, key) : nothing}
      </details>
    `;
  }

  #content({ taskId, files }: FileGroup, key: string) {
    const rows = this.rows.get(key) ?? ROWS;
    const attempts = new Set(files.map(({ attempt }) => attempt)).size > 1;
    const more = files.length - rows;
    return html`
      ${taskId === null ? nothing : html`<p class="to small"><a href="/tasks/${taskId}">To the task</a></p>`}
      <table role="table">
        <thead role="rowgroup"><tr role="row"><th role="columnheader">Name</th><th role="columnheader" class="right">Size</th><th role="columnheader">Type</th><th role="columnheader">When</th><th role="columnheader"><span class="unseen">Actions</span></th></tr></thead>
        <tbody role="rowgroup">${files.slice(0, rows).map((file) => this.#row(file, attempts))}</tbody>
      </table>
      ${more > 0 ? html`<p class="to"><button class="small" @click=${() => this.#showRows(key, rows)}>Show ${Math.min(more, rows)} more of ${more.toLocaleString()}</button></p>` : nothing}
    `;
  }

  #row(file: FileBody, attempts: boolean) {
    const { path, size_bytes, content_type, created_at, attempt } = file;
    return html`
      <tr role="row">
        <td role="cell" class="path" data-label="Name"><div><a href=${this.hrefOf(file)}>${path}</a>${attempts ? html` <span class="chip">attempt ${attempt}</span>` : nothing}</div></td>
        <td role="cell" class="number right" data-label="Size">${byteSize(size_bytes)}</td>
        <td role="cell" class="type soft small" data-label="Type">${content_type.split(';')[0]}</td>
        <td role="cell" class="when" data-label="When"><time-ago at=${created_at}></time-ago></td>
        <td role="cell" class="act right" data-label="">
          <div>
            <button class="icon small quiet" aria-label="Save ${path}" title="Save" @click=${() => this.#send('save-file', file)}><svg-icon .icon=${Download}></svg-icon></button>
            ${this.deletable ? html`<button class="icon small quiet" aria-label="Delete ${path}" title="Delete" @click=${() => this.#send('delete-file', file)}><svg-icon .icon=${Trash2}></svg-icon></button>` : nothing}
          </div>
        </td>
      </tr>
    `;
  }

  #toggled(key: string, event: Event): void {
    const { open } = event.currentTarget as HTMLDetailsElement;
    if (this.opened.get(key) !== open) this.opened = new Map([...this.opened, [key, open]]);
  }

  #showRows(key: string, rows: number): void {
    this.rows = new Map([...this.rows, [key, rows * 2]]);
  }

  #showGroups(): void {
    this.shown += GROUPS;
  }

  #send(type: 'save-file' | 'delete-file', file: FileBody): void {
    this.dispatchEvent(new CustomEvent<FileBody>(type, { detail: file }));
  }
}

function taskTitle({ taskId, taskName }: FileGroup) {
  if (taskName === '') return html`Task <span class="mono">${taskId}</span>`;
  return html`${taskName} <span class="mono soft id">${taskId}</span>`;
}
