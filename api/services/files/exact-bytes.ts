// A stream that must hold as many bytes as were promised. A promise goes out before the first byte, so a stream
// that ends early must break the answer instead of ending it.

import { pipeline, type Readable, Transform } from 'node:stream';
import { AppError } from '../../../shared/errors.ts';

/** `source` itself, but failing when it has fewer or more than `bytes`. `what` names it in the error. */
export function exactBytes(source: Readable, bytes: number, what: string): Readable {
  let seen = 0;
  const wrong = () => new AppError('internal', `${what} gave ${seen} bytes where there should be ${bytes}`);
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > bytes) done(wrong());
      else done(null, chunk);
    },
    flush(done) {
      done(seen === bytes ? null : wrong());
    },
  });
  // Whoever reads hears of a failure through the stream; that a reader left is none.
  return pipeline(source, counter, () => undefined);
}
