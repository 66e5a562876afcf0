// A task's output: what is shown of it, where the reader is in it, and what the tools ask for.

import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { ArrowDownToLine } from 'lucide';
import { copyText } from '../../data/copy-text.ts';
import type { Router } from '../../data/router.ts';
import { addressOf, type Route } from '../../data/routes.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { tell, tellFault } from '../../shell/telling.ts';
import { base, controls } from '../../styles/shared.ts';
import { LogFeed } from './log-feed.ts';
import { LogFinder } from './log-finder.ts';
import type { LogLine, Stream } from './log-lines.ts';
import { keepPrefs, type LogPrefs, readPrefs } from './log-prefs.ts';
import { saveOutput, textOfLines } from './log-taking.ts';
import type { LogTools, Tool } from './log-tools.ts';
import type { LogView, ViewEvent } from './log-view.ts';

/** Before what is typed into the search stands in the address. */
const SETTLED_MS = 400;

export class TaskLog extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
    taskId: {},
    follow: { state: true },
    stream: { state: true },
    prefs: { state: true },
    tall: { state: true },
    saving: { state: true },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;
  declare taskId: string;
  /** Whether new lines pull the view along. */
  declare follow: boolean;
  declare stream: Stream | null;
  declare prefs: LogPrefs;
  declare tall: boolean;
  declare saving: boolean;
  readonly #feed: LogFeed;
  readonly #finder: LogFinder;
  readonly #onLive = () => this.requestUpdate();
  #heardAtPause = 0;
  /** Where the reading begins; null at the end. */
  #begin: number | null = null;
  /** The line of the address, until it was scrolled to. */
  #goal: number | null = null;
  #timer = 0;

  static override styles = [
    base,
    controls,
    css`
      :host { display: flex; flex-direction: column; gap: var(--space-2); }
      .head { min-height: 1.875rem; }
      .frame { position: relative; display: flex; flex-direction: column; height: min(60vh, 36rem); min-height: 9rem; }
      .frame.few { height: auto; max-height: min(60vh, 36rem); min-height: 0; }
      .frame.tall { height: calc(100dvh - 9rem); }
      log-view { flex: 1; }
      .jump { position: absolute; right: var(--space-5); bottom: var(--space-3); box-shadow: var(--shadow-high); z-index: 2; }
      .earlier { align-self: flex-start; }
    `,
  ];

  constructor() {
    super();
    this.taskId = '';
    this.follow = true;
    this.stream = null;
    this.prefs = readPrefs();
    this.tall = false;
    this.saving = false;
    this.#feed = new LogFeed(this, () => ({
      session: this.session,
      taskId: this.taskId,
      attempt: this.#attempt,
      line: this.#begin,
    }));
    this.#finder = new LogFinder(this, this.#feed.lines);
    this.addEventListener('keydown', this.#pressed);
  }

  override connectedCallback(): void {
    // First: the reading begins with the connection.
    this.#look();
    super.connectedCallback();
    this.session?.addEventListener('live', this.#onLive);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.session?.removeEventListener('live', this.#onLive);
    clearTimeout(this.#timer);
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('route') as Route | undefined;
    const number = (route: Route, name: string) => route.query.get(name) ?? '';
    // Of a task with one attempt, naming it changes nothing.
    const isOtherAttempt =
      before !== undefined &&
      number(before, 'attempt') !== number(this.route, 'attempt') &&
      ((this.#feed.task?.attempts.length ?? 2) > 1 || (this.#attempt ?? 1) !== 1);
    const isElsewhere = (changed.has('taskId') && changed.get('taskId')) || isOtherAttempt;
    const line = this.#line;
    const isOtherLine = before !== undefined && number(before, 'line') !== number(this.route, 'line');
    if (isElsewhere) this.#look();
    else if (isOtherLine && line !== null) this.#goTo(line);
    if (isElsewhere) this.#feed.restart();
    if (changed.has('stream')) {
      this.#feed.lines.show(this.stream);
      this.#finder.restart();
    }
    if (changed.has('route')) this.#finder.look(this.route.query.get('q') ?? '');
    this.#finder.read();
    this.#feed.isPaused = !this.follow;
  }

  override render() {
    const feed = this.#feed;
    const { lines, state, error } = feed;
    const { shown } = lines;
    const isEmpty = shown.length === 0 && !feed.partial;
    const isFew = shown.length < 15 && !this.tall;
    const cut = state === 'following' && this.session.live.state === 'reconnecting';
    return html`
      <div class="head">
        <h2>Output</h2>
        <span class="row tight soft small">
          ${lines.all.length > 0 ? html`<span class="number">${countWords(lines.first, lines.last)}</span>` : nothing}
          <span role="status">${feed.reading === 'around' ? 'loading…' : stateWords(state, isEmpty)}${cut ? ', connection lost, trying again' : ''}</span>
        </span>
      </div>
      <log-tools
        .terms=${this.#finder.terms} .findings=${this.#finder.findings} .stream=${this.stream} .times=${this.prefs.times} .wrap=${this.prefs.wrap}
        .tall=${this.tall} .attempt=${this.#attempt} .attempts=${Math.max(feed.task?.attempts.length ?? 1, this.#attempt ?? 1)} .saving=${this.saving} @tool=${this.#used}
      ></log-tools>
      ${error ? errorNotice(error, () => this.#feed.restart()) : nothing}
      ${feed.hasBefore ? html`<button class="link earlier small" ?disabled=${feed.reading !== null} @click=${() => void feed.readBefore()}>${feed.reading === 'before' ? 'Loading earlier lines…' : 'Load earlier lines'}</button>` : nothing}
      <div class="frame ${isFew ? 'few' : ''} ${this.tall ? 'tall' : ''}">
        <log-view
          .lines=${shown} .version=${lines.version} .partial=${feed.isLive && this.stream !== other(feed.partial?.stream) ? feed.partial : null}
          .wrap=${this.prefs.wrap} .times=${this.prefs.times} .starts=${this.#starts()} .search=${this.#finder.search} .searched=${this.#finder.version}
          .hit=${this.#finder.hit} .marked=${this.#line === null ? null : { attempt: this.#attempt, seq: this.#line }} .follow=${this.follow && feed.isLive}
          .hrefOf=${this.#hrefOf} @view=${this.#viewed}
        ></log-view>
        ${this.follow && feed.isLive ? nothing : this.#jump()}
      </div>
    `;
  }

  override updated(): void {
    if (this.#goal !== null && this.#feed.lines.all.length > 0 && this.#feed.reading !== 'around')
      this.#reach();
  }

  #jump() {
    const fresh = this.#feed.heard - this.#heardAtPause;
    if (this.#feed.lines.all.length === 0) return nothing;
    const news = this.#feed.state === 'following' && fresh > 0 ? ` · ${fresh.toLocaleString()} new` : '';
    return html`<button class="jump small" @click=${this.#toEnd}><svg-icon .icon=${ArrowDownToLine}></svg-icon>Jump to the end${news}</button>`;
  }

  get #view(): LogView | null {
    return this.renderRoot.querySelector<LogView>('log-view');
  }

  get #attempt(): number | null {
    return wholeNumber(this.route?.query.get('attempt'));
  }

  get #line(): number | null {
    return wholeNumber(this.route?.query.get('line'));
  }

  readonly #hrefOf = (line: LogLine) => this.#address({ line: line.seq, attempt: line.attempt });

  #address(change: Readonly<Record<string, string | number | null>>): string {
    return addressOf(`/tasks/${this.taskId}`, { ...Object.fromEntries(this.route?.query ?? []), ...change });
  }

  #go(change: Readonly<Record<string, string | number | null>>): void {
    this.router.go(this.#address(change), { replace: true });
  }

  /** Where the address says to begin. */
  #look(): void {
    const line = this.#line;
    this.follow = line === null;
    this.#begin = line;
    this.#goal = line;
    this.#heardAtPause = 0;
  }

  #goTo(seq: number): void {
    this.#begin = seq;
    this.#goal = seq;
    this.#pause();
    const attempt = this.#attempt ?? this.#feed.lines.last?.attempt ?? 1;
    if (!this.#feed.lines.holds({ attempt, seq })) this.#feed.restart();
  }

  #reach(): void {
    const seq = this.#goal ?? 1;
    this.#goal = null;
    const attempt = this.#attempt ?? this.#feed.lines.last?.attempt ?? 1;
    const index = this.#feed.lines.find({ attempt, seq });
    const view = this.#view;
    void view?.updateComplete.then(() => view.scrollToLine(index));
  }

  #pause(): void {
    if (!this.follow) return;
    this.follow = false;
    this.#heardAtPause = this.#feed.heard;
  }

  #toEnd(): void {
    this.follow = true;
    if (!this.#feed.isLive) {
      if (this.#line !== null) this.#go({ line: null });
      this.#begin = null;
      this.#goal = null;
      this.#feed.restart();
    }
    this.#view?.scrollToEnd();
  }

  #viewed(event: CustomEvent<ViewEvent>): void {
    const feed = this.#feed;
    feed.readingAt = this.#view?.firstSeen ?? 0;
    switch (event.detail) {
      case 'pause':
        this.#pause();
        return;
      case 'resume':
        if (feed.isLive) this.follow = true;
        return;
      case 'before':
        void feed.readBefore();
        return;
      case 'after':
        void feed.readAfter();
        return;
    }
  }

  #used({ detail }: CustomEvent<Tool>): void {
    switch (detail.kind) {
      case 'search':
        this.#finder.seek(detail.terms);
        clearTimeout(this.#timer);
        this.#timer = window.setTimeout(() => this.#go({ q: this.#finder.terms.text }), SETTLED_MS);
        return;
      case 'step':
        this.#step(detail.direction);
        return;
      case 'stream':
        this.stream = detail.stream;
        return;
      case 'attempt':
        this.#go({ attempt: detail.attempt, line: null });
        return;
      case 'line':
        if (detail.seq === this.#line) this.#goTo(detail.seq);
        this.#go({ line: detail.seq });
        return;
      case 'times':
        this.#prefer({ times: detail.times });
        return;
      case 'wrap':
        this.#prefer({ wrap: !this.prefs.wrap });
        return;
      case 'tall':
        this.tall = !this.tall;
        if (this.tall) void this.updateComplete.then(() => this.scrollIntoView({ block: 'start' }));
        return;
      case 'copy':
        void this.#take('Could not copy it', async () => {
          const { shown } = this.#feed.lines;
          await copyText(textOfLines(shown), this);
          tell(this, `Copied ${shown.length.toLocaleString()} lines`);
        });
        return;
      case 'download':
        void this.#take('Could not download it', () => this.#save());
    }
  }

  #step(direction: 1 | -1): void {
    const { shown } = this.#feed.lines;
    const hit = this.#finder.step(direction, shown[this.#view?.firstSeen ?? 0]?.id ?? 0);
    if (!hit) return;
    this.#pause();
    const index = this.#finder.indexOf(hit);
    void this.updateComplete.then(() => this.#view?.scrollToLine(index));
  }

  #prefer(change: Partial<LogPrefs>): void {
    this.prefs = { ...this.prefs, ...change };
    keepPrefs(this.prefs);
  }

  async #save(): Promise<void> {
    const count = this.#feed.task?.attempts.length ?? 1;
    const attempts =
      this.#attempt === null ? Array.from({ length: count }, (_none, at) => at + 1) : [this.#attempt];
    this.saving = true;
    try {
      await saveOutput(this.session.client, { taskId: this.taskId, attempts, stream: this.stream });
    } finally {
      this.saving = false;
    }
  }

  async #take(what: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      tellFault(this, what, error);
    }
  }

  #starts(): ReadonlyMap<number, number> {
    const attempts = this.#feed.task?.attempts ?? [];
    return new Map(
      attempts.flatMap(({ attempt, started_at }) => (started_at ? [[attempt, Date.parse(started_at)]] : [])),
    );
  }

  readonly #pressed = (event: KeyboardEvent) => {
    if (
      event.key.toLowerCase() !== 'f' ||
      !(event.ctrlKey || event.metaKey) ||
      event.altKey ||
      event.shiftKey
    )
      return;
    event.preventDefault();
    this.renderRoot.querySelector<LogTools>('log-tools')?.focusSearch();
  };
}

function other(stream: Stream | undefined): Stream | undefined {
  return stream === undefined ? undefined : stream === 'stdout' ? 'stderr' : 'stdout';
}

function wholeNumber(text: string | null | undefined): number | null {
  return text && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}

function countWords(first: LogLine | undefined, last: LogLine | undefined): string {
  if (!first || !last) return '';
  if (first.attempt === last.attempt && first.seq <= 1)
    return last.seq === 1 ? '1 line' : `${last.seq.toLocaleString()} lines`;
  return `lines ${Math.max(1, first.seq).toLocaleString()} to ${last.seq.toLocaleString()}`;
}

function stateWords(state: LogFeed['state'], isEmpty: boolean): string {
  switch (state) {
    case 'following':
      return isEmpty ? 'waiting for output' : 'following';
    case 'ended':
      return isEmpty ? 'it printed nothing' : 'complete';
    default:
      return '';
  }
}
