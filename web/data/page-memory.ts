// What pages leave behind for when the person comes back to them by the button for it. Of one sign-in: whoever signs in
// next finds nothing. One thing for each page, so that it stays small.

export class PageMemory {
  readonly #kept = new Map<string, unknown>();

  keep(page: string, what: unknown): void {
    this.#kept.set(page, what);
  }

  /** Once: what is taken is there no longer. Null when nothing was left. */
  take<T>(page: string): T | null {
    const what = this.#kept.get(page) ?? null;
    this.#kept.delete(page);
    return what as T | null;
  }

  clear(): void {
    this.#kept.clear();
  }
}
