// Uploads on their way: how far each is, and what can be done with it.

import { css, html, LitElement, nothing } from 'lit';
import { Pause, Play, X } from 'lucide';
import { byteSize } from '../../../client/words.ts';
import { errorWords } from '../../data/error-words.ts';
import type { UploadItem, UploadList } from '../../data/uploads/upload-list.ts';
import { base, controls } from '../../styles/shared.ts';

export class UploadRows extends LitElement {
  static override properties = {
    list: { attribute: false },
    items: { attribute: false },
    refused: { state: true },
  };
  declare list: UploadList;
  declare items: readonly UploadItem[];
  /** Why a file that was given again is not the one that was begun. */
  declare refused: { readonly item: UploadItem; readonly why: string } | null;

  static override styles = [
    base,
    controls,
    css`
      li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: var(--space-1) var(--space-3); align-items: center; padding: var(--space-2) 0; border-top: 1px solid var(--line); }
      li:first-child { border-top: 0; }
      .name { overflow-wrap: anywhere; }
      progress { appearance: none; width: 100%; height: 0.375rem; border: 0; border-radius: 1rem; background: var(--sunken); overflow: hidden; display: block; }
      progress::-webkit-progress-bar { background: var(--sunken); }
      progress::-webkit-progress-value { background: var(--accent); }
      progress::-moz-progress-bar { background: var(--accent); }
      .done { color: var(--good); }
      .bad { color: var(--bad); }
      input[type='file'] { position: absolute; width: 1px; height: 1px; min-height: 0; padding: 0; border: 0; overflow: hidden; clip-path: inset(50%); }
    `,
  ];

  constructor() {
    super();
    this.items = [];
    this.refused = null;
  }

  override render() {
    const over = this.items.filter(({ state }) => state === 'done');
    return html`
      <div>
        <ul aria-label="Uploads">${this.items.map((item, index) => this.#row(item, index))}</ul>
        ${over.length > 0 ? html`<button class="small quiet" @click=${() => this.#clear(over)}>Clear what is finished</button>` : nothing}
      </div>
    `;
  }

  #row(item: UploadItem, index: number) {
    const { path, sizeBytes, offset, state } = item;
    return html`
      <li>
        <span class="name">${path}</span>
        <span class="row tight">${this.#actions(item, index)}</span>
        ${state === 'done' ? nothing : html`<progress max=${Math.max(1, sizeBytes)} value=${offset} aria-label=${path}></progress><span></span>`}
        <span class="small number ${state === 'done' ? 'done' : state === 'failed' ? 'bad' : 'soft'}">${words(item)}</span>
        ${this.refused?.item === item ? html`<span></span><p class="fault" role="alert">That is another file: ${this.refused.why}. Choose the one this upload was begun with.</p>` : nothing}
      </li>
    `;
  }

  #actions(item: UploadItem, index: number) {
    const { list } = this;
    const { state, path } = item;
    const drop = html`<button class="icon small quiet" aria-label=${state === 'done' ? `Clear ${path}` : `Give up ${path}`} title=${state === 'done' ? 'Clear' : 'Give up'} @click=${() => void list.drop(item)}><svg-icon .icon=${X}></svg-icon></button>`;
    switch (state) {
      case 'queued':
      case 'sending':
      case 'waiting':
        return html`<button class="icon small quiet" aria-label="Pause ${path}" title="Pause" @click=${() => list.pause(item)}><svg-icon .icon=${Pause}></svg-icon></button>${drop}`;
      case 'paused':
      case 'failed':
        return html`<button class="small" aria-label="Go on with ${path}" @click=${() => list.resume(item)}><svg-icon .icon=${Play}></svg-icon>${state === 'paused' ? 'Go on' : 'Try again'}</button>${drop}`;
      case 'lost':
        return html`
          <button class="small" @click=${() => this.#choose(index)}>Choose the file again</button>
          <input type="file" id="again-${index}" tabindex="-1" aria-label="The file of ${path}" @change=${(event: Event) => this.#given(item, event)} />
          ${drop}
        `;
      case 'done':
        return drop;
    }
  }

  #choose(index: number): void {
    this.renderRoot.querySelector<HTMLInputElement>(`#again-${index}`)?.click();
  }

  #given(item: UploadItem, event: Event): void {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    input.value = '';
    if (!file) return;
    const why = this.list.giveAgain(item, file);
    this.refused = why === null ? null : { item, why };
  }

  #clear(items: readonly UploadItem[]): void {
    for (const item of items) void this.list.drop(item);
  }
}

function words({ state, sizeBytes, offset, fault }: UploadItem): string {
  const percent = sizeBytes === 0 ? 0 : Math.floor((100 * offset) / sizeBytes);
  const far = `${byteSize(offset)} of ${byteSize(sizeBytes)} (${percent}%)`;
  switch (state) {
    case 'queued':
      return `waits for its turn · ${byteSize(sizeBytes)}`;
    case 'sending':
      return offset === sizeBytes && sizeBytes > 0 ? 'is put together' : far;
    case 'waiting':
      return `${far} · ${fault ? errorWords(fault).what.toLowerCase() : 'no connection'}; it is tried again by itself`;
    case 'paused':
      return `${far} · paused`;
    case 'lost':
      return `${far} · begun earlier; the browser needs the file again to go on`;
    case 'failed':
      return `${far} · ${fault ? errorWords(fault).what : 'failed'}`;
    case 'done':
      return `uploaded · ${byteSize(sizeBytes)}`;
  }
}
