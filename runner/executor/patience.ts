// Trying again until something that is away comes back. Ends only with success, a fault that waiting does not mend,
// or the signal; it must never swallow an error without a line in the log.

import { AppError, isAppError } from '../../shared/errors.ts';
import { withDeadline } from '../../shared/platform/deadline.ts';
import type { Log } from '../../shared/platform/log.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** How long an engine that does not answer keeps an attempt waiting that has no container yet. */
export const ENGINE_PATIENCE_MS = 60_000;
/** Between two lines in the log about the same trouble. */
const TELL_EVERY_MS = 60_000;

export interface Patience {
  readonly signal: AbortSignal;
  readonly log: Log;
  /** What the trouble is about, for the log. */
  readonly about?: object;
  /** Number in [0, 1): spreads the tries of many. */
  readonly random: () => number;
}

export interface Trying extends Patience {
  /** For the log: "commit the result". */
  readonly what: string;
  /** Errors worth another try; by default all. */
  readonly isPassing?: (error: unknown) => boolean;
  /** Gives up after so long and throws the last error; by default never. */
  readonly giveUpAfterMs?: number;
}

/** The runner is stopping: nothing is wrong, and nothing more is to be done. */
export class Abandoned extends Error {
  constructor() {
    super('the runner is stopping');
    this.name = 'Abandoned';
  }
}

export async function keepTrying<T>(trying: Trying, call: () => Promise<T>): Promise<T> {
  const { signal, log, what } = trying;
  const isPassing = trying.isPassing ?? (() => true);
  let pauseMs = FIRST_PAUSE_MS;
  let waitedMs = 0;
  const beganAt = performance.now();
  let toldAtMs = -TELL_EVERY_MS;
  for (;;) {
    if (signal.aborted) throw new Abandoned();
    try {
      return await call();
    } catch (error) {
      if (error instanceof Abandoned) throw error;
      const isOver =
        trying.giveUpAfterMs !== undefined && performance.now() - beganAt >= trying.giveUpAfterMs;
      if (!isPassing(error) || isOver) throw error;
      if (waitedMs - toldAtMs >= TELL_EVERY_MS) {
        // What says of itself that it passes is expected; anything else may be a fault of ours.
        const level = isAppError(error) && error.retryable ? 'warn' : 'error';
        log[level]({ err: error, what, ...trying.about }, `cannot ${what} now; trying on`);
        toldAtMs = waitedMs;
      }
      const ms = pauseMs * (0.5 + trying.random() / 2);
      await pause(ms, signal);
      waitedMs += ms;
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }
}

export function isEngineAway(error: unknown): boolean {
  return isAppError(error) && error.retryable;
}

/** Resolves after `ms`, or at once when the signal is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      done();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}

/** Rejects with `timed_out` when the promise takes longer; what it does goes on by itself. */
export function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  return withDeadline(
    promise,
    ms,
    () => new AppError('timed_out', `${what} took longer than ${ms} ms`, { retryable: true }),
  );
}
