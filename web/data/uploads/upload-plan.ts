// What to do next with an upload: which piece, what a fault means, whether a file is the one that was begun. Pure.

import { ApiError, mayPass } from '../../../client/client.ts';
import type { UploadBody } from '../../../shared/contracts/uploads.ts';

/** Small enough to see it move, large enough that the calls do not cost more than the bytes. */
export const PIECE_BYTES = 4 * 1_048_576;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
/** A sender that died is overruled after 15 s; whoever holds on longer is alive. */
const MOST_CONFLICTS = 15;
const CONFLICT_WAIT_MS = 2_000;

export type FaultStep =
  | { readonly kind: 'wait'; readonly ms: number }
  /** The cluster has forgotten it. */
  | { readonly kind: 'begin-anew' }
  | { readonly kind: 'fail' };

/** @param faults how many came in a row, this one included, without a byte arriving between them */
export function afterFault(error: unknown, faults: number, isBegun: boolean): FaultStep {
  if (error instanceof ApiError && isBegun && error.status === 404) return { kind: 'begin-anew' };
  if (error instanceof ApiError && isBegun && error.code === 'conflict') {
    return faults > MOST_CONFLICTS ? { kind: 'fail' } : { kind: 'wait', ms: CONFLICT_WAIT_MS };
  }
  if (!mayPass(error)) return { kind: 'fail' };
  const told = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
  const ms = Math.max(told, FIRST_WAIT_MS * 2 ** Math.min(faults - 1, 10));
  return { kind: 'wait', ms: Math.min(ms, LONGEST_WAIT_MS) };
}

/** The end of the piece that begins at `offset`. */
export function pieceEnd(offset: number, sizeBytes: number): number {
  return Math.min(offset + PIECE_BYTES, sizeBytes);
}

/** Where a picked file goes. Slashes at the ends of the folder are no part of its name. */
export function pathIn(folder: string, name: string): string {
  const clean = folder
    .split('/')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join('/');
  return clean === '' ? name : `${clean}/${name}`;
}

export interface PickedFile {
  readonly name: string;
  readonly size: number;
  readonly lastModified: number;
}

/**
 * Why a file cannot be the one whose upload was begun; null when it may be.
 * @param lastModified of the file that was begun with, when this browser remembers it
 */
export function otherFile(
  upload: Pick<UploadBody, 'path' | 'size_bytes'>,
  file: PickedFile,
  lastModified: number | null,
): string | null {
  const name = upload.path.slice(upload.path.lastIndexOf('/') + 1);
  if (file.name !== name) return `it is called ${file.name}, not ${name}`;
  if (file.size !== upload.size_bytes) return `it has ${file.size} bytes, not ${upload.size_bytes}`;
  if (lastModified !== null && lastModified !== file.lastModified) return 'it has changed since';
  return null;
}
