// The way between pages: a column on a wide page, a bar that unfolds on a narrow one. Who is signed in, the theme.
// Sends `sign-out`, `palette`, and `skip` when the content is wanted at once.

import { css, html, LitElement, nothing } from 'lit';
import {
  CircleUser,
  FolderOpen,
  type IconNode,
  LayoutDashboard,
  ListOrdered,
  ListTodo,
  LogOut,
  Menu,
  Monitor,
  Moon,
  Plus,
  ScrollText,
  Search,
  Server,
  Sun,
  Users,
  X,
} from 'lucide';
import type { UserBody } from '../../shared/contracts/http.ts';
import { type Deed, may } from '../../shared/model/rights.ts';
import type { Role } from '../../shared/model/user.ts';
import type { PageName } from '../data/routes.ts';
import { nextTheme, setTheme, type Theme, theme } from '../data/theme.ts';
import { base, controls } from '../styles/shared.ts';

interface Entry {
  readonly href: string;
  readonly label: string;
  readonly icon: IconNode;
  /** On which pages it is the current one. */
  readonly pages: readonly PageName[];
  /** Offered to those alone who may do it. */
  readonly deed?: Deed;
}

const ENTRIES: readonly Entry[] = [
  { href: '/', label: 'Overview', icon: LayoutDashboard, pages: ['overview'] },
  { href: '/tasks', label: 'Tasks', icon: ListTodo, pages: ['tasks', 'task'] },
  { href: '/queue', label: 'Queue', icon: ListOrdered, pages: ['queue'] },
  { href: '/cluster', label: 'Workers', icon: Server, pages: ['workers', 'worker'] },
  { href: '/files', label: 'Files', icon: FolderOpen, pages: ['files'] },
  { href: '/admin', label: 'Users', icon: Users, pages: ['admin'], deed: 'user.see' },
  { href: '/audit', label: 'Audit log', icon: ScrollText, pages: ['audit'], deed: 'audit.see' },
];
/** Beside the name; most are users, so that needs no word. */
const ROLE_TAGS: Readonly<Record<Role, string>> = { admin: 'admin', user: '', viewer: 'viewer' };
const THEME_ICONS: Readonly<Record<Theme, IconNode>> = { system: Monitor, light: Sun, dark: Moon };

export class AppNav extends LitElement {
  static override properties = { user: { attribute: false }, page: {}, open: { state: true } };
  declare user: UserBody | null;
  declare page: PageName;
  declare open: boolean;
  readonly #onTheme = () => this.requestUpdate();

  static override styles = [
    base,
    controls,
    css`
      :host { background: var(--surface); border-right: 1px solid var(--line); }
      nav { position: sticky; top: 0; height: 100vh; height: 100dvh; display: flex; flex-direction: column; gap: var(--space-4); padding: var(--space-4) var(--space-3); overflow-y: auto; }
      .brand { display: flex; align-items: center; gap: var(--space-2); font-weight: 700; font-size: var(--text-large); letter-spacing: -0.01em; color: var(--ink); padding: 0 var(--space-2); }
      .brand:hover { text-decoration: none; }
      .brand img { width: 1.6rem; height: 1.6rem; display: block; }
      .bar { display: none; }
      .entries { display: grid; gap: 2px; }
      .entries a { display: flex; align-items: center; gap: var(--space-3); padding: 0.45rem var(--space-2); border-radius: var(--radius-small); color: var(--ink-soft); font-weight: 550; }
      .entries a:hover { background: var(--sunken); color: var(--ink); text-decoration: none; }
      .entries a[aria-current] { background: var(--accent-wash); color: var(--accent); }
      .search { justify-content: flex-start; font-weight: 400; color: var(--ink-soft); border-color: var(--line-strong); }
      .search kbd { margin-left: auto; }
      .foot { margin-top: auto; display: grid; gap: var(--space-1); border-top: 1px solid var(--line); padding-top: var(--space-3); }
      .me { display: flex; align-items: center; gap: var(--space-2); min-width: 0; color: var(--ink); padding: 0.35rem var(--space-2); border-radius: var(--radius-small); font-weight: 550; }
      .me:hover { background: var(--sunken); text-decoration: none; }
      .me[aria-current] { background: var(--accent-wash); color: var(--accent); }
      .me .soft { font-weight: 400; margin-left: auto; }
      .skip { position: absolute; left: -100rem; }
      .skip:focus { left: var(--space-3); top: var(--space-3); background: var(--raised); z-index: 40; }
      @media (max-width: 60rem) {
        :host { border-right: 0; border-bottom: 1px solid var(--line); position: sticky; top: 0; z-index: 20; }
        nav { position: static; height: auto; padding: 0; gap: 0; overflow: visible; }
        .bar { display: flex; align-items: center; gap: var(--space-2); padding: var(--space-2) var(--space-3); }
        .bar .brand { margin-right: auto; padding: 0; }
        nav > .brand { display: none; }
        .rest { display: none; }
        .rest[data-open] { display: flex; flex-direction: column; gap: var(--space-3); padding: var(--space-3); border-top: 1px solid var(--line); max-height: calc(100dvh - 3.5rem); overflow-y: auto; background: var(--surface); }
        .entries a { padding: 0.65rem var(--space-2); }
        .search.wide { display: none; }
      }
      @media (min-width: 60.01rem) {
        .rest { display: contents; }
      }
    `,
  ];

