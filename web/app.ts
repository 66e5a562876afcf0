// The frame of the dashboard: who is signed in, which page the address means, the way between pages, and what all pages
// share: questions, news, the state of the live connection.

import { css, html, LitElement, nothing } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import { html as staticHtml, unsafeStatic } from 'lit/static-html.js';
import { Router } from './data/router.ts';
import { Session } from './data/session.ts';
import { nextTheme, setTheme, theme } from './data/theme.ts';
import { define } from './elements/define.ts';
import { errorNotice } from './elements/error-notice.ts';
import { loadPage, PAGES, type PageElement } from './pages.ts';
import type { AskDialog } from './shell/ask-dialog.ts';
import { AskEvent } from './shell/asking.ts';
import type { NewsList } from './shell/news-list.ts';
import type { ActionEvent, CommandPalette } from './shell/palette/index.ts';
import { openQueueBoard } from './shell/queue-board.ts';
import { TellEvent, tell, tellFault } from './shell/telling.ts';
import { base, controls } from './styles/shared.ts';

/** A connection that is back at once is nobody's worry. */
const BREAK_SHOWN_MS = 1_500;

export class App extends LitElement {
  static override properties = {
    resuming: { state: true },
    error: { state: true },
    pageError: { state: true },
    loaded: { state: true },
    cut: { state: true },
    withPalette: { state: true },
  };
  declare resuming: boolean;
  declare error: Error | null;
  /** Why the part of the program that draws a page could not be fetched. */
  declare pageError: Error | null;
  /** Pages that can be drawn. */
  declare loaded: ReadonlySet<string>;
  /** The live connection is gone for a while. */
  declare cut: boolean;
  /** It has been opened once. */
  declare withPalette: boolean;
  readonly #session = new Session();
  readonly #router = new Router();
  readonly #onSession = () => this.#signed();
  readonly #onMove = () => void this.#moved();
  readonly #onLive = () => this.#watchLive();
  readonly #onKey = (event: KeyboardEvent) => this.#pressed(event);
  #path = location.pathname;
  #titled = '';
  #cutTimer: ReturnType<typeof setTimeout> | undefined;

  static override styles = [
    base,
    controls,
    css`
      .frame { display: grid; grid-template-columns: 14.5rem minmax(0, 1fr); min-height: 100vh; min-height: 100dvh; }
      main { padding: var(--space-5); max-width: 84rem; width: 100%; margin: 0 auto; min-width: 0; }
      .bare { padding: var(--space-4); }
      .cut { position: sticky; top: 0; z-index: 15; padding: var(--space-2) var(--space-4); text-align: center; background: var(--queued-wash); color: var(--queued); font-weight: 550; font-size: var(--text-small); white-space: normal; }
      @media (max-width: 60rem) {
        .frame { grid-template-columns: minmax(0, 1fr); grid-template-rows: auto 1fr; }
        main { padding: var(--space-4) var(--space-3); }
      }
    `,
  ];

