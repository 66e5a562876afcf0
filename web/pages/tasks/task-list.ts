// The long list: only the rows in sight are drawn, all of one height. Keys move through it, choose and open; who looks
// at it by ear hears a grid with the number of its rows. Knows nothing of the API: what is to be done it sends on.

import { VirtualizerController } from '@tanstack/lit-virtual';
import { html, LitElement, nothing } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { live } from 'lit/directives/live.js';
import { styleMap } from 'lit/directives/style-map.js';
import { ArrowDown, ArrowUp } from 'lucide';
import { Ticker } from '../../data/ticker.ts';
import { base, controls } from '../../styles/shared.ts';
import { taskCount } from './bulk.ts';
import { Selection } from './selection.ts';
import { cells, type RowAction } from './task-cells.ts';
import { listStyles, NARROW, NARROW_ROW_PX, ROW_PX } from './task-list-styles.ts';
import { TaskRows } from './task-rows.ts';
import { NEWEST, orderAfterClick, type SortKey, type SortOrder } from './task-view.ts';

const OVERSCAN = 4;
/** So many rows before the end the next page is asked for. */
const AHEAD = 150;
const HEADS: readonly (readonly [SortKey, string, 'left' | 'right'])[] = [
  ['name', 'Task', 'left'],
  ['state', 'State', 'left'],
  ['image', 'Image', 'left'],
  ['user', 'User', 'left'],
  ['worker', 'Worker', 'left'],
  ['priority', 'Prio', 'right'],
  ['ran', 'Ran', 'right'],
  ['submitted', 'Submitted', 'right'],
];

interface Place {
  readonly index: number;
  /** From the top of the list, pixels. */
  readonly start: number;
}

/** `select`: what is chosen has changed; `near-end`; `away`: the top is in sight or not; `sort`, `open`, `act`. */
export class TaskListEvent<T> extends Event {
  readonly detail: T;
  constructor(type: string, detail: T) {
    super(type);
    this.detail = detail;
  }
}