  constructor() {
    super();
    this.user = null;
    this.page = 'nowhere';
    this.open = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('cloudai-theme', this.#onTheme);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener('cloudai-theme', this.#onTheme);
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has('page')) this.open = false;
  }

  override render() {
    const { user } = this;
    const isOffered = (deed: Deed | undefined) => deed === undefined || (user !== null && may(user, deed));
    return html`
      <nav aria-label="Main" @keydown=${this.#onKey}>
        <button class="skip" @click=${() => this.dispatchEvent(new Event('skip'))}>Skip to the content</button>
        <div class="bar">
          ${this.#brand()}
          <button class="icon quiet" aria-label="Search or jump to" @click=${this.#palette}><svg-icon .icon=${Search}></svg-icon></button>
          <button class="icon quiet menu" aria-label="Menu" aria-expanded=${this.open} aria-controls="rest" @click=${this.#toggle}><svg-icon .icon=${this.open ? X : Menu}></svg-icon></button>
        </div>
        ${this.#brand()}
        <div class="rest" id="rest" ?data-open=${this.open} @click=${this.#onRest}>
          ${isOffered('task.submit') ? html`<a class="button primary" href="/submit" aria-current=${this.page === 'submit' ? 'page' : nothing}><svg-icon .icon=${Plus}></svg-icon>Submit a task</a>` : nothing}
          <button class="search wide" @click=${this.#palette}><svg-icon .icon=${Search}></svg-icon>Jump to…<kbd>Ctrl K</kbd></button>
          <div class="entries">${ENTRIES.filter(({ deed }) => isOffered(deed)).map((entry) => this.#entry(entry))}</div>
          <div class="foot">
            <a class="me" href="/account" aria-current=${this.page === 'account' ? 'page' : nothing}>
              <svg-icon .icon=${CircleUser}></svg-icon><span class="cut">${user?.username}</span>${user && ROLE_TAGS[user.role] ? html`<span class="soft small">${ROLE_TAGS[user.role]}</span>` : nothing}
            </a>
            <div class="row tight spread">
              <button class="small quiet" @click=${() => this.dispatchEvent(new Event('sign-out'))}><svg-icon .icon=${LogOut}></svg-icon>Sign out</button>
              <button class="icon small quiet" aria-label="Theme: ${theme()}" title="Theme: ${theme()}" @click=${this.#nextTheme}><svg-icon .icon=${THEME_ICONS[theme()]}></svg-icon></button>
            </div>
          </div>
        </div>
      </nav>
    `;
  }

  #brand() {
    return html`<a class="brand" href="/"><img src="/favicon.svg" alt="" />CloudAI</a>`;
  }

  #entry({ href, label, icon, pages }: Entry) {
    const isHere = pages.includes(this.page);
    return html`<a href=${href} aria-current=${isHere ? 'page' : nothing}><svg-icon .icon=${icon}></svg-icon>${label}</a>`;
  }

  #toggle(): void {
    this.open = !this.open;
  }

  /** A link to the page that is open already changes nothing else. */
  #onRest(event: Event): void {
    if (event.composedPath().some((node) => node instanceof HTMLAnchorElement)) this.open = false;
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !this.open) return;
    this.open = false;
    this.renderRoot.querySelector<HTMLElement>('.menu')?.focus();
  }

  #palette(): void {
    this.open = false;
    this.dispatchEvent(new Event('palette'));
  }

  #nextTheme(): void {
    setTheme(nextTheme());
  }
}
