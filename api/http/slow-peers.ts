// Peers that hold a request open and do next to nothing: a reader that does not take what is there for it, a sender
// whose bytes only trickle. Both are cut after a while, so that nobody's place is held for days. Silence where there is
// nothing to say is no fault.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { PassThrough } from 'node:stream';
import { AppError } from '../../shared/errors.ts';

/** A peer that takes or sends nothing for so long is gone. */
export const IDLE_MS = 60_000;
/** A modem of the last century sends as much in a tenth of the time. */
export const LEAST_BYTES = 16 * 1_024;

/** Cuts the connection of a reader for whom bytes have been waiting for `idleMs` without one of them being taken. */
export function cutStuckReader(
  { req, res }: { req: IncomingMessage; res: ServerResponse },
  idleMs = IDLE_MS,
): void {
  const { socket } = req;
  // A request that a test hands in has no connection.
  if (!(socket instanceof Socket)) return;
  // Node counts what the system takes off its hands as life, but does not ask whether there is anything to take.
  res.setTimeout(idleMs, () => {
    if (socket.writableLength > 0 || res.writableLength > 0) socket.destroy();
    else socket.setTimeout(idleMs);
  });
}

/** Fails a body of which less than `LEAST_BYTES` came within `idleMs` although there was room for more. */
export function failTricklingBody(req: IncomingMessage, body: PassThrough, idleMs = IDLE_MS): void {
  const { socket } = req;
  let before = socket.bytesRead;
  const timer = setInterval(() => {
    const came = socket.bytesRead - before;
    before = socket.bytesRead;
    // When there is no room for more it is the store that holds it up.
    if (!body.writableNeedDrain && came < LEAST_BYTES && !req.complete) {
      const message = `the body comes too slowly: fewer than ${LEAST_BYTES} bytes in ${idleMs / 1_000} s; send it again`;
      body.destroy(new AppError('timed_out', message, { retryable: true }));
    }
  }, idleMs);
  timer.unref();
  body.once('close', () => clearInterval(timer));
}
