// Tells those who follow an attempt of lines that are kept. One telling at a time; what comes meanwhile is told
// together, and too much of it by its numbers alone. Must never hold the capture back, nor tell of a line that is not
// in the log store yet.

import type { LogLine } from '../../shared/model/log-line.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { LiveLogs } from '../../shared/ports/live.ts';
import { LINE_OVERHEAD } from './log-limit.ts';

/** Text that travels with its numbers; characters. Above it a reader fares better with the log store. */
export const MOST_TOLD_CHARS = 64 * 1_024;

export interface LiveLinesParts {
  readonly taskId: string;
  readonly attempt: number;
  readonly liveLogs: LiveLogs;
  readonly log: Log;
}

interface Waiting {
  readonly firstSeq: number;
  lastSeq: number;
  /** Null: too many. */
  lines: LogLine[] | null;
  chars: number;
}

export class LiveLines {
  readonly #parts: LiveLinesParts;
  #waiting: Waiting | null = null;
  #isTelling = false;

  constructor(parts: LiveLinesParts) {
    this.#parts = parts;
  }

  /** Lines that were kept just now, in order, following on those before. */
  add(kept: readonly LogLine[]): void {
    const first = kept[0];
    const last = kept.at(-1);
    if (!first || !last) return;
    this.#waiting ??= { firstSeq: first.seq, lastSeq: last.seq, lines: [], chars: 0 };
    const waiting = this.#waiting;
    waiting.lastSeq = last.seq;
    for (const line of kept) {
      if (waiting.lines === null) break;
      waiting.lines.push(line);
      waiting.chars += line.line.length + LINE_OVERHEAD;
      if (waiting.chars > MOST_TOLD_CHARS) waiting.lines = null;
    }
    if (!this.#isTelling) void this.#tell();
  }

  async #tell(): Promise<void> {
    const { taskId, attempt, liveLogs, log } = this.#parts;
    this.#isTelling = true;
    while (this.#waiting) {
      const { firstSeq, lastSeq, lines } = this.#waiting;
      this.#waiting = null;
      // The port promises not to reject; a broken promise must not end the telling.
      await liveLogs
        .publish(taskId, attempt, { firstSeq, lastSeq, lines })
        .catch((error) => log.debug({ err: error, taskId }, 'lines were not told'));
    }
    this.#isTelling = false;
  }
}
