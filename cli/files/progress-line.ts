// The one line on a terminal that says how far a transfer is; remarks go above it.

import type { CliIo } from '../io.ts';
import { StatusLine } from '../status-line.ts';
import { plain } from '../table.ts';
import { progressText, Rate } from './progress-text.ts';

/** Ten times a second is as often as a terminal is worth. */
const EVERY_MS = 100;
const MIN_COLUMNS = 20;

export interface ProgressOptions {
  /** False: nothing is ever drawn. */
  readonly shown: boolean;
  readonly files: number;
  /** 0 when nobody knows. */
  readonly bytes: number;
}

export class ProgressLine {
  readonly #io: CliIo;
  readonly #line: StatusLine;
  readonly #files: number;
  readonly #bytes: number;
  readonly #rate = new Rate();
  #doneFiles = 0;
  #doneBytes = 0;
  #moved = 0;
  #step: string | null = null;
  #last = Number.NEGATIVE_INFINITY;
  #later: ReturnType<typeof setTimeout> | null = null;

  constructor(io: CliIo, { shown, files, bytes }: ProgressOptions) {
    this.#io = io;
    this.#line = new StatusLine(io, shown);
    this.#files = files;
    this.#bytes = bytes;
  }

  /** That moved; negative when some turned out not to have. */
  addBytes(bytes: number): void {
    this.#moved += Math.max(0, bytes);
    this.#doneBytes += bytes;
    this.#draw();
  }

  /** That need not move: they say nothing of the rate. */
  addKnown(bytes: number): void {
    this.#doneBytes += bytes;
    this.#draw();
  }

  addFile(): void {
    this.#doneFiles += 1;
    this.#draw();
  }

  /** What takes its time without a byte moving; null when that is over. */
  step(what: string | null): void {
    this.#step = what;
    this.#draw();
  }

  /** A line of its own above. */
  async note(text: string): Promise<void> {
    await this.end();
    await this.#io.err(`${plain(text)}\n`);
  }

  async end(): Promise<void> {
    if (this.#later !== null) clearTimeout(this.#later);
    this.#later = null;
    await this.#line.clear();
  }

  #draw(): void {
    if (!this.#line.isShown) return;
    const now = this.#io.now();
    if (now - this.#last < EVERY_MS) {
      // What comes too soon is drawn a little later, for nothing else may come for a while.
      this.#later ??= setTimeout(() => {
        this.#later = null;
        this.#draw();
      }, EVERY_MS);
      return;
    }
    this.#last = now;
    // The time before the first byte was spent on something else.
    if (this.#moved > 0) this.#rate.add(now, this.#moved);
    const text = progressText(
      {
        files: this.#files,
        doneFiles: this.#doneFiles,
        bytes: this.#bytes,
        doneBytes: this.#doneBytes,
        bytesPerSecond: this.#rate.perSecond(),
        step: this.#step,
      },
      Math.max(MIN_COLUMNS - 1, this.#line.room),
    );
    void this.#line.draw(text);
  }
}
