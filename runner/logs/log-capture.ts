// Output of one attempt on its way from the container to the log store and to those who watch: bytes to numbered
// lines, masked. Must never drop a line below the limit or number one twice.

import type { LogLine, LogStream } from '../../shared/model/log-line.ts';
import type { OwnProgress } from '../../shared/model/progress.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { LiveLogs, RoomEmitter } from '../../shared/ports/live.ts';
import type { LogStore } from '../../shared/ports/log-store.ts';
import { LineBatches } from './line-batches.ts';
import { LineSplitter } from './line-splitter.ts';
import { LiveLines } from './live-lines.ts';
import { type KeptOutput, LogLimit } from './log-limit.ts';
import { PartialLines } from './partial-lines.ts';
import { type ProgressLine, readProgressLine } from './progress-line.ts';
import type { SecretMask } from './secret-mask.ts';
import { cutText } from './text-cut.ts';

/** Of a message of progress, in UTF-16 units. */
const LONGEST_MESSAGE = 500;

export interface LogCaptureParts {
  readonly taskId: string;
  readonly attempt: number;
  readonly logs: LogStore;
  readonly liveLogs: LiveLogs;
  readonly rooms: RoomEmitter;
  readonly mask: SecretMask;
  /** What is there already. When the stream is read again from its first byte, that much is skipped. */
  readonly kept: KeptOutput;
  readonly fromFirstByte: boolean;
  /** Of text that is kept, as a `LogLimit` counts it. */
  readonly maxBytes: number;
  /** What the program says of itself; `isOld` when an earlier reading has come across it already. */
  readonly onProgress: (progress: OwnProgress, how: { isOld: boolean }) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is known of one stream. */
interface Source {
  readonly splitter: LineSplitter;
  /** Lines that are still to come and are kept already. */
  skip: number;
  /** Lines that have ended. */
  ended: number;
  /** The line before goes on in the next. */
  isInLong: boolean;
}

export class LogCapture {
  readonly #parts: LogCaptureParts;
  readonly #sources: Readonly<Record<LogStream, Source>>;
  readonly #limit: LogLimit;
  readonly #batches: LineBatches;
  readonly #partials: PartialLines | null;
  #seq: number;
  /** Time of the chunk at hand, read once for all its lines. */
  #ts = 0;
  #chunks = 0;

  constructor(parts: LogCaptureParts) {
    this.#parts = parts;
    const { taskId, attempt, kept, fromFirstByte, mask, rooms } = parts;
    const { lastSeq, stdoutLines, stderrLines } = kept.position;
    this.#seq = lastSeq;
    this.#limit = new LogLimit(parts.maxBytes, kept.isFull);
    const live = new LiveLines(parts);
    this.#batches = new LineBatches({ ...parts, onKept: (lines) => live.add(lines) });
    const source = (stream: LogStream, lines: number): Source => ({
      splitter: new LineSplitter((line, more) => this.#take(stream, line, more), mask),
      skip: fromFirstByte ? lines : 0,
      ended: 0,
      isInLong: false,
    });
    // The note is a line that never was in the stream.
    const ownLines = kept.isFull ? 1 : 0;
    this.#sources = {
      stdout: source('stdout', stdoutLines),
      stderr: source('stderr', stderrLines - ownLines),
    };
    const isOpen = mask.values.length === 0;
    this.#partials = isOpen
      ? new PartialLines({
          taskId,
          attempt,
          rooms,
          lineOf: (stream) => this.#lineOf(stream),
          look: (stream) => ({ text: this.#sources[stream].splitter.unfinished, afterSeq: this.#seq }),
        })
      : null;
  }

  /** How often something came so far, be it a mere sign of life. */
  get chunks(): number {
    return this.#chunks;
  }

  /** The reader is being held back. */
  get isHolding(): boolean {
    return this.#batches.isHolding;
  }

  /** Since when lines cannot be kept, monotonic; null while they can. */
  get failingSince(): number | null {
    return this.#batches.failingSince;
  }

  /** Why lines could not be kept, or null. */
  get fault(): string | null {
    return this.#batches.fault;
  }

  /** An `OutputSink`. Returns a promise only when the reader has to wait. */
  readonly sink = (stream: LogStream, chunk: Buffer): void | Promise<void> => {
    this.#chunks += 1;
    if (chunk.length === 0) return;
    this.#ts = this.#parts.clock.now();
    this.#sources[stream].splitter.push(chunk);
    this.#partials?.changed();
    return this.#batches.afterAdding();
  };

  /** The output has ended: takes the last lines and resolves when all are kept, or never will be (`fault`). */
  async finish(): Promise<void> {
    this.#ts = this.#parts.clock.now();
    this.#partials?.close();
    this.#sources.stdout.splitter.end();
    this.#sources.stderr.splitter.end();
    await this.#batches.flush();
  }

  /** Keeps the whole lines read so far and stops; a line at its beginning is left to whoever reads again. */
  async pause(): Promise<void> {
    await this.#batches.flush();
    this.close();
  }

  /** Gives up what is not kept yet. */
  close(): void {
    this.#partials?.close();
    this.#batches.close();
  }

  #take(stream: LogStream, line: string, more: boolean): void {
    const source = this.#sources[stream];
    const isWhole = !more && !source.isInLong;
    source.isInLong = more;
    source.ended += 1;
    // Neither kept nor numbered, so a replay must not count it for a line that is kept.
    const progress = isWhole ? readProgressLine(line) : null;
    if (progress) this.#tell(progress, source);
    else if (source.skip > 0) {
      source.skip -= 1;
      this.#limit.count(line);
    } else this.#keepWithin(stream, line, more);
  }

  #keepWithin(stream: LogStream, line: string, more: boolean): void {
    const verdict = this.#limit.judge(line);
    if (verdict === 'keep') this.#keep(stream, line, more);
    if (verdict !== 'note') return;
    this.#parts.log.info({ taskId: this.#parts.taskId }, 'the output is over the limit');
    this.#keep('stderr', this.#limit.note, false);
  }

  #keep(stream: LogStream, text: string, more: boolean): void {
    this.#seq += 1;
    const line: LogLine = { seq: this.#seq, ts: this.#ts, stream, line: text };
    this.#batches.add(more ? { ...line, more: true } : line);
  }

  #tell({ percent, message }: ProgressLine, { skip }: Source): void {
    // Once more, for without its control characters a message may show what it did not before.
    const shown = cutText(this.#parts.mask.apply(message), LONGEST_MESSAGE);
    this.#parts.onProgress({ percent, message: shown, at: this.#ts }, { isOld: skip > 0 });
  }

  /** For partial lines: what is skipped or not kept any more is not shown. */
  #lineOf(stream: LogStream): number | null {
    const { splitter, skip, ended } = this.#sources[stream];
    return skip === 0 && !this.#limit.isFull && splitter.isUnfinished ? ended : null;
  }
}
