// The frame of the dashboard: who is signed in, which page the address means, the way between pages.

import { css, html, LitElement, nothing } from 'lit';
import { Router } from './data/router.ts';
import { Session } from './data/session.ts';
import { errorNotice } from './elements/error-notice.ts';
import { base, controls } from './styles/shared.ts';

const TITLES = {
  overview: 'Overview',
  tasks: 'Tasks',
  task: 'Task',
  submit: 'Submit a task',
  nowhere: 'Not found',
};

export class App extends LitElement {
  static override properties = { resuming: { state: true }, error: { state: true } };
  declare resuming: boolean;
  declare error: Error | null;
  readonly #session = new Session();
  readonly #router = new Router();
  readonly #onSession = () => this.requestUpdate();
  readonly #onMove = () => void this.#moved();
  #path = location.pathname;

  static override styles = [
    base,
    controls,
    css`
      header { background: var(--surface); border-bottom: 1px solid var(--line); }
      .inner { max-width: 72rem; margin: 0 auto; padding: 0 var(--space-4); }
      header .inner { display: flex; flex-wrap: wrap; align-items: center; gap: 0 var(--space-4); min-height: 3.25rem; }
      .brand { display: flex; align-items: center; gap: var(--space-2); font-weight: 680; color: var(--ink); padding: var(--space-2) 0; }
      .brand img { width: 1.5rem; height: 1.5rem; display: block; }
      .brand:hover { text-decoration: none; }
      nav { display: flex; gap: var(--space-1); }
      nav a { padding: 0.85rem var(--space-2); color: var(--ink-soft); font-weight: 550; border-bottom: 2px solid transparent; margin-bottom: -1px; }
      nav a:hover { color: var(--ink); text-decoration: none; }
      nav a[aria-current] { color: var(--ink); border-color: var(--accent); }
      .who { margin-left: auto; display: flex; align-items: center; gap: var(--space-2); min-width: 0; }
      .who span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      main.inner { padding-top: var(--space-5); padding-bottom: var(--space-6); }
      .skip { position: absolute; left: -100rem; }
      .skip:focus { left: var(--space-3); top: var(--space-3); background: var(--surface); padding: var(--space-2) var(--space-3); z-index: 1; }
      @media (max-width: 34rem) {
        nav { order: 1; width: 100%; border-top: 1px solid var(--line); }
        nav a { flex: 1; text-align: center; padding: 0.7rem 0; }
        .inner { padding: 0 var(--space-3); }
      }
    `,
  ];

  constructor() {
    super();
    this.resuming = true;
    this.error = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#session.addEventListener('change', this.#onSession);
    this.#router.addEventListener('change', this.#onMove);
    this.#router.start();
    void this.#resume();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#session.removeEventListener('change', this.#onSession);
    this.#router.removeEventListener('change', this.#onMove);
    this.#router.stop();
  }

  override render() {
    if (this.resuming || this.error) {
      return html`<main class="inner">${this.error ? errorNotice(this.error, () => void this.#resume()) : html`<notice-box kind="loading"></notice-box>`}</main>`;
    }
    // Whoever signs in lands where they wanted to go: the address stays.
    if (!this.#session.user) {
      return html`<main class="inner"><sign-in-page .session=${this.#session}></sign-in-page></main>`;
    }
    return html`
      <a class="skip" href="#main" @click=${this.#skip}>Skip to the content</a>
      <header>${this.#head(this.#session.user.username)}</header>
      <main class="inner" id="main">${this.#page()}</main>
    `;
  }

  override updated(): void {
    const title = this.#session.user ? TITLES[this.#router.route.page] : 'Sign in';
    document.title = `${title} · CloudAI`;
  }

  #head(username: string) {
    const { page } = this.#router.route;
    const link = (href: string, label: string, current: boolean) =>
      html`<a href=${href} aria-current=${current ? 'page' : nothing}>${label}</a>`;
    return html`
      <div class="inner">
        <a class="brand" href="/"><img src="/favicon.svg" alt="" />CloudAI</a>
        <nav aria-label="Main">
          ${link('/', 'Overview', page === 'overview')} ${link('/tasks', 'Tasks', page === 'tasks' || page === 'task')}
          ${link('/submit', 'Submit', page === 'submit')}
        </nav>
        <div class="who small"><span class="soft">${username}</span><button class="link" @click=${() => this.#session.signOut()}>Sign out</button></div>
      </div>
    `;
  }

  #page() {
    const { route } = this.#router;
    switch (route.page) {
      case 'overview':
        return html`<overview-page .session=${this.#session}></overview-page>`;
      case 'tasks':
        return html`<tasks-page .session=${this.#session} .router=${this.#router} .query=${route.query}></tasks-page>`;
      case 'submit':
        return html`<submit-page .session=${this.#session} .router=${this.#router}></submit-page>`;
      case 'task':
        return html`<task-page .session=${this.#session} .router=${this.#router} taskId=${route.taskId}></task-page>`;
      case 'nowhere':
        return html`
          <h1 class="unseen" tabindex="-1">Not found</h1>
          <div class="panel"><notice-box kind="empty" heading="There is nothing at this address"><p><a href="/">To the overview</a></p></notice-box></div>
        `;
    }
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

  async #moved(): Promise<void> {
    const before = this.#path;
    this.#path = location.pathname;
    this.requestUpdate();
    await this.updateComplete;
    if (before === this.#path) return;
    // As after the load of a page: at its top, and readers hear its heading.
    scrollTo(0, 0);
    const page = this.renderRoot.querySelector<LitElement>('main > :first-child');
    await page?.updateComplete;
    (page?.renderRoot?.querySelector<HTMLElement>('h1') ?? (page as HTMLElement | null))?.focus({
      preventScroll: true,
    });
  }

  #skip(event: Event): void {
    event.preventDefault();
    const page = this.renderRoot.querySelector<LitElement>('main > :first-child');
    page?.renderRoot?.querySelector<HTMLElement>('h1')?.focus();
  }
}
