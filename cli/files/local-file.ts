// A file of this machine that is to be sent: its bytes from anywhere on, and its checksum. Notices when it changes.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { CliError, EXIT } from '../exit.ts';

export interface LocalFile {
  /** Absolute. */
  readonly local: string;
  readonly sizeBytes: number;
  /** With the size: what tells one state of the file from another. */
  readonly mtimeMs: number;
}

const CHUNK_BYTES = 262_144;

/** Hex. @throws errors of the disk */
export async function sumOf(
  { local }: Pick<LocalFile, 'local'>,
  watch: { readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void },
): Promise<string> {
  const hash = createHash('sha256');
  const bytes = createReadStream(local, { highWaterMark: CHUNK_BYTES, signal: watch.signal });
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    hash.update(chunk);
    watch.onBytes(chunk.length);
  }
  return hash.digest('hex');
}

export interface Sending {
  readonly body: ReadableStream<Uint8Array>;
  /** What reading failed with. Kept, as a call that fails for it would tell of a broken connection. */
  readonly unreadable: () => unknown;
}

/** Bytes `start` up to and without `end`. */
export function bytesOf(
  { local }: LocalFile,
  start: number,
  end: number,
  onBytes: (bytes: Buffer) => void,
): Sending {
  let unreadable: unknown;
  const chunks = async function* () {
    if (start >= end) return;
    const source = createReadStream(local, { highWaterMark: CHUNK_BYTES, start, end: end - 1 });
    source.once('error', (error) => {
      unreadable = error;
    });
    for await (const chunk of source as AsyncIterable<Buffer>) {
      onBytes(chunk);
      yield chunk;
    }
  };
  const body = Readable.toWeb(Readable.from(chunks(), { objectMode: false })) as ReadableStream<Uint8Array>;
  return { body, unreadable: () => unreadable };
}

/** @throws {CliError} when it is another one by now; errors of the disk */
export async function checkUnchanged({ local, sizeBytes, mtimeMs }: LocalFile): Promise<void> {
  const now = await stat(local);
  if (now.size === sizeBytes && now.mtimeMs === mtimeMs) return;
  throw changed();
}

export function changed(): CliError {
  return new CliError(EXIT.failed, 'it changed while it was sent', 'Run the command again.');
}
