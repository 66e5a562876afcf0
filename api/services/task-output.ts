// A task's output, page by page, from any line on; when followed, until the task has ended. One page is in memory
// at a time, and the next is read only when the reader took the last.

import { AppError, isAppError } from '../../shared/errors.ts';
import type { LogLine, LogStream } from '../../shared/model/log-line.ts';
import type { Task } from '../../shared/model/task.ts';
import { isTerminal } from '../../shared/model/task-states.ts';
import type { Principal } from '../../shared/model/user.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { LogStore } from '../../shared/ports/log-store.ts';
import type { TaskStore } from '../../shared/ports/store.ts';
import { OutputPage } from './output-page.ts';
import type { TaskRecords } from './task-records.ts';
import type { TaskWatch } from './task-watch.ts';

export interface OutputParts {
  readonly records: TaskRecords;
  readonly tasks: TaskStore;
  readonly logs: LogStore;
  readonly watch: TaskWatch;
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
  readonly follow: boolean;
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

const PAGE_LINES = 1_000;
/** Between two looks for new lines: what a person notices as "at once". */
const POLL_MS = 250;
/** Between two looks at the record when no event came. */
const RECORD_MS = 1_000;
/** A store that is away for longer ends the reading with its error. */
const PATIENCE_MS = 30_000;
/** Open readings that wait, for one user: far more than anyone watches. */
const MAX_FOLLOWED = 100;
/** In this process: each looks four times a second. */
const MAX_FOLLOWED_IN_ALL = 5_000;

export class TaskOutput {
  readonly #parts: OutputParts;
  readonly #followed = new Map<string, number>();
  #open = 0;

  constructor(parts: OutputParts) {
    this.#parts = parts;
  }

  /**
   * Pages of lines in order. Without `attempt`: of the latest and, when followed, of those that come after it.
   * @throws AppError `not_found` for a task or attempt that is not there; `rate_limited`
   */
  async open(by: Principal, id: string, query: OutputQuery): Promise<OutputReading> {
    const task = await this.#parts.records.get(by, id);
    if (query.attempt !== undefined && query.attempt > task.attempt) {
      throw new AppError('not_found', `there is no attempt ${query.attempt}: the task is at ${task.attempt}`);
    }
    if (!query.follow) return this.#readOnce(task, query);
    this.#count(by.userId, query.signal);
    return this.#follow(task, query);
  }

  /** Counted until the signal ends the reading, which also happens to one that never began. */
  #count(userId: string, signal: AbortSignal): void {
    const open = this.#followed.get(userId) ?? 0;
    if (open >= MAX_FOLLOWED) {
      throw new AppError('rate_limited', `you follow ${open} outputs already: close some of them first`);
    }
    if (this.#open >= MAX_FOLLOWED_IN_ALL) {
      throw new AppError('rate_limited', 'too many outputs are followed here: try again later', {
        retryable: true,
        retryAfterSeconds: 10,
      });
    }
    if (signal.aborted) return;
    this.#followed.set(userId, open + 1);
    this.#open += 1;
    signal.addEventListener(
      'abort',
      () => {
        const left = (this.#followed.get(userId) ?? 1) - 1;
        if (left > 0) this.#followed.set(userId, left);
        else this.#followed.delete(userId);
        this.#open -= 1;
      },
      { once: true },
    );
  }

  /** What is there now. A task that writes on and on does not make the answer endless. */
  async *#readOnce(task: Task, query: OutputQuery): OutputReading {
    const attempt = query.attempt ?? task.attempt;
    const { lastSeq } = await this.#parts.logs.position(task.id, attempt);
    let next = query.from ?? 1;
    while (next <= lastSeq && !query.signal.aborted) {
      const lines = await this.#parts.logs.read(task.id, attempt, next, PAGE_LINES);
      if (lines.length === 0) break;
      yield new OutputPage(attempt, lines);
      next = seqAfter(lines, next);
    }
    return { attempt, complete: !query.signal.aborted };
  }

  async *#follow(first: Task, query: OutputQuery): OutputReading {
    const { tasks, logs, watch } = this.#parts;
    const bell = new Bell(query.signal);
    const unwatch = watch.on(first.id, () => bell.ring());
    const faults = new Patience(this.#parts.clock);
    let task: Task | null = first;
    let attempt = query.attempt ?? first.attempt;
    let next = query.from ?? 1;
    try {
      for (;;) {
        // Known before the read: when the attempt was over by then, this read finds all of its lines.
        const over: boolean = !task || task.attempt > attempt || isTerminal(task.state);
        try {
          for (;;) {
            const lines: LogLine[] = await logs.read(first.id, attempt, next, PAGE_LINES);
            if (lines.length === 0) break;
            yield new OutputPage(attempt, lines);
            next = seqAfter(lines, next);
            if (query.signal.aborted) return { attempt, complete: false };
          }
          if (over) {
            if (!task || query.attempt !== undefined || task.attempt <= attempt) {
              return { attempt, complete: true };
            }
            attempt += 1;
            next = 1;
            continue;
          }
          if (await bell.wait(POLL_MS, RECORD_MS)) task = await tasks.get(first.id);
          faults.forget();
        } catch (error) {
          faults.bear(error);
          await bell.wait(POLL_MS, RECORD_MS);
        }
        if (query.signal.aborted) return { attempt, complete: false };
      }
    } finally {
      unwatch();
      bell.close();
    }
  }
}

/** Waits in short steps, cut short by an event or by the end of the reading. */
class Bell {
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.#wake?.();
  #wake: (() => void) | null = null;
  #rung = false;
  #sinceMs = 0;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** True when the record is worth a look: an event came, or `recordMs` went by without one. */
  async wait(stepMs: number, recordMs: number): Promise<boolean> {
    if (!this.#rung && !this.#signal.aborted) {
      await new Promise<void>((go) => {
        const timer = setTimeout(go, stepMs);
        this.#wake = () => {
          clearTimeout(timer);
          go();
        };
      });
      this.#wake = null;
    }
    this.#sinceMs += stepMs;
    if (!this.#rung && this.#sinceMs < recordMs) return false;
    this.#rung = false;
    this.#sinceMs = 0;
    return true;
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}

/** Bears faults that may pass, for a while. */
class Patience {
  readonly #clock: Clock;
  #since: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  bear(error: unknown): void {
    this.#since ??= this.#clock.monotonic();
    const passing = isAppError(error) && error.retryable;
    if (!passing || this.#clock.monotonic() - this.#since > PATIENCE_MS) throw error;
  }

  forget(): void {
    this.#since = null;
  }
}

function seqAfter(lines: readonly LogLine[], next: number): number {
  return (lines.at(-1)?.seq ?? next - 1) + 1;
}
