// Pages of the log store for readers who are at the same place at about the same time: read once, made once, and so
// encoded once. Keeps a bounded amount of what was read last. Never says that a line is not there by a reading that
// began before it was asked.

import type { LogStore } from '../../../shared/ports/log-store.ts';
import { OutputPage } from './output-page.ts';

/** Text and overhead of all that is kept. */
const KEPT_CHARS = 8 * 2 ** 20;

export class SharedPages {
  readonly #logs: Pick<LogStore, 'read'>;
  readonly #keptChars: number;
  /** Oldest first. */
  readonly #kept = new Map<string, OutputPage>();
  #chars = 0;
  readonly #readings = new Map<string, Promise<OutputPage | null>>();

  constructor(logs: Pick<LogStore, 'read'>, { keptChars = KEPT_CHARS } = {}) {
    this.#logs = logs;
    this.#keptChars = keptChars;
  }

  /**
   * Lines from number `from` on: about `limit`, or as many as somebody else asked for. Null when there are none.
   * @throws what the store throws
   */
  async read(taskId: string, attempt: number, from: number, limit: number): Promise<OutputPage | null> {
    const key = `${taskId}/${attempt}/${from}`;
    const kept = this.#kept.get(key);
    if (kept) return kept;
    const begun = this.#readings.get(key);
    const page = begun && (await begun);
    // One that was under way when this was asked may have missed the newest lines; one that began since has not.
    return (
      page ?? this.#readings.get(key) ?? this.#begin(key, () => this.#page(taskId, attempt, from, limit))
    );
  }

  #begin(key: string, read: () => Promise<OutputPage | null>): Promise<OutputPage | null> {
    const reading = read()
      .then((page) => {
        if (page) this.#keep(key, page);
        return page;
      })
      .finally(() => this.#readings.delete(key));
    this.#readings.set(key, reading);
    return reading;
  }

  async #page(taskId: string, attempt: number, from: number, limit: number): Promise<OutputPage | null> {
    const lines = await this.#logs.read(taskId, attempt, from, limit);
    return lines.length === 0 ? null : new OutputPage(attempt, lines);
  }

  #keep(key: string, page: OutputPage): void {
    this.#chars += page.chars - (this.#kept.get(key)?.chars ?? 0);
    this.#kept.set(key, page);
    for (const [oldest, { chars }] of this.#kept) {
      if (this.#chars <= this.#keptChars) return;
      this.#kept.delete(oldest);
      this.#chars -= chars;
    }
  }
}
