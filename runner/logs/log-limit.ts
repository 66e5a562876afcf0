// How much output of one attempt is kept. The first line over the limit gives its place to a note, and nothing comes
// after it: neither now nor when a later life of the runner reads the output again.

import type { LogLine } from '../../shared/model/log-line.ts';
import type { LogPosition, LogStore } from '../../shared/ports/log-store.ts';

/** What a line counts besides its characters: it takes room in memory and on disk even when it is empty. */
export const LINE_OVERHEAD = 64;
const BYTES_PER_MB = 2 ** 20;

/** Of an attempt, in the log store. */
export interface KeptOutput {
  readonly position: LogPosition;
  /** The last line kept is the note. */
  readonly isFull: boolean;
}

export class LogLimit {
  readonly #most: number;
  #counted = 0;
  #isFull: boolean;

  /** @param most characters, a line counted with LINE_OVERHEAD more than it has */
  constructor(most: number, isFull: boolean) {
    this.#most = most;
    this.#isFull = isFull;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** A line that is kept already. */
  count(line: string): void {
    this.#counted += line.length + LINE_OVERHEAD;
  }

  /** What becomes of the next line. `note`: it is left out and said so, once. */
  judge(line: string): 'keep' | 'note' | 'drop' {
    if (this.#isFull) return 'drop';
    this.count(line);
    if (this.#counted <= this.#most) return 'keep';
    this.#isFull = true;
    return 'note';
  }

  /** A line on stderr. */
  get note(): string {
    return `[cloudai] the output is over ${Math.round(this.#most / BYTES_PER_MB)} MB: the rest is not kept`;
  }
}

/** Whatever the limit was when it was written. */
function isNote({ stream, line }: LogLine): boolean {
  return stream === 'stderr' && /^\[cloudai\] the output is over \d+ MB: the rest is not kept$/.test(line);
}

/** Where a writer goes on, and whether it may. Throws what the log store throws. */
export async function findKept(logs: LogStore, of: { taskId: string; attempt: number }): Promise<KeptOutput> {
  const position = await logs.position(of.taskId, of.attempt);
  if (position.lastSeq === 0) return { position, isFull: false };
  const [last] = await logs.read(of.taskId, of.attempt, position.lastSeq, 1);
  return { position, isFull: last !== undefined && isNote(last) };
}
