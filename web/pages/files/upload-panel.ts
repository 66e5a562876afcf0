// Where files are picked or dropped to be uploaded, and how far they are. Sends `uploaded` when one is in its place.

import { css, html, LitElement, nothing } from 'lit';
import { Upload } from 'lucide';
import type { FileBody } from '../../../shared/contracts/files.ts';
import type { Session } from '../../data/session.ts';
import { type UploadList, uploadsOf } from '../../data/uploads/upload-list.ts';
import { pathIn } from '../../data/uploads/upload-plan.ts';
import { ask } from '../../shell/asking.ts';
import { tellFault } from '../../shell/telling.ts';
import { base, controls } from '../../styles/shared.ts';

export class UploadPanel extends LitElement {
  static override properties = {
    session: { attribute: false },
    existing: { attribute: false },
    over: { state: true },
  };
  declare session: Session;
  /** What is there: nothing takes its place unasked. */
  declare existing: readonly FileBody[];
  /** Files are held over the panel. */
  declare over: boolean;
  #list: UploadList | null = null;
  readonly #onChange = () => this.requestUpdate();
  readonly #onDone = () => this.dispatchEvent(new Event('uploaded'));

  static override styles = [
    base,
    controls,
    css`
      .drop { display: grid; grid-template-columns: minmax(0, 1fr) minmax(12rem, 18rem); gap: var(--space-3) var(--space-4); align-items: center; border: 1px dashed var(--line-strong); border-radius: var(--radius-small); padding: var(--space-4); }
      .drop[data-over] { border-color: var(--accent); background: var(--accent-wash); }
      input[type='file'] { position: absolute; width: 1px; height: 1px; min-height: 0; padding: 0; border: 0; overflow: hidden; clip-path: inset(50%); }
      @media (max-width: 44rem) { .drop { grid-template-columns: minmax(0, 1fr); } }
    `,
  ];

  constructor() {
    super();
    this.existing = [];
    this.over = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#list = uploadsOf(this.session);
    this.#list.addEventListener('change', this.#onChange);
    this.#list.addEventListener('done', this.#onDone);
    this.#list.recall().catch((error) => tellFault(this, 'Could not ask for unfinished uploads', error));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#list?.removeEventListener('change', this.#onChange);
    this.#list?.removeEventListener('done', this.#onDone);
  }

  override render() {
    const items = this.#list?.items ?? [];
    return html`
      <section class="panel stack" aria-label="Upload">
        <div class="drop" ?data-over=${this.over} @dragover=${this.#dragged} @dragleave=${this.#left} @drop=${this.#dropped}>
          <div class="row">
            <button class="primary" @click=${this.#pick}><svg-icon .icon=${Upload}></svg-icon>Upload files</button>
            <span class="soft">or drop them here. Tasks find them at /input.</span>
            <input type="file" multiple tabindex="-1" aria-label="Files to upload" @change=${this.#picked} />
          </div>
          <div><label for="folder">Into the folder</label><input id="folder" placeholder="none" autocapitalize="none" spellcheck="false" autocomplete="off" /></div>
        </div>
        ${items.length > 0 ? html`<upload-rows .list=${this.#list} .items=${[...items]}></upload-rows>` : nothing}
      </section>
    `;
  }

  #pick(): void {
    this.renderRoot.querySelector<HTMLInputElement>('input[type=file]')?.click();
  }

  #picked(event: Event): void {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    // The same file may be picked again.
    input.value = '';
    void this.#add(files);
  }

  #dragged(event: DragEvent): void {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    this.over = true;
  }

  #left(): void {
    this.over = false;
  }

  #dropped(event: DragEvent): void {
    event.preventDefault();
    this.over = false;
    void this.#add([...(event.dataTransfer?.files ?? [])]);
  }

  async #add(files: readonly File[]): Promise<void> {
    const folder = this.renderRoot.querySelector<HTMLInputElement>('#folder')?.value ?? '';
    const wanted = files.map((file) => ({ file, path: pathIn(folder, file.name) }));
    const there = new Set(this.existing.filter(({ task_id }) => task_id === null).map(({ path }) => path));
    const taken = wanted.filter(({ path }) => there.has(path));
    if (taken.length > 0 && !(await this.#mayReplace(taken.map(({ path }) => path)))) return;
    for (const { file, path } of wanted) this.#list?.add(path, file);
  }

  async #mayReplace(paths: readonly string[]): Promise<boolean> {
    const [first = ''] = paths;
    const answer = await ask(this, {
      heading: paths.length === 1 ? `Replace ${first}?` : `Replace ${paths.length} files?`,
      text: `There ${paths.length === 1 ? 'is an upload' : 'are uploads'} of this name. The new bytes take the place of the old ones.`,
      confirm: 'Replace',
    });
    return answer !== null;
  }
}
