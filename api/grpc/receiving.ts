// How many requests may be on their way in at a time: each may be as large as the largest task, and is in memory before
// anything is known of its size. The others wait, with nothing of theirs read. None may take for ever.

import { AppError } from '../../shared/errors.ts';

const MAX_OF_ONE = 20;
const MAX_IN_ALL = 80;
/** As for bodies of REST. */
const DEADLINE_MS = 20_000;

interface Turn {
  readonly userId: string;
  readonly begin: () => void;
}

export class Receiving {
  readonly #deadlineMs: number;
  readonly #ofUser = new Map<string, number>();
  readonly #waiting = new Set<Turn>();
  #all = 0;

  constructor(deadlineMs = DEADLINE_MS) {
    this.#deadlineMs = deadlineMs;
  }

  /** On their way in. */
  get size(): number {
    return this.#all;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Waits for its turn. To be ended by the returned function, once the request is there or will not come.
   * @param onLate called when it was not ended in time; it counts as ended then
   */
  async begin(userId: string, onLate: (error: AppError) => void, gone: AbortSignal): Promise<() => void> {
    if (!this.#hasRoom(userId)) await this.#turn(userId, gone);
    else this.#count(userId, 1);
    let isOver = false;
    const end = () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      gone.removeEventListener('abort', end);
      this.#count(userId, -1);
      this.#next();
    };
    const timer = setTimeout(() => {
      end();
      onLate(
        new AppError('timed_out', 'the request did not arrive in time; send it again', { retryable: true }),
      );
    }, this.#deadlineMs);
    if (gone.aborted) end();
    else gone.addEventListener('abort', end, { once: true });
    return end;
  }

  #turn(userId: string, gone: AbortSignal): Promise<void> {
    return new Promise((done) => {
      const turn: Turn = {
        userId,
        begin: () => {
          gone.removeEventListener('abort', leave);
          this.#waiting.delete(turn);
          this.#count(userId, 1);
          done();
        },
      };
      // Counted as begun, to be ended at once.
      const leave = () => turn.begin();
      this.#waiting.add(turn);
      gone.addEventListener('abort', leave, { once: true });
      if (gone.aborted) leave();
    });
  }

  #hasRoom(userId: string): boolean {
    return this.#all < MAX_IN_ALL && (this.#ofUser.get(userId) ?? 0) < MAX_OF_ONE;
  }

  #count(userId: string, by: 1 | -1): void {
    const now = (this.#ofUser.get(userId) ?? 0) + by;
    if (now > 0) this.#ofUser.set(userId, now);
    else this.#ofUser.delete(userId);
    this.#all += by;
  }

  /** First come, first served, but for those who have enough. */
  #next(): void {
    for (const turn of this.#waiting) {
      if (this.#all >= MAX_IN_ALL) return;
      if (this.#hasRoom(turn.userId)) turn.begin();
    }
  }
}
