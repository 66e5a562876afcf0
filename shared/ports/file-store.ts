// The bytes of files. What they are called and whose they are stands in the store's file records; a file here has
// only an id, is written once and never changed. An id is lower-case letters, digits, `-` and `_`. Guarantees that every adapter proves in test/conformance/files:
// - A file is readable when `write` has resolved, and not before: no reader ever sees a part.
// - Faults are AppError: `too_large` (nothing is kept), `not_found`, `disk_full`, `store_unavailable` (retryable).

import type { Readable } from 'node:stream';

export interface WrittenFile {
  readonly sizeBytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** Bytes `start` up to and without `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface FileStore {
  /**
   * Keeps all of `content` under a new id. An id that is there already is written over. Destroys `content` when it fails;
   * throws what `content` fails with, and `timed_out` when the signal is aborted. Never holds more than a few chunks in memory.
   */
  write(
    id: string,
    content: Readable,
    options: { readonly maxBytes: number; readonly signal?: AbortSignal },
  ): Promise<WrittenFile>;
  /**
   * A stream of the bytes, or of those of `range` that are there. Throws `not_found` before it gives out the stream.
   * When the file is removed meanwhile the stream gives all of it or fails.
   */
  read(id: string, range?: ByteRange): Promise<Readable>;
  /** Those that are not there are no fault. */
  remove(ids: readonly string[]): Promise<void>;
}
