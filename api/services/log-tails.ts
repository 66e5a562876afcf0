// The newest output of attempts that are read now: one tail for each, shared by all its readers. Holds a bounded
// amount of recent lines; what is older is read in the log store by whoever needs it.

import type { OutputPage } from './output-page.ts';

/** The tail of one attempt, as one reader sees it. */
export interface TailReader {
  /**
   * The page that begins at `from`; waits until there is one. Null when the attempt is over and has no such line, or
   * when the signal was aborted.
   * @throws AppError when the log store or the record stays away for too long
   */
  next(from: number, signal: AbortSignal): Promise<OutputPage | null>;
  /** Must be called once the reader is done. */
  release(): void;
}

export interface Tails {
  /** @throws AppError `rate_limited` when too many attempts are read already */
  open(taskId: string, attempt: number): TailReader;
  /** Calls back with each page from the end of now on, until the returned function is called. */
  watch(taskId: string, attempt: number, onAdvance: (page: OutputPage) => void): () => void;
  close(): Promise<void>;
}
