// Which uploads the task reads at /input. The list is fetched when it is first looked at. Sends EditEvent.

import { css, html, LitElement, nothing } from 'lit';
import { X } from 'lucide';
import { byteSize } from '../../../client/words.ts';
import type { FileBody } from '../../../shared/contracts/files.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls } from '../../styles/shared.ts';
import { faultList } from './fields.ts';
import { EditEvent } from './form-events.ts';

const PAGE = 1_000;
/** Pages of the list; outputs of tasks are among them. */
const MOST_PAGES = 10;
const SHOWN = 60;

export class FilesPicker extends LitElement {
  static override properties = {
    session: { attribute: false },
    chosen: { attribute: false },
    faults: { attribute: false },
    active: { type: Boolean },
    uploads: { state: true },
    error: { state: true },
    search: { state: true },
  };
  declare session: Session;
  declare chosen: readonly string[];
  declare faults: readonly string[];
  /** Somebody looks at it. */
  declare active: boolean;
  declare uploads: readonly FileBody[] | null;
  declare error: Error | null;
  declare search: string;
  #running: AbortController | null = null;

  static override styles = [
    base,
    controls,
    css`
      .chosen { display: flex; flex-wrap: wrap; gap: var(--space-2); margin-bottom: var(--space-3); }
      .chip { padding-right: 0.1rem; }
      .chip code { overflow-wrap: anywhere; }
      .chip button { min-height: 1.5rem; width: 1.5rem; padding: 0; }
      .chip.missing { background: var(--queued-wash); color: var(--queued); }
      .found { max-height: 16rem; overflow-y: auto; border: 1px solid var(--line); border-radius: var(--radius-small); margin-top: var(--space-2); }
      .found li { border-top: 1px solid var(--line); }
      .found li:first-child { border-top: 0; }
      .found label { display: flex; gap: var(--space-3); align-items: center; padding: 0.4rem var(--space-3); margin: 0; font-weight: 400; cursor: pointer; }
      .found label:hover { background: var(--sunken); }
      .found .path { flex: 1; min-width: 0; overflow-wrap: anywhere; }
    `,
  ];

  constructor() {
    super();
    this.chosen = [];
    this.faults = [];
    this.active = false;
    this.uploads = null;
    this.error = null;
    this.search = '';
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#running?.abort();
    this.#running = null;
  }

  override updated(changed: Map<string, unknown>): void {
    if (changed.has('active') && this.active && this.uploads === null) void this.#load();
  }

  override render() {
    const known = this.uploads && new Set(this.uploads.map(({ path }) => path));
    return html`
      ${
        this.chosen.length > 0
          ? html`<ul class="chosen" aria-label="Chosen files">
              ${this.chosen.map((path) => {
                const isMissing = known !== null && !known.has(path);
                return html`<li class="chip ${isMissing ? 'missing' : ''}"><code>/input/${path}</code>${isMissing ? ' not uploaded' : ''}<button type="button" class="icon quiet" aria-label="Leave out ${path}" @click=${() => this.#set(path, false)}><svg-icon .icon=${X}></svg-icon></button></li>`;
              })}
            </ul>`
          : nothing
      }
      ${faultList('files', this.faults)} ${this.error ? errorNotice(this.error, () => void this.#load()) : this.#list()}
    `;
  }

  #list() {
    if (this.uploads === null) return html`<notice-box kind="loading"></notice-box>`;
    if (this.uploads.length === 0) {
      return html`<p class="hint">Nothing is uploaded yet. <a href="/files">Upload files</a>, then choose them here; the task finds them below /input.</p>`;
    }
    const wanted = this.search.trim().toLowerCase();
    const found = this.uploads.filter(({ path }) => path.toLowerCase().includes(wanted));
    return html`
      <label for="search">Search your uploads</label>
      <input id="search" type="search" .value=${this.search} autocomplete="off" autocapitalize="none" spellcheck="false" @input=${(
        event: Event,
      ) => {
        this.search = (event.target as HTMLInputElement).value;
      }} />
      ${
        found.length > 0
          ? html`<ul class="found" aria-label="Your uploads" tabindex="-1">
              ${found.slice(0, SHOWN).map(
                ({ path, size_bytes: size }) => html`
                  <li>
                    <label><input type="checkbox" .checked=${this.chosen.includes(path)} @change=${(event: Event) => this.#set(path, (event.target as HTMLInputElement).checked)} /><span class="path">${path}</span><span class="soft small number">${byteSize(size)}</span></label>
                  </li>
                `,
              )}
            </ul>`
          : html`<p class="hint">No upload has “${this.search}” in its path.</p>`
      }
      ${found.length > SHOWN ? html`<p class="hint">${(found.length - SHOWN).toLocaleString()} more: search to see them.</p>` : nothing}
    `;
  }

  #set(path: string, isChosen: boolean): void {
    const others = this.chosen.filter((one) => one !== path);
    this.chosen = isChosen ? [...others, path] : others;
    this.dispatchEvent(new EditEvent({ files: this.chosen }));
  }

  async #load(): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.error = null;
    try {
      const uploads: FileBody[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const query = { limit: PAGE, cursor, signal: running.signal };
        const reply = await this.session.client.listFiles(query);
        uploads.push(...reply.files.filter(({ task_id: task }) => task === null));
        if (reply.next_cursor === null) break;
        cursor = reply.next_cursor;
      }
      this.uploads = uploads;
    } catch (error) {
      if (!running.signal.aborted) this.error = error as Error;
    }
  }
}
