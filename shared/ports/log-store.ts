// Output of tasks, kept for good. One writer per attempt; any number of readers while it writes.

import type { LogLine } from '../model/log-line.ts';

export interface LogPosition {
  /** Sequence number of the last line kept; 0 when there is none. */
  readonly lastSeq: number;
  readonly stdoutLines: number;
  readonly stderrLines: number;
}

export interface LogStore {
  /**
   * Appends lines whose sequence numbers follow on the last one kept. Durable and readable once it returns.
   * Lines at or below the last number kept are dropped, so a repeat is harmless.
   */
  append(taskId: string, attempt: number, lines: readonly LogLine[]): Promise<void>;
  /** Lines with `seq ≥ from`, in order, at most `limit`. Empty when there are none (yet). */
  read(taskId: string, attempt: number, from: number, limit: number): Promise<LogLine[]>;
  /** Where a restarted writer goes on. */
  position(taskId: string, attempt: number): Promise<LogPosition>;
  remove(taskId: string): Promise<void>;
}
