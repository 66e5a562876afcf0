// What one stream sends: one message at a time, the next when the connection has taken the last, so that a slow reader holds
// back its own reading and nothing piles up. A reader that takes nothing for long is given up; it may come back and go on.

import type { ServerWritableStream } from '@grpc/grpc-js';
import { AppError } from '../../shared/errors.ts';

export type StreamCall<Request> = ServerWritableStream<Request, Buffer>;

/** Longer timers are none. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class Outgoing {
  readonly #call: StreamCall<unknown>;
  readonly #idleMs: number;
  readonly #end = new AbortController();
  readonly #deadline: NodeJS.Timeout | null;
  #reason: unknown = null;

  constructor(call: StreamCall<unknown>, idleMs: number) {
    this.#call = call;
    this.#idleMs = idleMs;
    call.once('cancelled', () => this.#end.abort());
    // While a reader does not read, grpc cannot tell it that its time is over, and tells nobody else either.
    const left = Number(call.getDeadline()) - Date.now();
    this.#deadline = left < MAX_TIMER_MS ? setTimeout(() => this.#end.abort(), Math.max(0, left)) : null;
    this.#end.signal.addEventListener('abort', () => {
      if (this.#deadline) clearTimeout(this.#deadline);
    });
    if (call.cancelled) this.#end.abort();
  }

  /** Aborted when the caller is gone or its time is over, and when the stream is to end for a reason of ours. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** Resolves when there is room for the next; false: nothing is sent any more. */
  async send(bytes: Buffer): Promise<boolean> {
    if (this.signal.aborted) return false;
    await new Promise<void>((done) => {
      const over = () => {
        clearTimeout(stuck);
        this.signal.removeEventListener('abort', over);
        done();
      };
      const stuck = setTimeout(() => {
        const seconds = this.#idleMs / 1_000;
        this.stop(
          new AppError(
            'timed_out',
            `nothing was read for ${seconds} s: call again and go on where you were`,
            {
              retryable: true,
            },
          ),
        );
      }, this.#idleMs);
      this.signal.addEventListener('abort', over);
      this.#call.write(bytes, over);
    });
    return !this.signal.aborted;
  }

  /** Ends it with an error, now or once its owner notices. */
  stop(reason: unknown): void {
    this.#reason ??= reason;
    this.#end.abort();
  }

  /** Why it was stopped; null when it was not, or the caller went. */
  get reason(): unknown {
    return this.#reason;
  }

  /** Nothing of ours is kept after it. */
  close(): void {
    this.#end.abort();
  }
}
