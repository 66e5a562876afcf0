// All files of a user: what was uploaded and what tasks left. The search, the order, the opened file and, for admins,
// whose files they are stand in the address.

import { css, html, LitElement, nothing } from 'lit';
import { byteSize, fileCount } from '../../../client/words.ts';
import type { FileBody } from '../../../shared/contracts/files.ts';
import type { AccountBody } from '../../../shared/contracts/users.ts';
import { Poll } from '../../data/poll.ts';
import type { Router } from '../../data/router.ts';
import { addressOf, type Route } from '../../data/routes.ts';
import { saveFile } from '../../data/save-file.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import type { PreviewFile } from '../../elements/file-preview.ts';
import { ask } from '../../shell/asking.ts';
import { tell, tellFault } from '../../shell/telling.ts';
import { base, controls } from '../../styles/shared.ts';
import { type FileSort, fileGroups, SORTS } from './file-groups.ts';
import { type AllFiles, allFiles, MOST_FILES } from './file-pages.ts';

const SORT_WORDS: Readonly<Record<FileSort, string>> = {
  name: 'Name',
  size: 'Largest first',
  new: 'Newest first',
};
const TYPED_MS = 200;

export class FilesPage extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
    account: { state: true },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;
  declare account: AccountBody | null;
  readonly #files = new Poll<AllFiles>(this, { load: (signal) => this.#load(signal), everyMs: 20_000 });
  #timer: ReturnType<typeof setTimeout> | undefined;
  #user: string | undefined;

  static override styles = [
    base,
    controls,
    css`
      .tools { display: flex; flex-wrap: wrap; gap: var(--space-3); flex: 1 1 20rem; }
      .tools > :first-child { flex: 1 1 12rem; max-width: 24rem; }
      select { width: auto; }
      .sums { min-width: min(26rem, 100%); }
    `,
  ];

  constructor() {
    super();
    this.account = null;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  override willUpdate(): void {
    if (this.#whose === this.#user) return;
    this.#user = this.#whose;
    this.account = null;
    this.#files.restart();
  }

  override render() {
    const { data, error, loading } = this.#files;
    const whose = this.#whose;
    const search = this.route.query.get('q') ?? '';
    const groups = data ? fileGroups(data.files, search, this.#sort, data.names) : [];
    return html`
      <div class="stack">
        <div class="head">
          <h1 tabindex="-1">${whose === undefined ? 'Files' : `Files of ${whose}`}</h1>
          ${this.account && this.account.quota.upload_storage !== null ? html`<quota-bars class="sums" .account=${this.account} only="upload_storage"></quota-bars>` : nothing}
        </div>
        ${whose === undefined ? this.#upload(data?.files ?? []) : html`<p><a href="/files">To your own files</a></p>`}
        <section class="panel">
          <div class="head">
            <div class="tools">
              <div><label class="unseen" for="q">Search files</label><input id="q" type="search" placeholder="Search by name, type or task" .value=${search} @input=${this.#typed} /></div>
              <div><label class="unseen" for="sort">Order</label><select id="sort" @change=${this.#sorted}>${SORTS.map((sort) => html`<option value=${sort} ?selected=${sort === this.#sort}>${SORT_WORDS[sort]}</option>`)}</select></div>
            </div>
            <p class="soft small number" role="status">${data ? `${fileCount(data.total.files)}, ${byteSize(data.total.bytes)}` : ''}</p>
          </div>
          ${errorNotice(error, () => this.#files.refresh())}
          ${loading ? html`<notice-box kind="loading"></notice-box>` : nothing}
          ${data?.isCut ? html`<p class="soft small">Shown are the first ${MOST_FILES.toLocaleString()} by name. The command line lists all: cloudai files.</p>` : nothing}
          ${data && groups.length === 0 ? this.#nothing(search) : nothing}
          ${groups.length > 0 ? html`<file-group-list .groups=${groups} .all=${search !== ''} ?deletable=${this.session.may('file.delete')} .hrefOf=${(file: FileBody) => this.#address(opened(file))} @save-file=${this.#save} @delete-file=${this.#delete}></file-group-list>` : nothing}
        </section>
        <file-dialog .session=${this.session} .file=${this.#opened} .user=${whose} @close=${this.#shut}></file-dialog>
      </div>
    `;
  }

  #upload(existing: readonly FileBody[]) {
    if (!this.session.may('upload.begin')) return nothing;
    return html`<upload-panel .session=${this.session} .existing=${existing} @uploaded=${() => this.#files.refreshSoon()}></upload-panel>`;
  }

  #nothing(search: string) {
    if (search === '' && !this.session.may('upload.begin')) {
      return html`<notice-box kind="empty" heading="No files of your own"><p>What tasks of others left is on their pages: <a href="/tasks">see the tasks</a>.</p></notice-box>`;
    }
    return search === ''
      ? html`<notice-box kind="empty" heading="No files yet"><p>Upload some above, or let a task write to /output: what it leaves there is kept and listed here.</p></notice-box>`
      : html`<notice-box kind="empty" heading="No file matches"><p><a href=${this.#address({ q: null })}>Show all</a></p></notice-box>`;
  }

  /** Only admins may look at another's. */
  get #whose(): string | undefined {
    const user = this.route.query.get('user') ?? '';
    return user === '' || user === this.session.user?.username ? undefined : user;
  }

  get #sort(): FileSort {
    return SORTS.find((sort) => sort === this.route.query.get('sort')) ?? 'name';
  }

  get #opened(): PreviewFile | null {
    const { query } = this.route;
    const path = query.get('file');
    if (!path) return null;
    const known = this.#files.data?.files.find(
      (file) => file.path === path && (file.task_id ?? '') === (query.get('task') ?? ''),
    );
    const attempt = Number(query.get('attempt') ?? Number.NaN);
    const named = {
      path,
      task_id: query.get('task'),
      attempt: Number.isSafeInteger(attempt) ? attempt : null,
    };
    return known && (named.attempt === null || known.attempt === named.attempt) ? known : named;
  }

  async #load(signal: AbortSignal): Promise<AllFiles> {
    const { client } = this.session;
    const whose = this.#whose;
    const [files, account] = await Promise.all([
      allFiles(client, whose, signal),
      // The sums are worth a look, not a fault of the page.
      (whose === undefined ? client.me({ signal }) : client.getUser(whose, { signal })).catch(() => null),
    ]);
    if (!signal.aborted) this.account = account;
    return files;
  }

  #address(change: Readonly<Record<string, string | number | null>>): string {
    const kept = Object.fromEntries(['user', 'q', 'sort'].map((name) => [name, this.route.query.get(name)]));
    return addressOf('/files', { ...kept, ...change });
  }

  #typed(event: InputEvent): void {
    const text = (event.target as HTMLInputElement).value;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.router.go(this.#address({ q: text.trim() }), { replace: true }),
      TYPED_MS,
    );
  }

  #sorted(event: Event): void {
    const { value } = event.target as HTMLSelectElement;
    this.router.go(this.#address({ sort: value === 'name' ? null : value }), { replace: true });
  }

  #shut(): void {
    this.router.go(this.#address({}), { replace: true });
  }

  async #save({ detail: file }: CustomEvent<FileBody>): Promise<void> {
    try {
      const { body, contentType } = await this.session.client.downloadFile(file, { user: this.#whose });
      await saveFile(body, file.path.slice(file.path.lastIndexOf('/') + 1), contentType);
    } catch (error) {
      tellFault(this, `Could not save ${file.path}`, error);
    }
  }

  async #delete({ detail: file }: CustomEvent<FileBody>): Promise<void> {
    const of = file.task_id === null ? 'an upload' : 'what a task left';
    const answer = await ask(this, {
      heading: `Delete ${file.path}?`,
      text: `It is ${of}, ${byteSize(file.size_bytes)}. Deleted files are gone for good.`,
      confirm: 'Delete it',
      danger: true,
    });
    if (!answer) return;
    try {
      await this.session.client.deleteFile(file, { user: file.task_id === null ? this.#whose : undefined });
      tell(this, `${file.path} is deleted`);
    } catch (error) {
      tellFault(this, `Could not delete ${file.path}`, error);
    }
    this.#files.refresh();
  }
}

function opened({ path, task_id, attempt }: FileBody): Record<string, string | number | null> {
  return { file: path, task: task_id, attempt };
}
