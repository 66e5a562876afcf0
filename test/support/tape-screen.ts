// A screen for tests in one process: keeps what is drawn, and is resized and typed on by the test.

import type { Screen } from '../../cli/screen/screen.ts';

export class TapeScreen implements Screen {
  columns: number;
  rows: number;
  /** What stands there now; null when it was taken away. */
  picture: string | null = null;
  /** What was done, in order. */
  readonly tape: ('draw' | 'clear' | 'done' | 'wipe')[] = [];
  #resized: (() => void)[] = [];
  #keyed: ((key: string) => void)[] = [];

  constructor(columns = 80, rows = 24) {
    this.columns = columns;
    this.rows = rows;
  }

  /** Nothing listens any more: all was left in order. */
  get isLeft(): boolean {
    return this.tape.at(-1) === 'done' && this.#resized.length === 0 && this.#keyed.length === 0;
  }

  draw(text: string): void {
    this.tape.push('draw');
    this.picture = text;
  }

  clear(): void {
    this.tape.push('clear');
    this.picture = null;
  }

  done(): void {
    this.tape.push('done');
  }

  wipe(): void {
    this.tape.push('wipe');
    this.picture = null;
  }

  onResize(listen: () => void): () => void {
    this.#resized.push(listen);
    return () => {
      this.#resized = this.#resized.filter((one) => one !== listen);
    };
  }

  onKey(listen: (key: string) => void): () => void {
    this.#keyed.push(listen);
    return () => {
      this.#keyed = this.#keyed.filter((one) => one !== listen);
    };
  }

  resize(columns: number, rows: number): void {
    Object.assign(this, { columns, rows });
    for (const listen of this.#resized) listen();
  }

  type(key: string): void {
    for (const listen of this.#keyed) listen(key);
  }
}
