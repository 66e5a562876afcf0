// Turns signals into wishes: stop in order, and, when asked again, stop at once.

/** Signals this close are one wish: npm passes on a Ctrl-C that the terminal has already sent. */
const SAME_WISH_MS = 500;

export interface StopRequest {
  /** Resolves with the reason when a stop is wanted. */
  readonly wanted: Promise<string>;
  readonly isWanted: boolean;
  /** Aborts when a stop is wanted. */
  readonly signal: AbortSignal;
  /** Asks from inside. */
  ask(why: string): void;
}

/** `onAgain` is called for every wish after the first. */
export function listenForStop(onAgain: () => void): StopRequest {
  const controller = new AbortController();
  let tell: (why: string) => void = () => undefined;
  const wanted = new Promise<string>((done) => {
    tell = done;
  });
  let lastMs = Number.NEGATIVE_INFINITY;
  const ask = (why: string) => {
    const now = performance.now();
    if (now - lastMs < SAME_WISH_MS) return;
    lastMs = now;
    if (controller.signal.aborted) {
      onAgain();
      return;
    }
    controller.abort();
    tell(why);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ask(signal));
  // The process that started this one is gone and can pass on no Ctrl-C any more.
  process.on('disconnect', () => ask('its parent process is gone'));
  return {
    wanted,
    signal: controller.signal,
    ask,
    get isWanted() {
      return controller.signal.aborted;
    },
  };
}
