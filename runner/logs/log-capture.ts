// Output of one attempt on its way from the container to the log store: bytes to numbered lines, masked, in batches.
// Holds a bounded amount and then holds the reader back. Must never drop a line or number one twice.

import { isAppError, messageOf } from '../../shared/errors.ts';
import type { LogLine, LogStream } from '../../shared/model/log-line.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { LogPosition, LogStore } from '../../shared/ports/log-store.ts';
import { LineSplitter } from './line-splitter.ts';
import type { SecretMask } from './secret-mask.ts';

/** Longest time a line waits for company. */
const BATCH_MS = 150;
/** Text after which a batch goes at once; characters. */
const BATCH_CHARS = 256 * 1_024;
const BATCH_LINES = 2_000;
/** Text held before the reader is held back; characters, up to two bytes each. */
const HELD_CHARS = 2 * 1_024 * 1_024;
/** What an object of a line costs besides its text, so that a flood of empty lines is bounded too. */
const LINE_OVERHEAD = 64;
/** Pause between tries to append, growing to the cap. */
const RETRY_MS = 100;
const RETRY_CAP_MS = 5_000;
/** A fault of the log store that no waiting will mend is borne so long. */
const HOPELESS_MS = 30_000;

export interface LogCaptureParts {
  readonly taskId: string;
  readonly attempt: number;
  readonly logs: LogStore;
  readonly mask: SecretMask;
  /** Where the kept output ends. When the stream is read again from its first byte, that much is skipped. */
  readonly position: LogPosition;
  readonly fromFirstByte: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export class LogCapture {
  readonly #parts: LogCaptureParts;
  readonly #splitters: Record<LogStream, LineSplitter>;
  readonly #skip: Record<LogStream, number>;
  #seq: number;
  /** Time of the chunk at hand, read once for all its lines. */
  #ts = 0;
  #lines: LogLine[] = [];
  #chars = 0;
  #inFlightChars = 0;
  #flushing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #hold: { promise: Promise<void>; release: () => void } | null = null;
  #closed = false;
  #fault: string | null = null;
  #endRetry: (() => void) | null = null;
  #bytes = 0;

  constructor(parts: LogCaptureParts) {
    this.#parts = parts;
    const { position, fromFirstByte } = parts;
    this.#seq = position.lastSeq;
    this.#skip = {
      stdout: fromFirstByte ? position.stdoutLines : 0,
      stderr: fromFirstByte ? position.stderrLines : 0,
    };
    const { values, apply } = parts.mask;
    const splitter = (stream: LogStream) =>
      new LineSplitter((line) => this.#take(stream, values.length === 0 ? line : apply(line)), values);
    this.#splitters = { stdout: splitter('stdout'), stderr: splitter('stderr') };
  }

  /** Bytes received so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The reader is being held back. */
  get isHolding(): boolean {
    return this.#hold !== null;
  }

  /** Why lines could not be kept, or null. */
  get fault(): string | null {
    return this.#fault;
  }

  /** An `OutputSink`. Returns a promise only when the reader has to wait. */
  readonly sink = (stream: LogStream, chunk: Buffer): void | Promise<void> => {
    this.#bytes += chunk.length;
    this.#ts = this.#parts.clock.now();
    this.#splitters[stream].push(chunk);
    return this.#afterChange();
  };

  /** The output has ended: takes the last lines and resolves when all are kept, or never will be (`fault`). */
  async finish(): Promise<void> {
    this.#ts = this.#parts.clock.now();
    this.#splitters.stdout.end();
    this.#splitters.stderr.end();
    await this.#flushAll();
  }

  /** Keeps the whole lines read so far and stops; a line at its beginning is left to whoever reads again. */
  async pause(): Promise<void> {
    await this.#flushAll();
    this.close();
  }

  /** Gives up what is not kept yet. */
  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#lines = [];
    this.#chars = 0;
    this.#release();
    this.#endRetry?.();
  }

  #take(stream: LogStream, line: string): void {
    if (this.#skip[stream] > 0) {
      this.#skip[stream] -= 1;
      return;
    }
    if (this.#fault !== null || this.#closed) return;
    this.#seq += 1;
    this.#lines.push({ seq: this.#seq, ts: this.#ts, stream, line });
    this.#chars += line.length + LINE_OVERHEAD;
  }

  #afterChange(): void | Promise<void> {
    if (this.#lines.length === 0) return;
    if (this.#chars >= BATCH_CHARS || this.#lines.length >= BATCH_LINES) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS);
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

  /** Starts to append what is there, unless an append is under way, which goes on with it by itself. */
  #flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#flushing ??= this.#appendAll().finally(() => {
      this.#flushing = null;
    });
  }

  async #flushAll(): Promise<void> {
    while ((this.#lines.length > 0 || this.#flushing) && !this.#closed) {
      this.#flush();
      await this.#flushing;
    }
  }

  async #appendAll(): Promise<void> {
    while (this.#lines.length > 0 && !this.#closed) {
      const batch = this.#lines;
      this.#lines = [];
      this.#inFlightChars = this.#chars;
      this.#chars = 0;
      await this.#append(batch);
      this.#inFlightChars = 0;
      this.#release();
    }
  }

  async #append(batch: readonly LogLine[]): Promise<void> {
    const { logs, taskId, attempt, log, clock } = this.#parts;
    const since = clock.monotonic();
    for (let pauseMs = RETRY_MS; !this.#closed; pauseMs = Math.min(pauseMs * 2, RETRY_CAP_MS)) {
      try {
        return await logs.append(taskId, attempt, batch);
      } catch (error) {
        if (pauseMs === RETRY_MS) log.warn({ err: error, taskId }, 'output cannot be kept now; trying on');
        const isHopeless = !(isAppError(error) && error.retryable);
        if (isHopeless && clock.monotonic() - since > HOPELESS_MS) {
          log.error({ err: error, taskId }, 'output is lost');
          this.#fault = messageOf(error);
          this.#lines = [];
          this.#chars = 0;
          return;
        }
        await this.#pauseFor(pauseMs);
      }
    }
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

  #release(): void {
    this.#hold?.release();
    this.#hold = null;
  }
}
