// The record of an upload that may be sent in several goes: what has come so far and who is writing. Every legal step
// is here. Pure: time, tokens and ids are handed in.
//
//   begun ──► writing ──► idle ──► … ──► writing ──► finished
//                │ ▲
//                └─┘ a part was kept; the lease was renewed
//
// Whoever writes holds a lease. A writer whose lease ran out may still live, so it is not waited for but overruled: each
// step is written over the revision it was made from, and bytes count only once a step names them.

import type { FileRecord } from './file.ts';

/** A piece of the file in the file store, under an id of its own. */
export interface UploadPart {
  readonly id: string;
  readonly sizeBytes: number;
}

export interface UploadWriter {
  /** Made anew for each request that writes. */
  readonly token: string;
  /** The part it is about to write. When the writer is overruled nobody else will name it. */
  readonly partId: string;
  /** Milliseconds since the epoch, by the clock of the process that writes. */
  readonly until: number;
}

export interface Upload {
  readonly id: string;
  readonly ownerId: string;
  /** Where the file is to be in the user's space. */
  readonly path: string;
  /** The file it will be. Known from the beginning, so that finishing twice makes one file. */
  readonly fileId: string;
  /** Of the whole file, as announced. */
  readonly sizeBytes: number;
  readonly contentType: string;
  /** What the whole must hash to, hex; null when the sender has not said. */
  readonly sha256: string | null;
  /** Only when there is no file at this path at the end. */
  readonly onlyNew: boolean;
  /** What the sender said of it, as it came: it gets that back. */
  readonly metadata: string;
  /** In their order, without a gap. */
  readonly parts: readonly UploadPart[];
  readonly writer: UploadWriter | null;
  /** Once it is finished. */
  readonly result: UploadResult | null;
  readonly createdAt: number;
  /** From then on it may be forgotten with all its bytes. */
  readonly expiresAt: number;
  readonly revision: number;
}

export interface UploadResult {
  readonly sha256: string;
  readonly replaced: boolean;
}

/** How long a writer that shows no life keeps others out. */
export const WRITER_LEASE_MS = 15_000;
/** After the last byte that was kept. */
export const UNFINISHED_MS = 24 * 3_600_000;
/** A sender whose answer was lost asks again within this time. */
const FINISHED_MS = 3_600_000;
/** Of one user. */
export const MAX_OPEN_UPLOADS = 100;
/** Bounds the record: a sender that breaks off after a few bytes each time makes a part each time. */
export const MAX_PARTS = 10_000;

export function newUpload(
  of: Omit<Upload, 'parts' | 'writer' | 'result' | 'createdAt' | 'expiresAt' | 'revision'>,
  now: number,
): Upload {
  return {
    ...of,
    parts: [],
    writer: null,
    result: null,
    createdAt: now,
    expiresAt: now + UNFINISHED_MS,
    revision: 1,
  };
}

/** Bytes that are kept, from the first on. */
export function uploadOffset({ parts }: Pick<Upload, 'parts'>): number {
  return parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

export function isBeingWritten({ writer }: Upload, now: number): boolean {
  return writer !== null && writer.until > now;
}

/** Null while somebody else writes, and when it is finished. */
export function beginWriting(
  upload: Upload,
  { token, partId }: Pick<UploadWriter, 'token' | 'partId'>,
  now: number,
): Upload | null {
  if (upload.result !== null || isBeingWritten(upload, now)) return null;
  return step(upload, { writer: { token, partId, until: now + WRITER_LEASE_MS } });
}

/** The steps below are those of the writer: null when `upload` has another one by now. */
export function keepPart(
  upload: Upload,
  token: string,
  { sizeBytes, nextPartId }: { readonly sizeBytes: number; readonly nextPartId: string },
  now: number,
): Upload | null {
  const { writer } = upload;
  if (writer?.token !== token) return null;
  if (sizeBytes <= 0 || uploadOffset(upload) + sizeBytes > upload.sizeBytes) return null;
  return step(upload, {
    parts: [...upload.parts, { id: writer.partId, sizeBytes }],
    writer: { token, partId: nextPartId, until: now + WRITER_LEASE_MS },
    expiresAt: now + UNFINISHED_MS,
  });
}

export function renewWriting(upload: Upload, token: string, now: number): Upload | null {
  const { writer } = upload;
  if (writer?.token !== token) return null;
  return step(upload, { writer: { ...writer, until: now + WRITER_LEASE_MS } });
}

export function endWriting(upload: Upload, token: string): Upload | null {
  return upload.writer?.token === token ? step(upload, { writer: null }) : null;
}

/** Null, too, while bytes are missing. */
export function finishUpload(
  upload: Upload,
  token: string,
  result: UploadResult,
  now: number,
): Upload | null {
  if (upload.writer?.token !== token || uploadOffset(upload) !== upload.sizeBytes) return null;
  return step(upload, { parts: [], writer: null, result, expiresAt: now + FINISHED_MS });
}

/** A sum that the sender says later than at the beginning; null when it said another one before. */
export function announceSum(upload: Upload, sha256: string): Upload | null {
  if (upload.sha256 === sha256) return upload;
  return upload.sha256 === null ? step(upload, { sha256 }) : null;
}

/** The record of the file that it becomes. */
export function fileOfUpload(upload: Upload, sha256: string, now: number): FileRecord {
  const { fileId: id, ownerId, path, sizeBytes, contentType } = upload;
  return { id, ownerId, taskId: null, attempt: null, path, sizeBytes, contentType, sha256, createdAt: now };
}

function step(upload: Upload, change: Partial<Upload>): Upload {
  return { ...upload, ...change, revision: upload.revision + 1 };
}
