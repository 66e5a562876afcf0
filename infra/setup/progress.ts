// Shows a person what set-up is doing: one line a step with its outcome and time. Decides nothing.

import { messageOf } from '../../shared/errors.ts';

/** Says what a step is at just now; shown only while it lasts. */
export type Note = (text: string) => void;

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export class Progress {
  readonly #out: Output;
  /** What the line of the running step says, on a terminal. */
  #live = '';
  readonly #shown = new WeakSet<object>();

  constructor(out: Output = process.stdout) {
    this.#out = out;
  }

  /** Runs one step. `tell` words its result: "✓ <name> <told> (1.2 s)". A failure is shown and thrown on. */
  async step<T>(
    name: string,
    work: (note: Note) => Promise<T>,
    tell: (result: T) => string = () => '',
  ): Promise<T> {
    const start = performance.now();
    let told = '';
    const note = (text: string) => {
      if (text === told) return;
      told = text;
      this.#show(`… ${name}: ${text}`);
    };
    if (this.#out.isTTY) this.#show(`… ${name}`);
    try {
      const result = await work(note);
      this.line(`✓ ${[name, tell(result)].filter((part) => part !== '').join(' ')}${took(start)}`);
      return result;
    } catch (error) {
      this.line(`✗ ${name}: ${messageOf(error)}`);
      if (error instanceof Error) this.#shown.add(error);
      throw error;
    }
  }

  /** Whether this error was shown as the failure of a step. */
  hasShown(error: unknown): boolean {
    return error instanceof Error && this.#shown.has(error);
  }

  /** A line that stays. */
  line(text = ''): void {
    this.#clear();
    this.#out.write(`${text}\n`);
  }

  warn(text: string): void {
    this.line(`! ${text}`);
  }

  /** On a terminal a line that the next one replaces; elsewhere (a file, CI) a line like any other. */
  #show(text: string): void {
    if (!this.#out.isTTY) {
      this.#out.write(`${text}\n`);
      return;
    }
    this.#clear();
    this.#live = text.slice(0, (this.#out.columns || 80) - 1);
    this.#out.write(this.#live);
  }

  #clear(): void {
    if (this.#live === '') return;
    this.#out.write('\r\u001b[K');
    this.#live = '';
  }
}

/** Shorter steps than this need no time shown. */
const NOTEWORTHY_MS = 500;

function took(start: number): string {
  const ms = performance.now() - start;
  return ms < NOTEWORTHY_MS ? '' : ` (${(ms / 1_000).toFixed(1)} s)`;
}
