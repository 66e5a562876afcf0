// Whole copies of the record, taken and put back while everything runs. Guarantees that test/conformance/store proves:
// - A copy is the record as it stood at one moment; writers wait no longer than for any other reader.
// - The contents are replaced in one step: other processes see all of what was before or all of what is after.
// - Nothing here blocks the thread that asks, however large the record is.
// What is under way leaves nothing behind, also when the process dies: the next one that opens the store clears up.

import type { Readable } from 'node:stream';
import type { CopyComparison } from '../model/copy-comparison.ts';

export interface StoreCopies {
  /** The newest layout of the record that this program knows. */
  readonly schemaVersion: number;
  /** Throws `disk_full`, `store_unavailable`. */
  take(): Promise<StoreCopy>;
  /**
   * Takes in a copy that `take` made, by this release or an earlier one, and checks it. Destroys `content` when it fails.
   * Without a word of what to expect its own structure has to do.
   * Throws `invalid_request` for what is no whole copy, or one of a newer release; `disk_full`; what `content` fails with.
   */
  receive(content: Readable, expected: ExpectedCopy | null): Promise<ReceivedCopy>;
}

/** What is known of a copy that comes. */
export interface ExpectedCopy {
  readonly sizeBytes: number;
  /** Hex. */
  readonly sha256: string;
}

export interface StoreCopy {
  readonly sizeBytes: number;
  /** Hex. */
  readonly sha256: string;
  /** May be called more than once. */
  read(): Readable;
  discard(): Promise<void>;
}

export interface ReceivedCopy {
  /** The layout it came in. */
  readonly schemaVersion: number;
  compare(): Promise<CopyComparison>;
  /**
   * Puts it in the place of the present record, of which a copy is kept first. Then every leader is deposed and
   * `Store.generation` has grown; see `restoredTask` for what becomes of tasks. Workers and what was measured of them stay.
   * Throws `conflict` when the record is of a newer layout than this program.
   */
  replace(now: number): Promise<Replacement>;
  discard(): Promise<void>;
}

export interface Replacement {
  /** Path of the copy of what was there before. */
  readonly safetyCopy: string;
  readonly generation: number;
}
