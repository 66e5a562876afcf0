// Users, for admins: who there is, what they use, and changes to them. The search and the opened account stand in the
// address.

import { css, html, LitElement, nothing } from 'lit';
import { DatabaseBackup, TableProperties, UserPlus } from 'lucide';
import type { UserListReply } from '../../../shared/contracts/users.ts';
import { Poll } from '../../data/poll.ts';
import type { Router } from '../../data/router.ts';
import { addressOf, type Route } from '../../data/routes.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { refusalNotice } from '../../elements/refusal-notice.ts';
import { openQueueBoard } from '../../shell/queue-board.ts';
import { base, controls } from '../../styles/shared.ts';
import { takeBackup } from './take-backup.ts';

const PAGE = 100;
/** The most that one call gives; beyond that the search is the quicker way. */
const MOST = 1_000;
/** Typing is over when nothing came for so long. */
const TYPED_MS = 250;

export class AdminPage extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
    limit: { state: true },
    isCopying: { state: true },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;
  declare limit: number;
  declare isCopying: boolean;
  readonly #users = new Poll<UserListReply>(this, {
    load: (signal) => this.#load(signal),
    everyMs: 10_000,
  });
  #search = '';
  #timer: ReturnType<typeof setTimeout> | undefined;

  static override styles = [
    base,
    controls,
    css`
      input[type='search'] { max-width: 22rem; }
      .search { flex: 1 1 14rem; }
      .more { margin-top: var(--space-3); }
    `,
  ];

  constructor() {
    super();
    this.limit = PAGE;
    this.isCopying = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  override willUpdate(): void {
    const search = this.route.query.get('q') ?? '';
    if (search === this.#search) return;
    this.#search = search;
    this.limit = PAGE;
    this.#users.refresh();
  }

  override render() {
    if (!this.session.may('user.see')) {
      return html`
        <div class="stack">
          <h1 tabindex="-1">Users</h1>
          <div class="panel">${refusalNotice(this.session, 'user.see', 'This page is for admins')}</div>
        </div>
      `;
    }
    const { data, error, loading } = this.#users;
    return html`
      <div class="stack">
        <div class="head">
          <h1 tabindex="-1">Users</h1>
          <div class="row tight">
            <button ?disabled=${this.isCopying} aria-busy=${this.isCopying} @click=${this.#backup}><svg-icon .icon=${DatabaseBackup}></svg-icon>${this.isCopying ? 'Making a copy …' : 'Download backup'}</button>
            <button @click=${() => void openQueueBoard(this, this.session)}><svg-icon .icon=${TableProperties}></svg-icon>BullMQ queues</button>
            <a class="button primary" href=${this.#address({ edit: null, add: true })}><svg-icon .icon=${UserPlus}></svg-icon>Add a user</a>
          </div>
        </div>
        <section class="panel">
          <div class="head">
            <div class="search"><label class="unseen" for="q">Search users</label><input id="q" type="search" placeholder="Search by name" .value=${this.route.query.get('q') ?? ''} @input=${this.#typed} /></div>
            <p class="soft small number" role="status">${data ? countWords(data) : ''}</p>
          </div>
          ${errorNotice(error, () => this.#users.refresh())}
          ${loading ? html`<notice-box kind="loading"></notice-box>` : nothing}
          ${data?.users.length === 0 ? html`<notice-box kind="empty" heading="No user has such a name"><p><a href="/admin">Show all</a></p></notice-box>` : nothing}
          ${data && data.users.length > 0 ? html`<user-table .users=${data.users} own=${this.session.user?.username ?? ''} .addressOf=${(username: string) => this.#address({ edit: username, add: null })}></user-table>` : nothing}
          ${data?.next_cursor ? this.#more() : nothing}
        </section>
        ${this.#dialog()}
      </div>
    `;
  }

  #more() {
    return this.limit < MOST
      ? html`<button class="more" @click=${this.#showMore}>Show more</button>`
      : html`<p class="more soft small">These are the first ${MOST.toLocaleString()}: search for others by name.</p>`;
  }

  #dialog() {
    const { query } = this.route;
    const username = query.get('edit') ?? '';
    if (username === '' && !query.has('add')) return nothing;
    return html`<user-dialog .session=${this.session} username=${username} @close=${this.#shut} @changed=${() => this.#users.refresh()}></user-dialog>`;
  }

  #load(signal: AbortSignal): Promise<UserListReply> {
    // Who is no admin sees why there is nothing here.
    if (!this.session.may('user.see')) return Promise.resolve({ users: [], next_cursor: null });
    return this.session.client.listUsers({ q: this.#search || undefined, limit: this.limit }, { signal });
  }

  #address(change: Readonly<Record<string, string | boolean | null>>): string {
    return addressOf('/admin', { q: this.route.query.get('q'), ...change });
  }

  #typed(event: InputEvent): void {
    const text = (event.target as HTMLInputElement).value.trim();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.router.go(addressOf('/admin', { q: text }), { replace: true });
    }, TYPED_MS);
  }

  #showMore(): void {
    this.limit = MOST;
    this.#users.refresh();
  }

  readonly #backup = async (): Promise<void> => {
    this.isCopying = true;
    await takeBackup(this, this.session, new Date());
    this.isCopying = false;
  };

  #shut(): void {
    this.router.go(this.#address({}), { replace: true });
  }
}

function countWords({ users, next_cursor }: UserListReply): string {
  if (next_cursor) return `the first ${users.length.toLocaleString()} users`;
  return users.length === 1 ? '1 user' : `${users.length.toLocaleString()} users`;
}
