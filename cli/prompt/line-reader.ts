// Reads one line at a time on a terminal, with editing, history and Tab. Holds the keyboard only while it reads: a
// command that runs in between has it for itself, and Ctrl-C is a signal again.

import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';

export type Typed =
  | { readonly kind: 'line'; readonly text: string }
  /** Ctrl-D, or the terminal is gone. */
  | { readonly kind: 'left' };

export interface ReadOptions {
  readonly prompt: string;
  /** Said at Ctrl-C when nothing is typed. With something typed, Ctrl-C throws that away. */
  readonly hint: string;
  /** Oldest first. */
  readonly history: readonly string[];
  /** Whole words for the end of `line`, and where in it the word begins whose place they take. */
  complete(line: string): Promise<{ readonly words: readonly string[]; readonly start: number }>;
}

export class LineReader {
  readonly #input: NodeJS.ReadStream;
  readonly #output: NodeJS.WriteStream;
  /** Lines that came in one piece with one that was read, as in a paste, and the beginning of the next. */
  readonly #ahead: string[] = [];
  #begun = '';
  /** Ctrl-D came in one piece with a line: the person leaves once that is done. */
  #leaves = false;

  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream) {
    this.#input = input;
    this.#output = output;
  }

  read({ prompt, hint, history, complete }: ReadOptions): Promise<Typed> {
    const waiting = this.#ahead.shift();
    if (waiting !== undefined) {
      // Over the beginning of the next line, which comes again when that one is read.
      cursorTo(this.#output, 0);
      clearLine(this.#output, 0);
      this.#output.write(`${prompt}${waiting}\n`);
      return Promise.resolve({ kind: 'line', text: waiting });
    }
    if (this.#leaves) return Promise.resolve({ kind: 'left' });
    return new Promise((resolve) => {
      let typed: Typed | null = null;
      let isRead = false;
      let completing = Promise.resolve();
      const lines = createInterface({
        input: this.#input,
        output: this.#output,
        terminal: true,
        prompt,
        history: [...history].reverse(),
        historySize: Math.max(1, history.length + 1),
        completer: (_line: string, done: (fault: null, result: [string[], string]) => void) => {
          // One after the other, each with the line as it is by then: two Tabs may come in one piece.
          completing = completing.then(async () => {
            const line = lines.line.slice(0, lines.cursor);
            const { words, start } = await complete(line).catch(() => ({ words: [], start: line.length }));
            done(null, [[...words], line.slice(start)]);
          });
        },
      });
      lines.on('line', (text) => {
        if (typed !== null) this.#ahead.push(text);
        typed ??= { kind: 'line', text };
        // What came in one piece with it is read to its end first.
        setImmediate(() => {
          this.#begun = lines.line;
          isRead = true;
          lines.close();
        });
      });
      lines.on('SIGINT', () => {
        const empty = lines.line === '';
        // Below the last row of a long line, not in the midst of it.
        lines.write(null, { ctrl: true, name: 'e' });
        this.#output.write('^C');
        startAnew(lines);
        if (empty) this.#output.write(`${hint}\n`);
        lines.prompt();
      });
      lines.on('close', () => {
        this.#leaves = !isRead;
        resolve(typed ?? { kind: 'left' });
      });
      lines.prompt();
      if (this.#begun !== '') lines.write(this.#begun);
      this.#begun = '';
    });
  }
}

/** In the next row with nothing typed. Node's own REPL does it by this method, which the types do not know. */
function startAnew(lines: Interface): void {
  (lines as Interface & { clearLine(): void }).clearLine();
}
