// Files nobody will ask for any more: their records go first, for a record without bytes would be a promise that
// nobody keeps, and their bytes after them. Whatever is away meanwhile, nothing is forgotten.

import type { FileStore } from '../../shared/ports/file-store.ts';
import type { FileRecordStore } from '../../shared/ports/store.ts';
import type { OutputOwner } from './collector.ts';

const PAGE = 500;

export class DoomedFiles {
  readonly #records: FileRecordStore;
  readonly #files: FileStore;
  readonly #ids = new Set<string>();

  constructor(records: FileRecordStore, files: FileStore) {
    this.#records = records;
    this.#files = files;
  }

  get count(): number {
    return this.#ids.size;
  }

  /** Bytes without a record. */
  add(ids: readonly string[]): void {
    for (const id of ids) this.#ids.add(id);
  }

  /** Removes the records of the attempt's files but those of `keep`. May be called again after a fault. */
  async dropRecords(owner: OutputOwner, keep: ReadonlySet<string>): Promise<void> {
    let after: string | undefined;
    do {
      const page = await this.#records.list(owner, { limit: PAGE, after });
      const ids = page.files.map(({ id }) => id).filter((id) => !keep.has(id));
      // Before they are removed: an answer that is lost on the way must not leave bytes behind.
      this.add(ids);
      if (ids.length > 0) await this.#records.remove(ids);
      after = page.next ?? undefined;
    } while (after !== undefined);
  }

  /** Removes the bytes. May be called again after a fault. */
  async dropBytes(): Promise<void> {
    const ids = [...this.#ids];
    for (let at = 0; at < ids.length; at += PAGE) {
      const page = ids.slice(at, at + PAGE);
      await this.#files.remove(page);
      for (const id of page) this.#ids.delete(id);
    }
  }
}
