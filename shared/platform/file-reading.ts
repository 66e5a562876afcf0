// The bytes of a kept file on their way out. A reader gets all it was promised or an AppError, never less in silence.

import { Readable } from 'node:stream';
import { AppError } from '../errors.ts';
import type { ByteRange } from '../ports/file-store.ts';

/** The part of `range` that a file of `sizeBytes` has; may be empty. Throws `invalid_request` for what is no range. */
export function clipRange(range: ByteRange | undefined, sizeBytes: number): ByteRange {
  const { start, end } = range ?? { start: 0, end: sizeBytes };
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new AppError('invalid_request', `${start} to ${end} is no range of bytes`);
  }
  return { start: Math.min(start, sizeBytes), end: Math.min(end, sizeBytes) };
}

/** Reads `source`, which must give `sizeBytes`; its faults come out as `asAppError` makes them. */
export function openReading(
  source: Readable,
  sizeBytes: number,
  asAppError: (error: unknown) => AppError,
): Readable {
  const reading = Readable.from(checked(source, sizeBytes, asAppError), { objectMode: false });
  // A reading that is dropped before its first byte has not begun to go through the source.
  reading.once('close', () => source.destroy());
  return reading;
}

async function* checked(source: Readable, sizeBytes: number, asAppError: (error: unknown) => AppError) {
  let seen = 0;
  try {
    for await (const chunk of source) {
      seen += (chunk as Buffer).length;
      yield chunk;
    }
  } catch (error) {
    throw asAppError(error);
  }
  if (seen === sizeBytes) return;
  const message = `a file ended after ${seen} of ${sizeBytes} bytes: it was removed while it was read`;
  throw new AppError('store_unavailable', message, { retryable: true });
}
