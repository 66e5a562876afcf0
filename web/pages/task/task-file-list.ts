// Which files of a task there are, for an element: page after page, or all of them when somebody searches. Draws nothing.

import type { ReactiveControllerHost } from 'lit';
import type { FileBody, TaskFileListReply } from '../../../shared/contracts/files.ts';
import type { Session } from '../../data/session.ts';

const FIRST_PAGE = 200;
const LARGE_PAGE = 1_000;
/** A search looks through so many; who has more is better served by the archive. */
export const MOST_FILES = 20_000;

export class TaskFileList {
  /** Null before the first answer. */
  files: readonly FileBody[] | null = null;
  /** Of the attempt, also those that are not fetched yet. */
  total: TaskFileListReply['total'] = { files: 0, bytes: 0 };
  /** Whose files these are. */
  attempt: number | null = null;
  error: Error | null = null;
  isBusy = false;
  #cursor: string | null = null;
  #running: AbortController | null = null;
  readonly #host: ReactiveControllerHost;
  readonly #source: () => { session: Session; taskId: string; attempt: number | null };

  constructor(
    host: ReactiveControllerHost,
    source: () => { session: Session; taskId: string; attempt: number | null },
  ) {
    this.#host = host;
    this.#source = source;
    host.addController({ hostDisconnected: () => this.#running?.abort() });
  }

  get hasMore(): boolean {
    return this.#cursor !== null;
  }

  forget(): void {
    this.files = null;
    this.error = null;
  }

  /** From the start; what is shown stays until the answer is there. */
  reload(): Promise<void> {
    return this.#fetch(null, FIRST_PAGE);
  }

  more(): Promise<void> {
    return this.#fetch(this.#cursor, LARGE_PAGE);
  }

  async all(): Promise<void> {
    while (this.hasMore && !this.error && (this.files?.length ?? 0) < MOST_FILES) {
      const before = this.#cursor;
      await this.more();
      // Somebody else took over.
      if (this.#cursor === before) return;
    }
  }

  async #fetch(cursor: string | null, limit: number): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.isBusy = true;
    this.#host.requestUpdate();
    const { session, taskId, attempt } = this.#source();
    try {
      const reply = await session.client.listTaskFiles(taskId, {
        limit,
        cursor: cursor ?? undefined,
        attempt: attempt ?? undefined,
        signal: running.signal,
      });
      if (running.signal.aborted) return;
      this.files = cursor === null ? reply.files : [...(this.files ?? []), ...reply.files];
      this.total = reply.total;
      this.attempt = reply.attempt;
      this.#cursor = reply.next_cursor;
      this.error = null;
    } catch (error) {
      if (running.signal.aborted) return;
      this.error = error as Error;
    }
    this.isBusy = false;
    this.#host.requestUpdate();
  }
}
