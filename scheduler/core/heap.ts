// A binary heap that knows where its items are, so that any of them can be taken out in O(log n). Pure.

export interface HeapItem {
  /** Written by the heap alone; −1 while outside. */
  position: number;
}

export class Heap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  /** @param before a strict order: true when `a` comes out first */
  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    item.position = this.#items.length;
    this.#items.push(item);
    this.#up(item);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first) this.remove(first);
    return first;
  }

  /** The item must be inside. */
  remove(item: T): void {
    const last = this.#items.pop();
    if (last && last !== item) {
      last.position = item.position;
      this.#items[item.position] = last;
      this.#up(last);
      this.#down(last);
    }
    item.position = -1;
  }

  /**
   * Items in order, without taking them out: O(k log k) for the first k. The heap must not change meanwhile.
   * A node comes after its parent, so a second heap of the border of what was given is enough.
   */
  *inOrder(): IterableIterator<T> {
    if (this.#items.length === 0) return;
    const border = new Heap<{ position: number; at: number }>((a, b) =>
      this.#before(this.#items[a.at] as T, this.#items[b.at] as T),
    );
    border.push({ position: -1, at: 0 });
    for (let next = border.pop(); next; next = border.pop()) {
      const { at } = next;
      yield this.#items[at] as T;
      if (2 * at + 1 < this.#items.length) border.push({ position: -1, at: 2 * at + 1 });
      if (2 * at + 2 < this.#items.length) border.push({ position: -1, at: 2 * at + 2 });
    }
  }

  #up(item: T): void {
    let at = item.position;
    while (at > 0) {
      const parent = this.#items[(at - 1) >> 1] as T;
      if (!this.#before(item, parent)) break;
      this.#put(parent, at);
      at = (at - 1) >> 1;
    }
    this.#put(item, at);
  }

  #down(item: T): void {
    let at = item.position;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#items.length) break;
      if (
        child + 1 < this.#items.length &&
        this.#before(this.#items[child + 1] as T, this.#items[child] as T)
      ) {
        child += 1;
      }
      if (!this.#before(this.#items[child] as T, item)) break;
      this.#put(this.#items[child] as T, at);
      at = child;
    }
    this.#put(item, at);
  }

  #put(item: T, at: number): void {
    this.#items[at] = item;
    item.position = at;
  }
}
