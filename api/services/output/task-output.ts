// A task's output, page by page, from any line on; when followed, until the task has ended. One page is in memory
// at a time for each reader, and the next is made only when it took the last.

import { AppError } from '../../../shared/errors.ts';
import type { LogStream } from '../../../shared/model/log-line.ts';
import type { Task } from '../../../shared/model/task.ts';
import type { Principal } from '../../../shared/model/user.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { LogPosition, LogStore } from '../../../shared/ports/log-store.ts';
import { OpenCounts } from '../open-counts.ts';
import type { TaskRecords } from '../task-records.ts';
import { isOver } from './log-tail.ts';
import type { LogTails, TailReader } from './log-tails.ts';
import type { OutputPage } from './output-page.ts';
import { OutputReader } from './output-reader.ts';
import type { SharedPages } from './shared-pages.ts';

export interface OutputParts {
  readonly records: TaskRecords;
  readonly logs: LogStore;
  readonly tails: LogTails;
  readonly pages: SharedPages;
  readonly clock: Clock;
}

export interface OutputQuery {
  /** Only this attempt; when absent the latest and, when followed, those that come after it. */
  readonly attempt?: number | undefined;
  /** First sequence number wanted, of the first attempt that is read; 1 when absent. */
  readonly from?: number | undefined;
  /** Begin so many lines before the end instead: of that stream, when one is named. */
  readonly tail?: number | undefined;
  readonly stream?: LogStream | undefined;
  /** So many lines at most, of one that does not follow. */
  readonly limit?: number | undefined;
  readonly follow: boolean;
  /** About how much text a page may have, for a reader that holds it for long. */
  readonly pageChars?: number | undefined;
  /** Ends a reading in good order. Must be aborted once the reader is done or gone. */
  readonly signal: AbortSignal;
}

/** What a reading returns at its end. */
export interface OutputEnd {
  /** The last attempt that was read. */
  readonly attempt: number;
  /** All that was asked for has been given; false when the signal ended the reading. */
  readonly complete: boolean;
}

export type OutputReading = AsyncGenerator<OutputPage, OutputEnd>;

/** Open readings of one user, whether they wait for more or not: far more than anyone watches. Each holds a page. */
const MAX_OPEN = 100;
/** In this process. */
const MAX_OPEN_IN_ALL = 5_000;
/** Looked through at a time when the last lines of one stream are searched for. */
const SEARCH_LINES = 1_000;

export class TaskOutput {
  readonly #parts: OutputParts;
  readonly #open = new OpenCounts({
    ofOne: MAX_OPEN,
    inAll: MAX_OPEN_IN_ALL,
    ownRefusal: (open) => `you read ${open} outputs already: close some of them first`,
    crowdRefusal: 'too many outputs are read here',
  });

  constructor(parts: OutputParts) {
    this.#parts = parts;
  }

  /**
   * Pages of lines in order, none of them empty. The number of a line tells where to go on.
   * @throws AppError `not_found` for a task or attempt that is not there; `rate_limited`; `invalid_request` for
   *   `from` and `tail` together
   */
  async open(by: Principal, id: string, query: OutputQuery): Promise<OutputReading> {
    if (query.from !== undefined && query.tail !== undefined) {
      throw new AppError('invalid_request', 'give "from" or "tail", not both');
    }
    const task = await this.#parts.records.get(by, id);
    if (query.attempt !== undefined && query.attempt > task.attempt) {
      throw new AppError('not_found', `there is no attempt ${query.attempt}: the task is at ${task.attempt}`);
    }
    this.#count(by.userId, query.signal);
    const attempt = query.attempt ?? task.attempt;
    const position = () => this.#parts.logs.position(id, attempt);
    if (!query.follow) return this.#readOnce(task, attempt, query, await position());
    return this.#follow(task, attempt, query, query.tail === undefined ? null : await position());
  }

  /** Counted until the signal ends the reading, which also happens to one that never began. */
  #count(userId: string, signal: AbortSignal): void {
    const end = this.#open.add(userId);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  }

  /** What is there now. A task that writes on and on does not make the answer endless. */
  async *#readOnce(task: Task, attempt: number, query: OutputQuery, end: LogPosition): OutputReading {
    const reader = new OutputReader(task.id, attempt, this.#parts, query.pageChars);
    let next = await this.#start(task.id, attempt, query, end);
    let left = query.limit ?? Number.POSITIVE_INFINITY;
    while (next <= end.lastSeq && left > 0) {
      const page = await reader.next(next, query.signal);
      if (!page) break;
      next = page.lastSeq + 1;
      const wanted = (query.stream ? page.only(query.stream) : page)?.upTo(left);
      if (wanted) yield wanted;
      left -= wanted?.lines.length ?? 0;
    }
    return { attempt, complete: !query.signal.aborted };
  }

  async *#follow(first: Task, from: number, query: OutputQuery, end: LogPosition | null): OutputReading {
    const { signal, stream } = query;
    let attempt = from;
    let next = await this.#start(first.id, attempt, query, end);
    let task: Task | null = first;
    for (;;) {
      const tail: TailReader | null = isOver(task, attempt)
        ? null
        : this.#parts.tails.open(first.id, attempt, next, query.pageChars);
      const source = tail ?? new OutputReader(first.id, attempt, this.#parts, query.pageChars);
      try {
        for (;;) {
          const page: OutputPage | null = await source.next(next, signal);
          if (!page) break;
          next = page.lastSeq + 1;
          const wanted = stream ? page.only(stream) : page;
          if (wanted) yield wanted;
        }
        if (signal.aborted || (tail && !tail.over)) return { attempt, complete: false };
        if (tail?.over) task = tail.over.record;
      } finally {
        tail?.release();
      }
      if (!task || query.attempt !== undefined || task.attempt <= attempt) return { attempt, complete: true };
      attempt += 1;
      next = 1;
    }
  }

  /** Number of the first line wanted. */
  async #start(id: string, attempt: number, query: OutputQuery, end: LogPosition | null): Promise<number> {
    const { from = 1, tail, stream, signal } = query;
    if (tail === undefined || end === null) return from;
    if (stream === undefined || tail === 0) return Math.max(1, end.lastSeq - tail + 1);
    if (tail >= (stream === 'stdout' ? end.stdoutLines : end.stderrLines)) return 1;
    // Backwards, until so many lines of the stream were seen.
    let missing = tail;
    for (let last = end.lastSeq; last > 0 && !signal.aborted; last -= SEARCH_LINES) {
      const first = Math.max(1, last - SEARCH_LINES + 1);
      const lines = await this.#parts.logs.read(id, attempt, first, last - first + 1);
      for (const line of lines.toReversed()) {
        if (line.stream === stream) missing -= 1;
        if (missing === 0) return line.seq;
      }
    }
    return 1;
  }
}
