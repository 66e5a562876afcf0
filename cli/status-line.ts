// One line on a terminal that says how far something is. Written anew in place, gone at the end; writes nothing at all
// where standard error is no terminal.

import type { CliIo } from './io.ts';
import { cutTo, displayWidth } from './table.ts';

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

  get isShown(): boolean {
    return this.#shown;
  }

  /** Columns there are. The last one of the terminal stays free: a line that fills it would wrap, and then stay. */
  get room(): number {
    return (this.#io.progressColumns ?? this.#io.columns ?? DEFAULT_COLUMNS) - 1;
  }

  async draw(text: string): Promise<void> {
    if (!this.#shown) return;
    const { room } = this;
    const line = cutTo(text, room);
    const width = displayWidth(line);
    const before = Math.min(this.#width, room);
    this.#width = width;
    await this.#io.err(`\r${line}${' '.repeat(Math.max(0, before - width))}`);
  }

  async clear(): Promise<void> {
    if (this.#width === 0) return;
    const blank = `\r${' '.repeat(this.#width)}\r`;
    this.#width = 0;
    await this.#io.err(blank);
  }
}
