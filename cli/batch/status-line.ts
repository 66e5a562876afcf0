// One line on a terminal that says how far something is. Written anew in place, gone at the end.

import type { CliIo } from '../io.ts';
import { cutTo, displayWidth } from '../table.ts';

/** Standard error may be narrower than standard output says; this much nearly every terminal has. */
const DEFAULT_COLUMNS = 80;

export class StatusLine {
  readonly #io: CliIo;
  readonly #shown: boolean;
  #width = 0;

  /** `shown` false: nothing is ever written. */
  constructor(io: CliIo, shown: boolean) {
    this.#io = io;
    this.#shown = shown && io.progress;
  }

  async draw(text: string): Promise<void> {
    if (!this.#shown) return;
    // A line as wide as the terminal would wrap, and then stay.
    const line = cutTo(text, (this.#io.columns ?? DEFAULT_COLUMNS) - 1);
    const width = displayWidth(line);
    await this.#io.err(`\r${line}${' '.repeat(Math.max(0, this.#width - width))}`);
    this.#width = width;
  }

  async clear(): Promise<void> {
    if (this.#width === 0) return;
    await this.#io.err(`\r${' '.repeat(this.#width)}\r`);
    this.#width = 0;
  }
}
