// Pauses of the loop: one that anything may end early, and one that only lets timers and sockets have their turn.

import { setImmediate } from 'node:timers/promises';

/** A store may answer without ever leaving this thread: long work must step aside by itself. */
export async function letOthersRun(): Promise<void> {
  await setImmediate();
}

/** Remembers a call that comes while nobody rests, so that none is missed. */
export class Rest {
  #wanted = false;
  #end: (() => void) | null = null;

  wake(): void {
    this.#wanted = true;
    this.#end?.();
  }

  /** Resolves with the next `wake`, at once if one came since the last rest, or after `ms`. */
  async rest(ms: number): Promise<void> {
    if (!this.#wanted && ms > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(ms, 2 ** 31 - 1));
        this.#end = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#end = null;
    }
    this.#wanted = false;
  }
}
