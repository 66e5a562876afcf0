// The wire of uploads that may be sent in several goes: tus 1.0.0 (https://tus.io/protocols/resumable-upload), and the
// JSON that says how one stands. Names of headers and what they may hold.

import { type Upload, uploadOffset } from '../model/upload.ts';

export const TUS_VERSION = '1.0.0';
/** Of a piece; the rest of what tus has is not here. */
export const TUS_EXTENSIONS = ['creation', 'expiration', 'checksum', 'termination'] as const;
export const TUS_CHECKSUMS = ['sha1', 'sha256'] as const;
export const OFFSET_TYPE = 'application/offset+octet-stream';

export interface UploadBody {
  upload_id: string;
  path: string;
  size_bytes: number;
  /** Bytes that are kept; the next one to send. */
  offset: number;
  content_type: string;
  /** What the whole must hash to, or, once it is completed, hashes to; null when the sender has not said. */
  sha256: string | null;
  /** `receiving` and `finishing` while a request writes, `waiting` for the next one. */
  state: UploadState;
  created_at: string;
  expires_at: string;
}

export const UPLOAD_STATES = ['waiting', 'receiving', 'finishing', 'completed'] as const;
export type UploadState = (typeof UPLOAD_STATES)[number];

export interface UploadListReply {
  /** Unfinished ones, the oldest first. */
  uploads: UploadBody[];
}

export function uploadBody(upload: Upload, now: number): UploadBody {
  return {
    upload_id: upload.id,
    path: upload.path,
    size_bytes: upload.sizeBytes,
    offset: offsetOf(upload),
    content_type: upload.contentType,
    sha256: upload.result?.sha256 ?? upload.sha256,
    state: stateOf(upload, now),
    created_at: new Date(upload.createdAt).toISOString(),
    expires_at: new Date(upload.expiresAt).toISOString(),
  };
}

/** Parts are gone once it is completed. */
export function offsetOf(upload: Upload): number {
  return upload.result === null ? uploadOffset(upload) : upload.sizeBytes;
}

function stateOf(upload: Upload, now: number): UploadState {
  if (upload.result !== null) return 'completed';
  if (upload.writer === null || upload.writer.until <= now) return 'waiting';
  return uploadOffset(upload) === upload.sizeBytes ? 'finishing' : 'receiving';
}

/** `Upload-Metadata`: names and Base64 of their values. */
export function encodeMetadata(values: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(values)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${base64(value)}`]))
    .join(',');
}

/** Of text as UTF-8. `btoa` takes bytes only, and a browser has no Buffer. */
function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
