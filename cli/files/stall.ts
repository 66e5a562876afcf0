// A call that sends a body has no deadline, for sending takes as long as it takes. This cuts it when nothing moves: a
// network that vanished says nothing at all.

import { ConnectionError } from '../../client/client.ts';

/** The API cuts a silent sender after as long. */
const SILENCE_MS = 60_000;

/**
 * Runs `work` with a signal that aborts with `signal`, or when `moves` is not called for a minute.
 * @throws ConnectionError `timed_out` then; else what `work` throws
 */
export async function unlessStalled<T>(
  url: string,
  signal: AbortSignal,
  work: (signal: AbortSignal, moves: () => void) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  let stalled = false;
  const timer = setTimeout(() => {
    stalled = true;
    controller.abort();
  }, SILENCE_MS);
  try {
    return await work(controller.signal, () => void timer.refresh());
  } catch (error) {
    if (!stalled) throw error;
    throw new ConnectionError(url, 'timed_out', `nothing moved for ${SILENCE_MS / 1_000} s`, error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
