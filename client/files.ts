// Files over the REST API: lists, uploads, downloads that can go on where they broke off, archives.
// Must run in Node and in a browser: only `fetch` and web standards, nothing of Node.

import {
  type ArchiveFormat,
  encodePath,
  type FileBody,
  type FileListReply,
  type TaskFileListReply,
} from '../shared/contracts/files.ts';
import { ApiError, ConnectionError, connectionError } from './errors.ts';
import type { Content, Query, Transport } from './transport.ts';

/** Which file is meant; a FileBody says it. An upload has neither task nor attempt. */
export interface FileOf {
  readonly path: string;
  readonly task_id?: string | null | undefined;
  /** When absent, the last attempt that has run. */
  readonly attempt?: number | null | undefined;
}

export interface FilePageOptions {
  /** 1 to 1,000; the API's default is 100. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface UploadOptions {
  /** What is absent the API takes from the name. */
  readonly contentType?: string | undefined;
  /** Hex: other bytes are refused. */
  readonly sha256?: string | undefined;
  /** Refuse (409) when there is an upload of this name. */
  readonly onlyNew?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Uploaded {
  readonly file: FileBody;
  /** Whether there was an upload of this name before. */
  readonly replaced: boolean;
}

export interface DownloadOptions {
  /** First byte wanted. Use with `sha256`, so that no two versions get mixed. */
  readonly from?: number | undefined;
  /** Hex, of the version that is gone on with: when the file is another by now, it comes whole. */
  readonly sha256?: string | undefined;
  /** Whose upload, for admins. */
  readonly user?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FileDownload {
  /** Fails with ConnectionError when it breaks off. Must be read to its end or cancelled. */
  readonly body: ReadableStream<Uint8Array>;
  /** Place of the body's first byte in the file: 0 when it comes whole although a part was asked for. */
  readonly start: number;
  /** Of the whole file. */
  readonly sizeBytes: number;
  /** Hex, of the whole file. */
  readonly sha256: string;
  readonly contentType: string;
}

export interface ArchiveOptions {
  readonly format?: ArchiveFormat | undefined;
  readonly attempt?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FileCalls {
  /** All files of a user, uploads and outputs; another user's for admins. */
  listFiles(options?: FilePageOptions & { readonly user?: string | undefined }): Promise<FileListReply>;
  listTaskFiles(
    taskId: string,
    options?: FilePageOptions & { readonly attempt?: number | undefined },
  ): Promise<TaskFileListReply>;
  /** Takes the place of an upload of the same name. A stream is sent as it comes. */
  uploadFile(path: string, content: Content, options?: UploadOptions): Promise<Uploaded>;
  /** A `from` that is the file's end or beyond is ApiError `range_not_satisfiable`. */
  downloadFile(file: FileOf, options?: DownloadOptions): Promise<FileDownload>;
  /** `user`: whose upload, for admins. */
  deleteFile(file: FileOf, options?: { readonly user?: string | undefined }): Promise<void>;
  /** Of one attempt, or of all. */
  deleteTaskFiles(taskId: string, options?: { readonly attempt?: number | undefined }): Promise<void>;
  /** All files of an attempt as one stream. */
  downloadArchive(taskId: string, options?: ArchiveOptions): Promise<ReadableStream<Uint8Array>>;
  /** For programs that bring the token themselves. */
  fileUrl(file: FileOf): string;
  archiveUrl(taskId: string, options?: ArchiveOptions): string;
}

/** Silence after which a download counts as broken off: a peer that vanished sends no end. */
const IDLE_MS = 60_000;

export function fileCalls(transport: Transport): FileCalls {
  return {
    listFiles: ({ signal, ...query } = {}) =>
      transport.json({ method: 'GET', path: '/api/files', query, signal }),
    listTaskFiles: (taskId, { signal, ...query } = {}) =>
      transport.json({ method: 'GET', path: `${taskPath(taskId)}/files`, query, signal }),
    uploadFile: (path, content, options = {}) => upload(transport, path, content, options),
    downloadFile: (file, options = {}) => download(transport, file, options),
    deleteFile: (file, { user } = {}) => {
      const { path, query } = addressOf(file);
      return transport.json({ method: 'DELETE', path, query: { ...query, user } });
    },
    deleteTaskFiles: (taskId, query = {}) =>
      transport.json({ method: 'DELETE', path: `${taskPath(taskId)}/files`, query }),
    downloadArchive: async (taskId, { signal: outer, ...query } = {}) => {
      const call = { path: `${taskPath(taskId)}/archive`, query };
      const { response, body } = await openBytes(transport, call, {}, outer);
      if (response.headers.get('content-type')?.startsWith('application/')) return body;
      await body.cancel();
      throw unexpected(transport, response);
    },
    fileUrl: (file) => {
      const { path, query } = addressOf(file);
      return transport.address(path, query);
    },
    archiveUrl: (taskId, { format, attempt } = {}) =>
      transport.address(`${taskPath(taskId)}/archive`, { format, attempt }),
  };
}

async function upload(
  transport: Transport,
  path: string,
  content: Content,
  { contentType, sha256, onlyNew, signal }: UploadOptions,
): Promise<Uploaded> {
  const response = await transport.open({
    method: 'PUT',
    ...addressOf({ path }),
    content,
    headers: {
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      ...(sha256 === undefined ? {} : { 'x-checksum-sha256': sha256 }),
      ...(onlyNew ? { 'if-none-match': '*' } : {}),
    },
    signal,
  });
  const file = await response.json().catch(() => undefined);
  if (typeof (file as Partial<FileBody> | undefined)?.sha256 !== 'string')
    throw unexpected(transport, response);
  return { file: file as FileBody, replaced: response.status === 200 };
}

async function download(
  transport: Transport,
  file: FileOf,
  { from = 0, sha256, user, signal: outer }: DownloadOptions,
): Promise<FileDownload> {
  const { path, query } = addressOf(file);
  const headers: Record<string, string> = {};
  if (from > 0) headers.range = `bytes=${from}-`;
  if (from > 0 && sha256 !== undefined) headers['if-range'] = `"${sha256}"`;
  const { response, body } = await openBytes(transport, { path, query: { ...query, user } }, headers, outer);
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  const [, tag = ''] = /^"([0-9a-f]{64})"$/.exec(response.headers.get('etag') ?? '') ?? [];
  const [, first, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '') ?? [];
  const part = response.status === 206;
  const start = part ? Number(first) : 0;
  const sizeBytes = part ? Number(size) : length;
  if (tag === '' || !Number.isSafeInteger(sizeBytes) || !(start === from || start === 0)) {
    await body.cancel();
    throw unexpected(transport, response);
  }
  const contentType = response.headers.get('content-type') ?? 'application/octet-stream';
  return { body, start, sizeBytes, sha256: tag, contentType };
}

/** A streamed answer that fails when it stays silent, and lets go of the caller's signal when it is over. */
export async function openBytes(
  transport: Transport,
  call: { readonly path: string; readonly query?: Query; readonly isLong?: boolean },
  headers: Readonly<Record<string, string>>,
  own: AbortSignal | undefined,
): Promise<{ response: Response; body: ReadableStream<Uint8Array> }> {
  const outer = transport.either(own);
  const controller = new AbortController();
  const stop = () => controller.abort(outer?.reason);
  if (outer?.aborted) stop();
  outer?.addEventListener('abort', stop);
  const over = () => {
    outer?.removeEventListener('abort', stop);
    controller.abort();
  };
  try {
    const response = await transport.open({ method: 'GET', ...call, headers, signal: controller.signal });
    if (response.body === null) throw unexpected(transport, response);
    return { response, body: guarded(response.body.getReader(), transport.url, outer, over) };
  } catch (error) {
    over();
    throw error;
  }
}

function guarded(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  url: string,
  outer: AbortSignal | undefined,
  over: () => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(sink) {
        const late = new ConnectionError(url, 'timed_out', `nothing came for ${IDLE_MS / 1000} s`);
        let timer: ReturnType<typeof setTimeout> | undefined;
        const silence = new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(late), IDLE_MS);
        });
        try {
          const { done, value } = await Promise.race([reader.read(), silence]);
          if (!done) return sink.enqueue(value);
          sink.close();
          over();
        } catch (error) {
          over();
          throw outer?.aborted || error === late ? error : connectionError(url, error);
        } finally {
          clearTimeout(timer);
        }
      },
      async cancel() {
        over();
        // Already closed or broken is as good as cancelled.
        await reader.cancel().catch(() => undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

function addressOf({ path, task_id, attempt }: FileOf): { path: string; query: Query } {
  const folder = task_id ? `${taskPath(task_id)}/files` : '/api/files';
  return { path: `${folder}/${encodePath(path)}`, query: { attempt: attempt ?? undefined } };
}

function taskPath(taskId: string): string {
  return `/api/tasks/${encodeURIComponent(taskId)}`;
}

export function unexpected({ url }: Transport, { status }: Response): ApiError {
  return new ApiError(status, 'unexpected_reply', `${url} does not answer like a CloudAI API`);
}
