// Writes a task's output to the streams it was written to. A line that came in pieces is whole again, whatever the
// other stream says in between.

import type { LogLineBody } from '../../shared/contracts/log-lines.ts';
import type { LogStream } from '../../shared/model/log-line.ts';
import type { CliIo } from '../io.ts';

export class LineWriter {
  readonly #io: CliIo;
  /** The attempt whose line has no end yet. */
  readonly #unended = new Map<LogStream, number>();

  constructor(io: CliIo) {
    this.#io = io;
  }

  /** True while a line stands without its end. */
  get isWithin(): boolean {
    return this.#unended.size > 0;
  }

  async write({ stream, line, more }: LogLineBody, attempt: number): Promise<void> {
    // A line that its attempt left without an end is not the beginning of the next attempt's.
    const before = (this.#unended.get(stream) ?? attempt) === attempt ? '' : '\n';
    if (more) this.#unended.set(stream, attempt);
    else this.#unended.delete(stream);
    const text = `${before}${line}${more ? '' : '\n'}`;
    await (stream === 'stderr' ? this.#io.err(text) : this.#io.out(text));
  }
}
