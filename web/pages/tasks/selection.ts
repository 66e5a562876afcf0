// Which tasks are chosen, and on which row the keyboard stands. Pure: rows come in by their index.

export interface Indexed {
  readonly count: number;
  at(index: number): { readonly task_id: string } | undefined;
  indexOf(id: string): number;
}

export class Selection {
  readonly ids = new Set<string>();
  /** The row that keys move, by id; it stays with its task when rows come above it. */
  active: string | null = null;
  #anchor: string | null = null;

  get size(): number {
    return this.ids.size;
  }

  /** Stands on the row; with `extend` all from the last one that was stood on alone are chosen. */
  move(rows: Indexed, to: number, extend = false): number {
    const index = Math.max(0, Math.min(rows.count - 1, to));
    const row = rows.at(index);
    if (!row) return -1;
    if (extend) this.#extend(rows, index);
    else this.#anchor = row.task_id;
    this.active = row.task_id;
    return index;
  }

  toggle(id: string): void {
    if (!this.ids.delete(id)) this.ids.add(id);
    this.active = id;
    this.#anchor = id;
  }

  all(rows: Indexed): void {
    for (let index = 0; index < rows.count; index += 1) {
      const row = rows.at(index);
      if (row) this.ids.add(row.task_id);
    }
  }

  clear(): void {
    this.ids.clear();
    this.#anchor = this.active;
  }

  /** Forgets those that are not there any more. */
  retain(isThere: (id: string) => boolean): void {
    for (const id of this.ids) if (!isThere(id)) this.ids.delete(id);
    if (this.active !== null && !isThere(this.active)) this.active = null;
    if (this.#anchor !== null && !isThere(this.#anchor)) this.#anchor = null;
  }

  #extend(rows: Indexed, to: number): void {
    this.#anchor ??= this.active ?? rows.at(to)?.task_id ?? null;
    const from = this.#anchor === null ? to : rows.indexOf(this.#anchor);
    const [low, high] = from < 0 ? [to, to] : [Math.min(from, to), Math.max(from, to)];
    this.ids.clear();
    for (let index = low; index <= high; index += 1) {
      const row = rows.at(index);
      if (row) this.ids.add(row.task_id);
    }
  }
}