export class TaskList extends LitElement {
  static override properties = {
    rows: { attribute: false },
    selection: { attribute: false },
    order: { attribute: false },
    withUser: { attribute: false },
    mayCancel: { attribute: false },
    mayRetry: { attribute: false },
    complete: { attribute: false },
    startPx: { attribute: false },
    narrow: { state: true },
  };
  declare rows: TaskRows;
  declare selection: Selection;
  declare order: SortOrder;
  declare withUser: boolean;
  /** What whoever looks may do to a row. */
  declare mayCancel: boolean;
  declare mayRetry: boolean;
  /** All there are have been loaded. */
  declare complete: boolean;
  /** Where to begin, from the top. */
  declare startPx: number;
  declare narrow: boolean;
  /** Where it stands: what has left the page knows that no more. */
  scrolledPx = 0;
  #isAway = false;
  /** As many as were ever in sight at once. */
  #placeCount = 0;
  readonly #media = matchMedia(NARROW);
  readonly #onMedia = () => {
    this.narrow = this.#media.matches;
    this.#virtual.measure();
  };
  readonly #controller: VirtualizerController<HTMLElement, HTMLElement>;

  static override styles = [base, controls, listStyles];

  constructor() {
    super();
    this.rows = new TaskRows();
    this.selection = new Selection();
    this.order = NEWEST;
    this.withUser = false;
    this.mayCancel = false;
    this.mayRetry = false;
    this.complete = false;
    this.startPx = 0;
    this.narrow = this.#media.matches;
    this.#controller = new VirtualizerController<HTMLElement, HTMLElement>(this, {
      count: 0,
      getScrollElement: () => this.renderRoot?.querySelector<HTMLElement>('.scroller') ?? null,
      estimateSize: () => this.#rowPx,
      overscan: OVERSCAN,
    });
    // How long ago something was grows old by itself.
    new Ticker(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#media.addEventListener('change', this.#onMedia);
    this.#onMedia();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#media.removeEventListener('change', this.#onMedia);
  }

  get #virtual() {
    return this.#controller.getVirtualizer();
  }

  get #rowPx(): number {
    return this.narrow ? NARROW_ROW_PX : ROW_PX;
  }

  /** Back to the newest. */
  toTop(): void {
    this.#virtual.scrollToOffset(0);
  }

  override willUpdate(): void {
    const virtual = this.#virtual;
    virtual.setOptions({ ...virtual.options, count: this.rows.count });
  }

  override render() {
    const now = Date.now();
    const own = this.withUser ? '' : ' own';
    const heads = HEADS.filter(([key]) => key !== 'user' || this.withUser);
    const active = this.selection.active;
    return html`
      <div
        class="scroller" role="grid" tabindex="0" aria-label="Tasks" aria-multiselectable="true"
        aria-rowcount=${this.complete ? this.rows.count + 1 : -1} aria-colcount=${heads.length + 2}
        aria-activedescendant=${active !== null && this.rows.has(active) ? active : nothing}
        @keydown=${this.#key} @click=${this.#click} @dblclick=${this.#doubleClick} @scroll=${this.#scrolled} @focus=${this.#focused}
      >
        <div role="rowgroup" class="top">
          <div role="row" class="line heads${own}" aria-rowindex="1">
            <div role="columnheader"><label class="pick"><input
              type="checkbox" data-do="all" tabindex="-1" aria-label="Select all ${taskCount(this.rows.count)} loaded"
              .checked=${live(this.selection.size > 0 && this.selection.size >= this.rows.count)}
              .indeterminate=${live(this.selection.size > 0 && this.selection.size < this.rows.count)}
            /></label></div>
            ${heads.map(([key, label, side]) => this.#head(key, label, side))}
            <div role="columnheader"><span class="unseen">Actions</span></div>
          </div>
        </div>
        <div role="rowgroup" class="body" style=${styleMap({ height: `${this.#virtual.getTotalSize()}px` })}>
          ${this.#places().map((item) => (item ? this.#row(item, now, own) : nothing))}
        </div>
      </div>
    `;
  }

  override firstUpdated(): void {
    const scroller = this.renderRoot.querySelector<HTMLElement>('.scroller');
    if (scroller && this.startPx > 0) scroller.scrollTop = this.startPx;
  }

  override updated(): void {
    const last = this.#virtual.range?.endIndex ?? 0;
    if (this.rows.count > 0 && last >= this.rows.count - AHEAD) this.#send('near-end', null);
  }

  /**
   * The rows to be drawn, each at the place in the document that its index has: while it is in sight it stays there, and
   * only places whose row has left are written anew. Where each stands on the screen is a matter of its offset.
   */
  #places(): (Place | undefined)[] {
    const items = this.#virtual.getVirtualItems();
    this.#placeCount = Math.max(this.#placeCount, items.length);
    const places = new Array<Place | undefined>(this.#placeCount).fill(undefined);
    for (const item of items) places[item.index % this.#placeCount] = item;
    // The row the keys stand on is drawn wherever it is: the grid names it as its active one.
    const active = this.#activeIndex;
    const isApart = active >= 0 && !items.some(({ index }) => index === active);
    return [...places, isApart ? { index: active, start: active * this.#rowPx } : undefined];
  }

  #row({ index, start }: Place, now: number, own: string) {
    const row = this.rows.at(index);
    if (!row) return nothing;
    const { withUser, mayCancel, mayRetry } = this;
    const isSelected = this.selection.ids.has(row.task_id);
    const isActive = row.task_id === this.selection.active;
    const { revision, cancel_requested, reason } = row;
    const second = Math.floor(now / 1_000);
    return guard(
      [
        row,
        index,
        start,
        second,
        isSelected,
        isActive,
        withUser,
        mayCancel,
        mayRetry,
        revision,
        cancel_requested,
        reason,
      ],
      () => html`
        <div
          role="row" id=${row.task_id} class="line task${own}${isActive ? ' active' : ''}" data-index=${index}
          aria-rowindex=${index + 2} aria-selected=${isSelected} style=${styleMap({ transform: `translateY(${start}px)` })}
        >${cells({ row, now, withUser, isSelected, isActive, mayCancel, mayRetry })}</div>
      `,
    );
  }

  get #activeIndex(): number {
    const { active } = this.selection;
    if (active === null) return -1;
    // Mostly it is in sight; looking through all is for when it is not.
    const seen = this.#virtual.range;
    for (let index = seen?.startIndex ?? 0; index <= (seen?.endIndex ?? -1); index += 1) {
      if (this.rows.at(index)?.task_id === active) return index;
    }
    return this.rows.indexOf(active);
  }

  #head(key: SortKey, label: string, side: 'left' | 'right') {
    const isSorted = this.order.key === key;
    const direction = !isSorted ? 'none' : this.order.descending ? 'descending' : 'ascending';
    return html`
      <div role="columnheader" aria-sort=${direction} class=${side === 'right' ? 'right' : ''}>
        <button tabindex="-1" data-sort=${key} title="Sort by ${label.toLowerCase()}">${label}${isSorted ? html`<svg-icon .icon=${this.order.descending ? ArrowDown : ArrowUp}></svg-icon>` : nothing}</button>
      </div>
    `;
  }

  #scrolled(event: Event): void {
    this.scrolledPx = (event.currentTarget as HTMLElement).scrollTop;
    const isAway = this.scrolledPx > this.#rowPx;
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    this.#send('away', isAway);
  }

  #focused(): void {
    if (this.selection.active !== null && this.rows.has(this.selection.active)) return;
    this.selection.move(this.rows, this.#virtual.range?.startIndex ?? 0);
    this.requestUpdate();
  }

  #key(event: KeyboardEvent): void {
    const isInside = event.target !== event.currentTarget;
    if (event.altKey || (isInside && (event.key === 'Enter' || event.key === ' '))) return;
    const { rows, selection } = this;
    const isCommand = event.ctrlKey || event.metaKey;
    if (isCommand && event.key.toLowerCase() === 'a') selection.all(rows);
    else if (event.key === 'Escape' && selection.size > 0) selection.clear();
    else if (event.key === ' ' && selection.active !== null) selection.toggle(selection.active);
    else if (event.key === 'Enter' && selection.active !== null) this.#send('open', selection.active);
    else if (isCommand && event.key !== 'Home' && event.key !== 'End') return;
    else if (!this.#move(event)) return;
    event.preventDefault();
    this.#chosen();
  }

  #move({ key, shiftKey }: KeyboardEvent): boolean {
    const { rows, selection } = this;
    const now = this.#activeIndex;
    const page = Math.max(1, Math.floor((this.#virtual.scrollRect?.height ?? 0) / this.#rowPx) - 2);
    const steps: Record<string, number> = {
      ArrowDown: now + 1,
      ArrowUp: now - 1,
      PageDown: now + page,
      PageUp: now - page,
      Home: 0,
      End: rows.count - 1,
    };
    const to = steps[key];
    if (to === undefined) return false;
    const index = selection.move(rows, to, shiftKey);
    if (index >= 0) this.#reveal(index);
    return true;
  }

  /** The header stays over the first rows, so a row is in sight only below it. */
  #reveal(index: number): void {
    const scroller = this.renderRoot.querySelector<HTMLElement>('.scroller');
    const head = this.renderRoot.querySelector<HTMLElement>('.top');
    if (!scroller) return;
    const headPx = this.narrow ? 0 : (head?.offsetHeight ?? 0);
    const start = index * this.#rowPx;
    const end = start + this.#rowPx + headPx;
    if (start < scroller.scrollTop) scroller.scrollTop = start;
    else if (end > scroller.scrollTop + scroller.clientHeight)
      scroller.scrollTop = end - scroller.clientHeight;
  }

  #click(event: MouseEvent): void {
    const target = event.target as HTMLElement;
    const sort = target.closest<HTMLElement>('[data-sort]')?.dataset.sort as SortKey | undefined;
    if (sort) return void this.#send('sort', orderAfterClick(this.order, sort));
    const deed = target.closest<HTMLElement>('[data-do]')?.dataset.do;
    const { rows, selection } = this;
    if (deed === 'all') {
      if (selection.size >= rows.count) selection.clear();
      else selection.all(rows);
      this.#chosen();
      return;
    }
    const row = target.closest<HTMLElement>('.task');
    const id = row?.id;
    if (!row || !id || (target.closest('a') && !event.shiftKey)) return;
    if (deed === 'cancel' || deed === 'retry') return void this.#send<RowDeed>('act', { action: deed, id });
    // What a label is clicked for it passes on to its box.
    if (target.closest('label') && deed !== 'pick') return;
    if (event.shiftKey) {
      // Not a window for the link; a box shows by itself what is chosen.
      if (deed !== 'pick') event.preventDefault();
      selection.move(rows, Number(row.dataset.index), true);
    } else if (deed === 'pick' || event.ctrlKey || event.metaKey) selection.toggle(id);
    else selection.move(rows, Number(row.dataset.index));
    this.#chosen();
  }

  #doubleClick(event: MouseEvent): void {
    const target = event.target as HTMLElement;
    const id = target.closest<HTMLElement>('.task')?.id;
    if (id && !target.closest('a, button, label')) this.#send('open', id);
  }

  #chosen(): void {
    this.requestUpdate();
    this.#send('select', null);
  }

  #send<T>(type: string, detail: T): void {
    this.dispatchEvent(new TaskListEvent(type, detail));
  }
}

export interface RowDeed {
  readonly action: RowAction;
  readonly id: string;
}
