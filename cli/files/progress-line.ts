// One line on a terminal that says how far a download or an upload is. Written anew in place, gone at the end.

import { byteSize, fileCount } from '../../client/words.ts';
import type { CliIo } from '../io.ts';

/** Faster than this nobody reads. */
const EVERY_MS = 200;

export class ProgressLine {
  readonly #io: CliIo;
  readonly #shown: boolean;
  readonly #files: number;
  readonly #bytes: number;
  #doneFiles = 0;
  #doneBytes = 0;
  #fetched = 0;
  #began: number;
  #last = 0;
  #width = 0;

  /** `shown` false: nothing is ever written. */
  constructor(io: CliIo, shown: boolean, total: { readonly files: number; readonly bytes: number }) {
    this.#io = io;
    this.#shown = shown && io.progress;
    this.#files = total.files;
    this.#bytes = total.bytes;
    this.#began = io.now();
  }

  addBytes(bytes: number): void {
    this.#doneBytes += bytes;
    this.#fetched += Math.max(0, bytes);
    this.#draw();
  }

  addFile(): void {
    this.#doneFiles += 1;
    this.#draw();
  }

  async end(): Promise<void> {
    if (this.#width === 0) return;
    await this.#io.err(`\r${' '.repeat(this.#width)}\r`);
    this.#width = 0;
  }

  #draw(): void {
    const now = this.#io.now();
    if (!this.#shown || now - this.#last < EVERY_MS) return;
    this.#last = now;
    const seconds = Math.max(1, (now - this.#began) / 1_000);
    const line =
      `${this.#doneFiles} of ${fileCount(this.#files)}, ` +
      `${byteSize(this.#doneBytes)} of ${byteSize(this.#bytes)}, ${byteSize(this.#fetched / seconds)}/s`;
    void this.#io.err(`\r${line.padEnd(this.#width)}`);
    this.#width = Math.max(this.#width, line.length);
  }
}
