// The bytes of a file on their way into a store: counted, hashed, cut into pieces of one size, so that a store
// writes few large ones whatever the source gives. It never holds more than two pieces.

import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { AppError } from '../errors.ts';
import type { FileStore, WrittenFile } from '../ports/file-store.ts';

const PIECE_BYTES = 1_048_576;

export class FileIntake {
  readonly #content: Readable;
  readonly #maxBytes: number;
  readonly #signal: AbortSignal | undefined;
  readonly #hash = createHash('sha256');
  #sizeBytes = 0;

  constructor(content: Readable, { maxBytes, signal }: Parameters<FileStore['write']>[2]) {
    this.#content = content;
    this.#maxBytes = maxBytes;
    this.#signal = signal;
    // It may fail before anybody reads from it, which without a listener ends the process.
    content.on('error', () => undefined);
  }

  /**
   * Can be gone through once. Throws `too_large`, `timed_out` when the signal is aborted, and what the source fails
   * with. Destroys the source when it is left before the end.
   */
  async *pieces(): AsyncGenerator<Buffer> {
    const signal = this.#signal;
    const stop = () => this.#content.destroy(this.#stopped());
    signal?.addEventListener('abort', stop, { once: true });
    try {
      if (signal?.aborted) throw this.#stopped();
      yield* cut(this.#measured());
      if (signal?.aborted) throw this.#stopped();
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#content.destroy();
    }
  }

  /** What came in; once, after the last piece. */
  written(): WrittenFile {
    return { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest('hex') };
  }

  async *#measured(): AsyncGenerator<Buffer> {
    for await (const chunk of this.#content) {
      const bytes: Buffer = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      this.#sizeBytes += bytes.length;
      if (this.#sizeBytes > this.#maxBytes) {
        throw new AppError('too_large', `the file is larger than the ${this.#maxBytes} bytes it may have`);
      }
      this.#hash.update(bytes);
      yield bytes;
    }
  }

  #stopped(): AppError {
    const cause = this.#signal?.reason;
    return new AppError('timed_out', 'the file was given up before it was written', { cause });
  }
}

/** All pieces but the last are of `PIECE_BYTES`; none is empty. */
async function* cut(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    waiting.push(chunk);
    length += chunk.length;
    if (length < PIECE_BYTES) continue;
    const bytes = Buffer.concat(waiting, length);
    let at = 0;
    for (; length - at >= PIECE_BYTES; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
    waiting = [bytes.subarray(at)];
    length -= at;
  }
  if (length > 0) yield Buffer.concat(waiting, length);
}
