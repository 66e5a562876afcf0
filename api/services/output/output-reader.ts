// One reader's way through the log store, page by page. Bears a store that is away for a while.

import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { LogStore } from '../../../shared/ports/log-store.ts';
import { OutputPage } from './output-page.ts';
import { PageSize } from './page-size.ts';
import { Patience } from './patience.ts';

const RETRY_MS = 500;

export class OutputReader {
  readonly #taskId: string;
  readonly #attempt: number;
  readonly #logs: LogStore;
  readonly #pageSize = new PageSize();
  readonly #faults: Patience;

  constructor(taskId: string, attempt: number, parts: { readonly logs: LogStore; readonly clock: Clock }) {
    this.#taskId = taskId;
    this.#attempt = attempt;
    this.#logs = parts.logs;
    this.#faults = new Patience(parts.clock);
  }

  /**
   * Lines from number `from` on; null when the store has none, or the signal was aborted.
   * @throws AppError when the store stays away for too long
   */
  async next(from: number, signal: AbortSignal): Promise<OutputPage | null> {
    while (!signal.aborted) {
      try {
        const lines = await this.#logs.read(this.#taskId, this.#attempt, from, this.#pageSize.lines);
        this.#faults.forget();
        if (lines.length === 0) return null;
        const page = new OutputPage(this.#attempt, lines);
        this.#pageSize.learn(page);
        return page;
      } catch (error) {
        this.#faults.bear(error);
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return null;
  }
}
