// Sends one file, in pieces, whatever happens to the connection: waits, asks how far it is, goes on. Ends when the file
// is in its place, when it cannot be, or when it is stopped.

import { type Client, ConnectionError } from '../../../client/client.ts';
import { pause } from '../../../client/transport.ts';
import { afterFault, pieceEnd } from './upload-plan.ts';

export interface RunParts {
  /** Asked anew for each call: a renewed sign-in has another client. */
  readonly client: () => Client;
  readonly file: Blob;
  readonly path: string;
  readonly signal: AbortSignal;
  /** The upload that was begun, or null. */
  readonly id: string | null;
  readonly onBegun: (id: string) => void;
  readonly onOffset: (offset: number) => void;
  /** The fault that is waited out; null when it goes on. */
  readonly onWaiting: (fault: Error | null) => void;
  /** Waits; ends early when the connection may be back. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A piece of 4 MB that takes longer is sent over a dead connection, or one that is better tried anew. */
const PIECE_DEADLINE_MS = 120_000;
/** Between two looks at how far the cluster is with putting it together. */
const LOOK_MS = 1_000;

/** @throws ApiError, or the signal's reason */
export async function runUpload(parts: RunParts): Promise<void> {
  const { client, file, path, signal, wait } = parts;
  // Nothing to go on with, so nothing to begin.
  if (file.size === 0) {
    await client().uploadFile(path, file, { contentType: file.type || undefined, signal });
    return;
  }
  let { id } = parts;
  let faults = 0;
  for (;;) {
    signal.throwIfAborted();
    try {
      if (id === null) {
        const contentType = file.type || undefined;
        id = await client().beginUpload({ path, sizeBytes: file.size, contentType }, { signal });
        parts.onBegun(id);
      }
      for (;;) {
        const { offset, state } = await client().getUpload(id, { signal });
        parts.onOffset(offset);
        if (state === 'completed') return;
        if (state === 'waiting') {
          await sendFrom(offset, id, () => {
            faults = 0;
          });
          return;
        }
        // Our own earlier piece, or another sender: either ends, or is overruled.
        await wait(LOOK_MS, signal);
        signal.throwIfAborted();
      }
    } catch (error) {
      signal.throwIfAborted();
      faults += 1;
      const step = afterFault(error, faults, id !== null);
      if (step.kind === 'fail') throw error;
      if (step.kind === 'begin-anew') {
        id = null;
        parts.onOffset(0);
        continue;
      }
      parts.onWaiting(error as Error);
      await wait(step.ms, signal);
    }
  }

  async function sendFrom(start: number, upload: string, moved: () => void): Promise<void> {
    let offset = start;
    while (offset < file.size) {
      const piece = file.slice(offset, pieceEnd(offset, file.size));
      offset = await sendPiece(client(), upload, offset, piece, signal);
      moved();
      parts.onWaiting(null);
      parts.onOffset(offset);
    }
  }
}

async function sendPiece(
  client: Client,
  upload: string,
  offset: number,
  piece: Blob,
  outer: AbortSignal,
): Promise<number> {
  const controller = new AbortController();
  const stop = () => controller.abort(outer.reason);
  const late = new ConnectionError(client.url, 'timed_out', `no answer in ${PIECE_DEADLINE_MS / 1_000} s`);
  const timer = setTimeout(() => controller.abort(late), PIECE_DEADLINE_MS);
  outer.addEventListener('abort', stop);
  try {
    return await client.sendUpload(upload, offset, piece, { signal: controller.signal });
  } catch (error) {
    throw controller.signal.reason === late ? late : error;
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', stop);
  }
}

/** Waits, but no longer once the browser says that it is online again. */
export async function waitOnline(ms: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const end = () => over.abort();
  addEventListener('online', end);
  signal.addEventListener('abort', end);
  try {
    if (signal.aborted) end();
    await pause(ms, over.signal).catch(() => undefined);
  } finally {
    removeEventListener('online', end);
    signal.removeEventListener('abort', end);
  }
  signal.throwIfAborted();
}
