// The body of a request as a stream that whoever keeps it may destroy.

import { finished, PassThrough, type Readable } from 'node:stream';
import type { Request } from '@hapi/hapi';
import { AppError } from '../../shared/errors.ts';
import { failTricklingBody, IDLE_MS } from './slow-peers.ts';

/** Options of a route whose body is taken as it comes, whatever its size and type, as long as something comes. */
export const STREAMED_BODY = {
  payload: {
    output: 'stream',
    parse: false,
    // The type is the route's to look at: here any is as good as the one that the other routes take.
    override: 'application/json',
    // Counted while it is written: hapi would read all of a body that is announced too large.
    maxBytes: Number.MAX_SAFE_INTEGER,
    timeout: false,
  },
  timeout: { server: false, socket: IDLE_MS },
} as const;

export interface BodyOptions {
  /** Called once the whole body is there. */
  readonly onWhole?: () => void;
  readonly idleMs?: number | undefined;
}

/**
 * A stream of its own: to destroy it does not cut the connection over which the answer is to go. One that breaks off
 * fails, as does one that only trickles.
 */
export function bodyBytes(
  request: Request,
  { onWhole = () => undefined, idleMs = IDLE_MS }: BodyOptions = {},
): Readable {
  const { req } = request.raw;
  const body = new PassThrough();
  // It may break off before anybody reads from it, which without a listener ends the process.
  body.on('error', () => undefined);
  failTricklingBody(req, body, idleMs);
  finished(req, { writable: false }, (cause) => {
    if (!cause) return onWhole();
    body.destroy(new AppError('invalid_request', 'the upload broke off before its end', { cause }));
  });
  return req.pipe(body);
}
