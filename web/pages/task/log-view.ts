// The lines of an output that are on the screen, of however many there are. Says where the reader is and when an end is
// near; what is held and what is searched for is others' business.

import { VirtualizerController } from '@tanstack/lit-virtual';
import { html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { styleMap } from 'lit/directives/style-map.js';
import { base } from '../../styles/shared.ts';
import { indexOfId, type LogLine, type Stream } from './log-lines.ts';
import { rowContent, type Times, textOf } from './log-row.ts';
import type { Hit, LogSearch } from './log-search.ts';
import { selectedIds, selectedText } from './log-selection.ts';
import { viewStyles } from './log-view-styles.ts';

/** Nearer to an end than this and more is asked for. */
const EDGE_PX = 600;
/** Nearer to the end than this counts as being there. */
const NEAR_PX = 24;
const OVERSCAN = 12;
const PARTIAL_KEY = 'partial';

/** `pause` and `resume`: the reader left the end, or came back to it; `before` and `after`: an end is near. */
export type ViewEvent = 'pause' | 'resume' | 'before' | 'after';

export class LogView extends LitElement {
  static override properties = {
    lines: { attribute: false },
    version: { attribute: false },
    partial: { attribute: false },
    wrap: { type: Boolean },
    times: {},
    starts: { attribute: false },
    search: { attribute: false },
    searched: { attribute: false },
    hit: { attribute: false },
    marked: { attribute: false },
    follow: { type: Boolean },
    hrefOf: { attribute: false },
  };
  declare lines: readonly LogLine[];
  /** Another one: the lines have changed. */
  declare version: number;
  declare partial: { readonly stream: Stream; readonly text: string } | null;
  declare wrap: boolean;
  declare times: Times;
  /** When attempts began, by number; milliseconds since the epoch. */
  declare starts: ReadonlyMap<number, number>;
  declare search: LogSearch | null;
  /** Another one: there are other finds. */
  declare searched: number;
  declare hit: Hit | null;
  /** The line that the address names. */
  declare marked: { readonly attempt: number | null; readonly seq: number } | null;
  declare follow: boolean;
  declare hrefOf: (line: LogLine) => string;
  readonly #rows: VirtualizerController<HTMLElement, HTMLElement>;
  readonly #key = (index: number) => this.lines[index]?.id ?? PARTIAL_KEY;
  readonly #estimate = (index: number) => this.#estimated(index);
  readonly #range = ({
    startIndex,
    endIndex,
    count,
  }: {
    startIndex: number;
    endIndex: number;
    count: number;
  }) => this.#indexes(startIndex, endIndex, count);
  readonly #resized = new ResizeObserver(() => this.#fit());
  #linePx = 20;
  #columns = 80;
  #width = 0;
  #isHidden = false;
  /** Where this element put the view itself, and where it was last. */
  #wrote = 0;
  #was = 0;
  /** Ids of rows where a selection begins or ends: they stay, or it would go with them. */
  #pinned: number[] = [];

  static override styles = [base, viewStyles];

  constructor() {
    super();
    this.lines = [];
    this.version = 0;
    this.partial = null;
    this.wrap = true;
    this.times = 'off';
    this.starts = new Map();
    this.search = null;
    this.searched = 0;
    this.hit = null;
    this.marked = null;
    this.follow = true;
    this.hrefOf = () => '';
    this.#rows = new VirtualizerController<HTMLElement, HTMLElement>(this, this.#options());
  }

  /** Index of the first line on the screen. */
  get firstSeen(): number {
    return this.#virtual.range?.startIndex ?? 0;
  }

  scrollToLine(index: number, align: 'center' | 'auto' = 'center'): void {
    this.#virtual.scrollToIndex(index, { align });
  }

  scrollToEnd(): void {
    const count = this.#count;
    if (count > 0) this.#virtual.scrollToIndex(count - 1, { align: 'end' });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('selectionchange', this.#onSelection);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('selectionchange', this.#onSelection);
    this.#resized.disconnect();
  }

  override firstUpdated(): void {
    const box = this.#box;
    if (box) this.#resized.observe(box);
    this.#fit();
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (!this.hasUpdated) return;
    if (changed.has('wrap')) this.#virtual.measure();
    this.#virtual.setOptions({ ...this.#virtual.options, ...this.#options() });
  }

  override render() {
    const items = this.#virtual.getVirtualItems();
    const height = this.#virtual.getTotalSize();
    return html`
      <div class="lines ${this.wrap ? 'wrap' : ''}" role="log" aria-live="off" aria-label="Output" tabindex="0" @scroll=${this.#scrolled} @copy=${this.#copy}>
        <div class="sizer" style=${styleMap({ height: `${height}px` })}>
          ${repeat(
            items,
            ({ key }) => key,
            ({ index, start }) => this.#row(index, start),
          )}
        </div>
        <span class="probe" aria-hidden="true">00000000000000000000</span>
      </div>
    `;
  }

  override updated(changed: Map<string, unknown>): void {
    this.#measure();
    const isNews =
      changed.has('version') || changed.has('partial') || changed.has('follow') || changed.has('wrap');
    if (this.follow && isNews) this.scrollToEnd();
  }

  /** Once they are in the page: before that no row has a height. */
  #measure(): void {
    if (!this.wrap) return;
    this.#virtual.measureElement(null);
    for (const row of this.renderRoot.querySelectorAll<HTMLElement>('.line'))
      this.#virtual.measureElement(row);
  }

  #row(index: number, start: number) {
    const place = styleMap({ transform: `translateY(${start}px)` });
    const line = this.lines[index];
    if (!line) {
      const { partial } = this;
      if (!partial) return nothing;
      const text = textOf({ text: partial.text, carry: '', more: false }, { ranges: [], current: -1 });
      return html`<div class="line partial ${partial.stream}" data-index=${index} style=${place}><span class="gutter"><span class="seq">…</span>${this.times === 'off' ? nothing : html`<time></time>`}<span class="stream">${partial.stream === 'stderr' ? 'err' : nothing}</span></span><span class="text">${text}</span></div>`;
    }
    const { marked, hit } = this;
    const isMarked =
      marked !== null &&
      marked.seq === line.seq &&
      (marked.attempt === null || marked.attempt === line.attempt);
    const content = rowContent(line, {
      times: this.times,
      start: this.starts.get(line.attempt) ?? line.at,
      href: this.hrefOf(line),
      ranges: this.search?.ranges(line) ?? [],
      current: hit?.id === line.id ? hit.nth : -1,
    });
    return html`<div class="line ${line.kind} ${isMarked ? 'marked' : ''}" data-index=${index} data-id=${line.id} style=${place}>${content}</div>`;
  }

  get #virtual() {
    return this.#rows.getVirtualizer();
  }

  get #box(): HTMLElement | null {
    return this.renderRoot?.querySelector<HTMLElement>('.lines') ?? null;
  }

  get #count(): number {
    return this.lines.length + (this.partial ? 1 : 0);
  }

  #options() {
    return {
      count: this.#count,
      getScrollElement: () => this.#box,
      estimateSize: this.#estimate,
      getItemKey: this.#key,
      rangeExtractor: this.#range,
      overscan: OVERSCAN,
      // Lines that come or go before what is on the screen do not move it.
      anchorTo: 'end' as const,
      scrollEndThreshold: 0,
      scrollToFn: (offset: number, { adjustments = 0 }: { adjustments?: number }) => {
        const box = this.#box;
        if (!box) return;
        box.scrollTop = offset + adjustments;
        this.#wrote = box.scrollTop;
      },
    };
  }

  #estimated(index: number): number {
    if (!this.wrap) return this.#linePx;
    const length = this.lines[index]?.text.length ?? 1;
    return this.#linePx * Math.max(1, Math.ceil(length / this.#columns));
  }

  #indexes(first: number, last: number, count: number): number[] {
    const from = Math.max(0, first - OVERSCAN);
    const to = Math.min(count - 1, last + OVERSCAN);
    const indexes = Array.from({ length: to - from + 1 }, (_none, at) => from + at);
    const pinned = this.#pinned.map((id) => indexOfId(this.lines, id)).filter((at) => at < count);
    return [...new Set([...pinned.filter((at) => at < from), ...indexes, ...pinned.filter((at) => at > to)])];
  }

  /** Sizes that the number of rows of a long line is guessed from, until it is measured. */
  #fit(): void {
    const probe = this.renderRoot.querySelector<HTMLElement>('.probe');
    const box = this.#box;
    if (!probe || !box) return;
    if (probe.offsetHeight === 0) {
      // Not on the screen: browsers may forget where it was.
      this.#isHidden = true;
      return;
    }
    if (this.#isHidden) this.#show(box);
    const columns = Math.max(10, Math.floor((20 * box.clientWidth) / probe.offsetWidth) - 10);
    if (probe.offsetHeight === this.#linePx && box.clientWidth === this.#width) return;
    this.#linePx = probe.offsetHeight;
    this.#columns = columns;
    this.#width = box.clientWidth;
    this.#virtual.measure();
    if (this.follow) void this.updateComplete.then(() => this.scrollToEnd());
  }

  #show(box: HTMLElement): void {
    this.#isHidden = false;
    const { scrollOffset } = this.#virtual;
    if (this.follow) void this.updateComplete.then(() => this.scrollToEnd());
    else if (scrollOffset !== null) box.scrollTop = scrollOffset;
  }

  #scrolled(): void {
    const box = this.#box;
    if (!box || box.clientHeight === 0) return;
    const { scrollTop, scrollHeight, clientHeight } = box;
    const isOwn = Math.abs(scrollTop - this.#wrote) < 2;
    const isUp = scrollTop < this.#was;
    this.#was = scrollTop;
    if (isOwn) return;
    this.#wrote = Number.NaN;
    const distance = scrollHeight - scrollTop - clientHeight;
    if (isUp && this.follow && distance > 1) this.#say('pause');
    if (!isUp && !this.follow && distance <= NEAR_PX) this.#say('resume');
    if (isUp && scrollTop < EDGE_PX) this.#say('before');
    if (!isUp && distance < EDGE_PX) this.#say('after');
  }

  #say(kind: ViewEvent): void {
    this.dispatchEvent(new CustomEvent<ViewEvent>('view', { detail: kind }));
  }

  readonly #onSelection = () => {
    this.#pinned = selectedIds(this.renderRoot as ShadowRoot).sort((one, other) => one - other);
  };

  #copy(event: ClipboardEvent): void {
    const text = selectedText(this.renderRoot as ShadowRoot, this.lines);
    if (text === null) return;
    event.clipboardData?.setData('text/plain', text);
    event.preventDefault();
  }
}
