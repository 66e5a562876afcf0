// The files a task left, in their folders: looked into, saved one by one or all together, deleted. The chosen attempt,
// the search and the opened file stand in the address.

import { css, html, LitElement, nothing } from 'lit';
import { Download, Trash2 } from 'lucide';
import { byteSize, fileCount } from '../../../client/words.ts';
import type { FileBody } from '../../../shared/contracts/files.ts';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import { nameOf } from '../../data/file-kinds.ts';
import type { Router } from '../../data/router.ts';
import type { Route } from '../../data/routes.ts';
import { saveFile } from '../../data/save-file.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { ask } from '../../shell/asking.ts';
import { tell, tellFault } from '../../shell/telling.ts';
import { base, controls } from '../../styles/shared.ts';
import { type Folder, findFiles, foldersOf } from './file-folders.ts';
import { fileIcon, fileListStyles } from './file-list-parts.ts';
import { attemptOf, taskAddress } from './task-address.ts';
import { MOST_FILES, TaskFileList } from './task-file-list.ts';

/** More are drawn when asked for: ten thousand rows would make the page slow. */
const DRAWN = 300;
/** From here on there is a search. */
const MANY = 20;

export class TaskFiles extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
    task: { attribute: false },
    saving: { state: true },
    drawn: { state: true },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;
  declare task: TaskBody;
  /** What is being saved: a path, or `*` for all. */
  declare saving: string | null;
  declare drawn: number;
  #asked = '';
  readonly #list = new TaskFileList(this, () => ({
    session: this.session,
    taskId: this.task.task_id,
    attempt: attemptOf(this.route),
  }));

  static override styles = [base, controls, fileListStyles, css`:host { min-width: 0; }`];

  constructor() {
    super();
    this.saving = null;
    this.drawn = DRAWN;
  }

  override willUpdate(): void {
    const { task_id, status, attempt } = this.task;
    // They are there when an attempt has ended.
    const whose = `${task_id} ${attemptOf(this.route) ?? ''}`;
    const asked = `${whose} ${status} ${attempt}`;
    if (asked === this.#asked) return;
    if (!this.#asked.startsWith(`${whose} `)) {
      this.#list.forget();
      this.drawn = DRAWN;
    }
    this.#asked = asked;
    void this.#list.reload().then(() => {
      if (this.#find !== '') void this.#list.all();
    });
  }

  override render() {
    const { files, error } = this.#list;
    return html`
      <div class="head">
        <h2>Files</h2>
        <div class="row tight">${this.#attempts()} ${files && files.length > 0 ? this.#forAll() : nothing}</div>
      </div>
      ${errorNotice(error, () => void this.#list.reload())} ${files ? this.#all(files) : error ? nothing : html`<notice-box kind="loading"></notice-box>`}
    `;
  }

  get #find(): string {
    return this.route.query.get('find') ?? '';
  }

  #attempts() {
    const { attempts } = this.task;
    if (attempts.length < 2) return nothing;
    const chosen = attemptOf(this.route) ?? this.#list.attempt ?? attempts.length;
    return html`
      <label class="row tight attempt">Attempt
        <select @change=${this.#choose}>${attempts.map(({ attempt, state }) => html`<option value=${attempt} ?selected=${attempt === chosen}>${attempt} · ${state}</option>`)}</select>
      </label>
    `;
  }

  #forAll() {
    const { total } = this.#list;
    const busy = this.saving !== null;
    return html`
      <span class="soft small number">${fileCount(total.files)}, ${byteSize(total.bytes)}</span>
      <button class="small" @click=${() => this.#saveAll('zip')} ?disabled=${busy}><svg-icon .icon=${Download}></svg-icon>${this.saving === '*' ? 'Saving…' : 'All as zip'}</button>
      <button class="small" @click=${() => this.#saveAll('tar.gz')} ?disabled=${busy}>tar.gz</button>
      ${this.session.may('file.delete') ? html`<button class="small danger" @click=${this.#deleteAll}>Delete all</button>` : nothing}
    `;
  }

  #all(files: readonly FileBody[]) {
    const { total, hasMore, isBusy } = this.#list;
    if (files.length === 0) {
      const isOver = this.task.finished_at !== null;
      return html`<notice-box kind="empty" heading=${isOver ? 'It left no files' : 'No files yet'}><p>What the program writes to <code>/output</code> is kept here when it has ended.</p></notice-box>`;
    }
    const found = findFiles(files, this.#find);
    const shown = found.slice(0, this.drawn);
    const isMore = found.length > shown.length || hasMore;
    return html`
      ${
        total.files > MANY || this.#find !== ''
          ? html`<input class="find" type="search" aria-label="Find files" placeholder="Find files" .value=${this.#find} @input=${this.#search} />
              <p class="soft small" role="status">${this.#find === '' ? '' : `${fileCount(found.length)} found${hasMore ? (isBusy ? ', still looking…' : ` among the first ${MOST_FILES.toLocaleString()}`) : ''}`}</p>`
          : nothing
      }
      ${foldersOf(shown).map((folder) => this.#folder(folder))}
      ${isMore ? html`<p class="more"><button class="small" @click=${this.#more} ?disabled=${isBusy}>${isBusy ? 'Loading…' : 'Show more'}</button></p>` : nothing}
    `;
  }

  #folder({ path, files, bytes }: Folder) {
    return html`
      ${path === '' ? nothing : html`<h3>${path}/ <span class="number">${fileCount(files.length)}, ${byteSize(bytes)}</span></h3>`}
      <ul class=${path === '' ? '' : 'inside'}>${files.map((file) => this.#row(file))}</ul>
    `;
  }

  #row(file: FileBody) {
    const { path, content_type, size_bytes } = file;
    const { saving } = this;
    return html`
      <li>
        <a class="name" href=${taskAddress(this.route, { view: 'files', file: path })}><svg-icon .icon=${fileIcon(file)}></svg-icon><span>${nameOf(path)}</span></a>
        <span class="type soft small cut">${content_type.split(';')[0]}</span>
        <span class="size small number">${byteSize(size_bytes)}</span>
        <span class="act">
          <button class="icon small quiet" @click=${() => this.#save(file)} ?disabled=${saving !== null} aria-label="Save ${path}" title="Save"><svg-icon .icon=${Download}></svg-icon></button>
          ${this.session.may('file.delete') ? html`<button class="icon small quiet" @click=${() => this.#delete(file)} aria-label="Delete ${path}" title="Delete"><svg-icon .icon=${Trash2}></svg-icon></button>` : nothing}
        </span>
      </li>
    `;
  }

  #go(changes: Parameters<typeof taskAddress>[1]): void {
    this.router.go(taskAddress(this.route, changes), { replace: true });
  }

  #choose(event: Event): void {
    this.#go({ attempt: (event.target as HTMLSelectElement).value, file: null });
  }

  #search(event: Event): void {
    this.drawn = DRAWN;
    this.#go({ find: (event.target as HTMLInputElement).value });
    if (!this.#list.isBusy) void this.#list.all();
  }

  #more(): void {
    this.drawn += DRAWN;
    if (this.drawn > (this.#list.files?.length ?? 0) && this.#list.hasMore) void this.#list.more();
  }

  #save(file: FileBody): void {
    void this.#saving(file.path, async () => {
      const { body, contentType } = await this.session.client.downloadFile(file);
      await saveFile(body, nameOf(file.path), contentType);
    });
  }

  #saveAll(format: 'tar.gz' | 'zip'): void {
    void this.#saving('*', async () => {
      const attempt = this.#list.attempt ?? undefined;
      const body = await this.session.client.downloadArchive(this.task.task_id, { format, attempt });
      await saveFile(body, `${this.task.task_id}.${format}`, 'application/octet-stream');
    });
  }

  async #saving(what: string, save: () => Promise<void>): Promise<void> {
    this.saving = what;
    try {
      await save();
    } catch (error) {
      tellFault(this, 'Could not save it', error);
    } finally {
      this.saving = null;
    }
  }

  async #delete(file: FileBody): Promise<void> {
    const heading = `Delete ${nameOf(file.path)}?`;
    const text = `${file.path}, ${byteSize(file.size_bytes)}. It cannot be brought back.`;
    if (!(await ask(this, { heading, text, confirm: 'Delete the file', danger: true }))) return;
    await this.#deleting(`${file.path} is deleted`, () => this.session.client.deleteFile(file));
  }

  async #deleteAll(): Promise<void> {
    const { total } = this.#list;
    const attempt = this.#list.attempt ?? undefined;
    const heading = `Delete ${fileCount(total.files)}?`;
    const text = `All that attempt ${attempt} left, ${byteSize(total.bytes)}. It cannot be brought back.`;
    if (!(await ask(this, { heading, text, confirm: 'Delete them all', danger: true }))) return;
    await this.#deleting('The files are deleted', () =>
      this.session.client.deleteTaskFiles(this.task.task_id, { attempt }),
    );
  }

  async #deleting(done: string, remove: () => Promise<void>): Promise<void> {
    try {
      await remove();
      tell(this, done);
    } catch (error) {
      tellFault(this, 'Could not delete it', error);
    }
    await this.#list.reload();
  }
}
