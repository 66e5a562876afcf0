// A task's output, live. Lines are put into the page by hand, as text: thousands of them must not be compared on
// each change, and no output can become markup.

import { css, html, LitElement, nothing } from 'lit';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls } from '../../styles/shared.ts';
import { type FeedLine, LogFeed } from './log-feed.ts';
import { plainText } from './plain-text.ts';

/** Nearer to the end than this counts as being there. */
const NEAR_PX = 24;

export class TaskLog extends LitElement {
  static override properties = { session: { attribute: false }, taskId: {}, atEnd: { state: true } };
  declare session: Session;
  declare taskId: string;
  /** Whether new lines pull the view along. */
  declare atEnd: boolean;
  readonly #feed: LogFeed;
  readonly #onLive = () => this.requestUpdate();
  /** Lines in the page, and how many of those before them were let go. */
  #shown = 0;
  #gone = 0;
  #generation = 0;

  static override styles = [
    base,
    controls,
    css`
      .lines {
        font: 0.8125rem/1.5 var(--mono); background: var(--sunken); border: 1px solid var(--line); border-radius: var(--radius-small);
        padding: var(--space-3); min-height: 6rem; max-height: min(60vh, 36rem); overflow: auto; overscroll-behavior: contain;
      }
      .lines div { white-space: pre-wrap; overflow-wrap: anywhere; min-height: 1.5em; }
      .lines .stderr { color: var(--bad); }
      .lines .attempt { color: var(--ink-soft); border-top: 1px dashed var(--line-strong); margin-top: var(--space-2); padding-top: var(--space-2); font-family: var(--font); }
      .partial { font: 0.8125rem/1.5 var(--mono); padding: var(--space-1) var(--space-3) 0; white-space: pre-wrap; overflow-wrap: anywhere; color: var(--ink-soft); }
      .head { margin-bottom: var(--space-2); min-height: 2.5rem; }
      button { min-height: 2rem; padding: 0.25rem 0.7rem; font-size: var(--text-small); }
    `,
  ];

  constructor() {
    super();
    this.taskId = '';
    this.atEnd = true;
    this.#feed = new LogFeed(this, () => ({ live: this.session.live, taskId: this.taskId }));
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.session.addEventListener('live', this.#onLive);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.session.removeEventListener('live', this.#onLive);
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.get('taskId')) this.#feed.restart();
  }

  override render() {
    const { lines, dropped, partial, state, error } = this.#feed;
    const count = lines.length + dropped;
    const cut = state === 'following' && this.session.live.state === 'reconnecting';
    return html`
      <div class="row spread head">
        <h2 id="heading">Output</h2>
        <div class="row">
          <span class="soft small" role="status">${words(state, count)}${cut ? ', connection lost, trying again' : ''}</span>
          ${this.atEnd ? nothing : html`<button @click=${this.#jump}>Jump to the end</button>`}
        </div>
      </div>
      ${state === 'failed' ? errorNotice(error, () => this.#feed.restart()) : nothing}
      ${dropped > 0 ? html`<p class="soft small">The first ${dropped.toLocaleString()} lines are not shown. All of them: <code>npx cloudai logs ${this.taskId}</code></p>` : nothing}
      <div class="lines" role="log" aria-live="off" aria-labelledby="heading" tabindex="0" @scroll=${this.#scrolled}></div>
      ${partial ? html`<p class="partial ${partial.kind}">${plainText(partial.text)}</p>` : nothing}
    `;
  }

  override updated(): void {
    const box = this.#box;
    if (!box) return;
    const { lines, dropped, generation } = this.#feed;
    if (generation !== this.#generation) {
      box.replaceChildren();
      this.#generation = generation;
      this.#shown = 0;
      this.#gone = 0;
    }
    for (; this.#gone < dropped && this.#shown > 0; this.#gone++, this.#shown--) box.firstChild?.remove();
    this.#gone = dropped;
    const fresh = lines.slice(this.#shown).map(lineNode);
    if (fresh.length === 0) return;
    box.append(...fresh);
    this.#shown = lines.length;
    if (this.atEnd) box.scrollTop = box.scrollHeight;
  }

  get #box(): HTMLElement | null {
    return this.renderRoot.querySelector('.lines');
  }

  #jump(): void {
    const box = this.#box;
    if (box) box.scrollTop = box.scrollHeight;
    this.atEnd = true;
  }

  #scrolled(): void {
    const box = this.#box;
    if (box) this.atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
  }
}

function lineNode({ kind, text }: FeedLine): HTMLElement {
  const node = document.createElement('div');
  if (kind !== 'stdout') node.className = kind;
  node.textContent = plainText(text);
  return node;
}

function words(state: LogFeed['state'], count: number): string {
  const lines = count === 1 ? '1 line' : `${count.toLocaleString()} lines`;
  switch (state) {
    case 'following':
      return count === 0 ? 'waiting for output' : `${lines}, following`;
    case 'ended':
      return count === 0 ? 'it printed nothing' : lines;
    default:
      return count === 0 ? '' : lines;
  }
}
