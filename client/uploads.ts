// Uploads that may be sent in several goes, over the API's tus 1.0.0: begin, ask how far it is, send on, give up.
// Must run in Node and in a browser: only `fetch` and web standards, nothing of Node.

import { encodePath, type FileBody } from '../shared/contracts/files.ts';
import {
  encodeMetadata,
  OFFSET_TYPE,
  TUS_VERSION,
  type UploadBody,
  type UploadListReply,
} from '../shared/contracts/uploads.ts';
import { ApiError } from './errors.ts';
import type { Content, Transport } from './transport.ts';

export interface NewUpload {
  readonly path: string;
  readonly sizeBytes: number;
  /** What is absent the API takes from the name. */
  readonly contentType?: string | undefined;
  /** Of the whole, hex: other bytes never take the file's place. */
  readonly sha256?: string | undefined;
  /** Refuse (409) when there is an upload of this name. */
  readonly onlyNew?: boolean | undefined;
}

interface Given {
  readonly signal?: AbortSignal | undefined;
}

export interface UploadCalls {
  /** @returns its id */
  beginUpload(upload: NewUpload, options?: Given): Promise<string>;
  /** How far it is. An unknown or expired one is ApiError `not_found`. */
  getUpload(id: string, options?: Given): Promise<UploadBody>;
  /** Unfinished ones. */
  listUploads(options?: Given): Promise<UploadBody[]>;
  /**
   * Sends bytes from `offset` on. With the last one the file takes its place before the answer comes. Gives the offset
   * after it. Another offset than the upload's, or another sender at work, is ApiError `conflict`; bytes with another
   * checksum than was said are `checksum_mismatch`.
   */
  sendUpload(id: string, offset: number, content: Content, options?: Given): Promise<number>;
  /** Gives it up, with what has come. */
  deleteUpload(id: string, options?: Given): Promise<void>;
  /** The record of a finished upload, whichever way it was sent; null when there is none. `user`: whose, for admins. */
  findFile(path: string, options?: Given & { readonly user?: string | undefined }): Promise<FileBody | null>;
}

const TUS = { 'tus-resumable': TUS_VERSION };

export function uploadCalls(transport: Transport): UploadCalls {
  const address = (id: string) => `/api/uploads/${encodeURIComponent(id)}`;
  return {
    beginUpload: async (upload, { signal } = {}) => {
      const { path, sizeBytes, contentType, sha256, onlyNew } = upload;
      const response = await transport.open({
        method: 'POST',
        path: '/api/uploads',
        headers: {
          ...TUS,
          'upload-length': String(sizeBytes),
          'upload-metadata': encodeMetadata({ path, content_type: contentType, sha256 }),
          ...(onlyNew ? { 'if-none-match': '*' } : {}),
        },
        signal,
      });
      await response.body?.cancel();
      const [, id] = /\/api\/uploads\/([\w-]+)$/.exec(response.headers.get('location') ?? '') ?? [];
      if (id === undefined) throw unexpected(transport, response);
      return id;
    },
    getUpload: (id, { signal } = {}) => transport.json({ method: 'GET', path: address(id), signal }),
    listUploads: async ({ signal } = {}) =>
      (await transport.json<UploadListReply>({ method: 'GET', path: '/api/uploads', signal })).uploads,
    sendUpload: async (id, offset, content, { signal } = {}) => {
      const response = await transport.open({
        method: 'PATCH',
        path: address(id),
        content,
        headers: { ...TUS, 'content-type': OFFSET_TYPE, 'upload-offset': String(offset) },
        signal,
      });
      await response.body?.cancel();
      const now = Number(response.headers.get('upload-offset') ?? Number.NaN);
      if (!Number.isSafeInteger(now)) throw unexpected(transport, response);
      return now;
    },
    deleteUpload: (id, { signal } = {}) =>
      transport.json({ method: 'DELETE', path: address(id), headers: TUS, signal }),
    findFile: async (path, { user, signal } = {}) => {
      try {
        const call = {
          method: 'HEAD',
          path: `/api/files/${encodePath(path)}`,
          query: { user },
          signal,
        } as const;
        const response = await transport.open(call);
        return fileOf(path, response.headers) ?? fail(unexpected(transport, response));
      } catch (error) {
        // An answer to HEAD has no body that could say more.
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
  };
}

function fileOf(path: string, headers: Headers): FileBody | null {
  const [, sha256] = /^"([0-9a-f]{64})"$/.exec(headers.get('etag') ?? '') ?? [];
  const size = Number(headers.get('content-length') ?? Number.NaN);
  const at = Date.parse(headers.get('last-modified') ?? '');
  if (sha256 === undefined || !Number.isSafeInteger(size) || Number.isNaN(at)) return null;
  return {
    path,
    task_id: null,
    attempt: null,
    size_bytes: size,
    content_type: headers.get('content-type') ?? 'application/octet-stream',
    sha256,
    created_at: new Date(at).toISOString(),
  };
}

function fail(error: Error): never {
  throw error;
}

function unexpected({ url }: Transport, { status }: Response): ApiError {
  return new ApiError(status, 'unexpected_reply', `${url} does not answer like a CloudAI API`);
}
