// Lines on their way into the log store: in batches, in order, tried until they are kept. Holds a bounded amount and
// then holds the reader back. Must never drop a line while the store may come back.

import { isAppError, messageOf } from '../../shared/errors.ts';
import type { LogLine } from '../../shared/model/log-line.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { LogStore } from '../../shared/ports/log-store.ts';
import { LINE_OVERHEAD } from './log-limit.ts';

/** A line after silence waits so long for company: less than people notice, more than one write of a program takes. */
const FIRST_MS = 10;
/** Between the starts of two batches of a stream that flows: ten appends a second, whatever the program prints. */
const BATCH_MS = 100;
/** Text after which a batch goes at once; characters. */
const BATCH_CHARS = 256 * 1_024;
const BATCH_LINES = 2_000;
/** Text held before the reader is held back; characters, up to two bytes each. */
const HELD_CHARS = 2 * 1_024 * 1_024;
/** Pause between tries to append, growing to the cap. */
const RETRY_MS = 100;
const RETRY_CAP_MS = 5_000;
/** A fault of the log store that no waiting will mend is borne so long. */
const HOPELESS_MS = 30_000;

export interface LineBatchesParts {
  readonly taskId: string;
  readonly attempt: number;
  readonly logs: LogStore;
  /** Called with each batch once it is kept. */
  readonly onKept: (lines: readonly LogLine[]) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export class LineBatches {
  readonly #parts: LineBatchesParts;
  #lines: LogLine[] = [];
  #chars = 0;
  #inFlightChars = 0;
  #flushing: Promise<void> | null = null;
  /** Monotonic: when the last batch went. */
  #wentAt = Number.NEGATIVE_INFINITY;
  #isHurried = false;
  #timer: NodeJS.Timeout | null = null;
  #hold: { promise: Promise<void>; release: () => void } | null = null;
  #closed = false;
  #fault: string | null = null;
  #failingSince: number | null = null;
  #endRetry: (() => void) | null = null;

  constructor(parts: LineBatchesParts) {
    this.#parts = parts;
  }

  get isHolding(): boolean {
    return this.#hold !== null;
  }

  /** Since when the log store takes nothing, monotonic; null while it does. */
  get failingSince(): number | null {
    return this.#failingSince;
  }

  /** Why lines could not be kept, or null. From then on all are dropped. */
  get fault(): string | null {
    return this.#fault;
  }

  add(line: LogLine): void {
    if (this.#fault !== null || this.#closed) return;
    this.#lines.push(line);
    this.#chars += line.line.length + LINE_OVERHEAD;
  }

  /** To be called after lines were added. Returns a promise only when the reader has to wait. */
  afterAdding(): void | Promise<void> {
    if (this.#lines.length === 0) return;
    this.#schedule();
    if (this.#chars + this.#inFlightChars < HELD_CHARS) return;
    if (!this.#hold) {
      let release = () => {};
      const promise = new Promise<void>((done) => {
        release = done;
      });
      this.#hold = { promise, release };
    }
    return this.#hold.promise;
  }

  /** Resolves when all lines are kept, or never will be. */
  async flush(): Promise<void> {
    this.#isHurried = true;
    while ((this.#lines.length > 0 || this.#flushing) && !this.#closed) {
      this.#start();
      await this.#flushing;
    }
    this.#isHurried = false;
  }

  /** Gives up what is not kept yet. */
  close(): void {
    this.#closed = true;
    this.#drop();
    this.#clearTimer();
    this.#release();
    this.#endRetry?.();
  }

  #schedule(): void {
    const isFull = this.#chars >= BATCH_CHARS || this.#lines.length >= BATCH_LINES;
    if (isFull || this.#isHurried) this.#start();
    // An append that is under way looks again at its end.
    if (this.#timer || this.#flushing) return;
    const waitMs = Math.max(FIRST_MS, this.#wentAt + BATCH_MS - this.#parts.clock.monotonic());
    this.#timer = setTimeout(() => this.#start(), waitMs);
  }

  #start(): void {
    this.#clearTimer();
    if (this.#lines.length === 0) return;
    this.#flushing ??= this.#appendAll().finally(() => {
      this.#flushing = null;
      if (this.#lines.length > 0 && !this.#closed) this.#schedule();
    });
  }

  async #appendAll(): Promise<void> {
    const batch = this.#lines;
    this.#lines = [];
    this.#inFlightChars = this.#chars;
    this.#chars = 0;
    this.#wentAt = this.#parts.clock.monotonic();
    if (await this.#append(batch)) this.#parts.onKept(batch);
    this.#inFlightChars = 0;
    this.#release();
  }

  async #append(batch: readonly LogLine[]): Promise<boolean> {
    const { logs, taskId, attempt, log, clock } = this.#parts;
    const since = clock.monotonic();
    for (let pauseMs = RETRY_MS; !this.#closed; pauseMs = Math.min(pauseMs * 2, RETRY_CAP_MS)) {
      try {
        await logs.append(taskId, attempt, batch);
        this.#failingSince = null;
        return true;
      } catch (error) {
        if (pauseMs === RETRY_MS) log.warn({ err: error, taskId }, 'output cannot be kept now; trying on');
        this.#failingSince ??= since;
        // A disk gets room when somebody makes it, and until then the program would stand still.
        const isHopeless = !(isAppError(error) && error.retryable) || error.code === 'disk_full';
        if (isHopeless && clock.monotonic() - since > HOPELESS_MS) {
          log.error({ err: error, taskId }, 'output is lost');
          this.#fault = messageOf(error);
          this.#drop();
          return false;
        }
        await this.#pauseFor(pauseMs);
      }
    }
    return false;
  }

  async #pauseFor(ms: number): Promise<void> {
    await new Promise<void>((done) => {
      const timer = setTimeout(done, ms);
      this.#endRetry = () => {
        clearTimeout(timer);
        done();
      };
    });
    this.#endRetry = null;
  }

  #drop(): void {
    this.#lines = [];
    this.#chars = 0;
  }

  #clearTimer(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #release(): void {
    this.#hold?.release();
    this.#hold = null;
  }
}