  constructor() {
    super();
    this.resuming = true;
    this.error = null;
    this.pageError = null;
    this.loaded = new Set();
    this.cut = false;
    this.withPalette = false;
    this.addEventListener(AskEvent.type, (event) => void this.#dialog?.ask(event as AskEvent));
    this.addEventListener(TellEvent.type, (event) => this.#news?.tell((event as TellEvent).news));
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#session.addEventListener('change', this.#onSession);
    this.#session.addEventListener('live', this.#onLive);
    this.#router.addEventListener('change', this.#onMove);
    addEventListener('keydown', this.#onKey);
    this.#router.start();
    void this.#resume();
    void this.#load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#session.removeEventListener('change', this.#onSession);
    this.#session.removeEventListener('live', this.#onLive);
    this.#router.removeEventListener('change', this.#onMove);
    removeEventListener('keydown', this.#onKey);
    this.#router.stop();
  }

  override render() {
    if (this.resuming || this.error) {
      return html`<main class="bare">${this.error ? errorNotice(this.error, () => void this.#resume()) : html`<notice-box kind="loading"></notice-box>`}</main>`;
    }
    // Whoever signs in lands where they wanted to go: the address stays.
    if (!this.#session.user) {
      return html`<main class="bare"><sign-in-page .session=${this.#session}></sign-in-page></main>`;
    }
    return html`
      <div class="frame">
        <app-nav
          .user=${this.#session.user} page=${this.#router.route.page}
          @sign-out=${() => this.#session.signOut()} @palette=${this.#openPalette} @skip=${() => this.#heading?.focus()}
        ></app-nav>
        <div>
          ${this.cut ? html`<div class="cut" role="status">The live connection is lost. What is shown may be old; it is tried again by itself.</div>` : nothing}
          <main id="main">${this.#page()}</main>
        </div>
      </div>
      ${this.withPalette ? html`<command-palette .session=${this.#session} .router=${this.#router} @action=${this.#act}></command-palette>` : nothing}
      <ask-dialog></ask-dialog>
      <news-list></news-list>
    `;
  }

  override updated(): void {
    const { page } = this.#router.route;
    const title = !this.#session.user ? 'Sign in' : page === 'nowhere' ? 'Not found' : PAGES[page].title;
    // Once for each place: a page that knows better, e.g. the name of its task, says so itself afterwards.
    const place = `${title} ${location.pathname}`;
    if (place === this.#titled) return;
    this.#titled = place;
    document.title = `${title} · CloudAI`;
  }

  get #dialog(): AskDialog | null {
    return this.renderRoot.querySelector('ask-dialog');
  }

  get #news(): NewsList | null {
    return this.renderRoot.querySelector('news-list');
  }

  get #pageElement(): PageElement | null {
    return this.renderRoot.querySelector<PageElement>('main > :first-child');
  }

  #page() {
    const { route } = this.#router;
    if (this.pageError) return errorNotice(this.pageError, () => void this.#load());
    if (route.page === 'nowhere') {
      return html`
        <h1 class="unseen" tabindex="-1">Not found</h1>
        <div class="panel"><notice-box kind="empty" heading="There is nothing at this address"><p><a href="/">To the overview</a></p></notice-box></div>
      `;
    }
    if (!this.loaded.has(route.page)) return html`<notice-box kind="loading"></notice-box>`;
    const tag = unsafeStatic(PAGES[route.page].tag);
    // With another role it is another page: what it offers is decided anew.
    return keyed(
      this.#session.user?.role,
      staticHtml`<${tag} .session=${this.#session} .router=${this.#router} .route=${route}></${tag}>`,
    );
  }

  async #resume(): Promise<void> {
    this.error = null;
    this.resuming = true;
    try {
      await this.#session.resume();
    } catch (error) {
      this.error = error as Error;
    } finally {
      this.resuming = false;
    }
  }

  async #load(): Promise<void> {
    const { page } = this.#router.route;
    this.pageError = null;
    if (page === 'nowhere' || this.loaded.has(page)) return;
    try {
      await loadPage(page);
      this.loaded = new Set([...this.loaded, page]);
    } catch (error) {
      // After an update of the cluster the parts have other names; the new page knows them.
      console.warn(error);
      if (page === this.#router.route.page) {
        this.pageError = new Error(
          'A part of the dashboard could not be fetched. Reload the page if it lasts.',
        );
      }
    }
  }

  async #moved(): Promise<void> {
    const before = this.#path;
    this.#path = location.pathname;
    await this.#load();
    this.requestUpdate();
    await this.updateComplete;
    if (before === this.#path) return;
    // As after the load of a page: at its top, and readers hear its heading.
    scrollTo(0, 0);
    const page = this.#pageElement;
    await page?.updateComplete;
    this.#heading?.focus({ preventScroll: true });
  }

  get #heading(): HTMLElement | null {
    const page = this.#pageElement;
    return page?.shadowRoot?.querySelector<HTMLElement>('h1') ?? page;
  }

  #signed(): void {
    const wasIn = this.renderRoot.querySelector('app-nav') !== null;
    this.requestUpdate();
    this.#watchLive();
    if (wasIn && !this.#session.user) void this.#showSignIn();
  }

  /** The page has gone and the focus with it: readers hear where they are, and why. */
  async #showSignIn(): Promise<void> {
    await this.updateComplete;
    const page = this.#pageElement;
    await page?.updateComplete;
    this.#heading?.focus();
  }

  #watchLive(): void {
    clearTimeout(this.#cutTimer);
    const isCut = this.#session.user !== null && this.#session.live.state === 'reconnecting';
    if (!isCut) this.cut = false;
    else {
      this.#cutTimer = setTimeout(() => {
        this.cut = true;
      }, BREAK_SHOWN_MS);
    }
  }

  #pressed(event: KeyboardEvent): void {
    if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    if (!this.#session.user) return;
    event.preventDefault();
    void this.#openPalette();
  }

  async #openPalette(): Promise<void> {
    try {
      define((await import('./shell/palette/index.ts')).elements);
    } catch (error) {
      tellFault(this, 'The palette could not be opened', error);
      return;
    }
    this.withPalette = true;
    await this.updateComplete;
    const palette = this.renderRoot.querySelector<CommandPalette>('command-palette');
    await palette?.updateComplete;
    palette?.show();
  }

  #act({ action }: ActionEvent): void {
    switch (action) {
      case 'queue-board':
        void openQueueBoard(this, this.#session);
        return;
      case 'theme':
        setTheme(nextTheme());
        tell(this, `Theme: ${theme()}`);
        return;
      case 'copy-address':
        void navigator.clipboard.writeText(location.href).then(
          () => tell(this, 'Copied the address of this page'),
          (error) => tellFault(this, 'It could not be copied', error),
        );
        return;
      case 'sign-out':
        this.#session.signOut();
    }
  }
}
