// A task's files as the API gives them out, played on the small API: list, bytes, parts. A test may have an answer
// break off, or change what the list says.

import { createHash } from 'node:crypto';
import type { FileBody } from '../../shared/contracts/files.ts';
import { makeEndedBody, refusal, type SmallApi, TASK_ID } from './small-api.ts';

export interface PlayedFiles {
  readonly list: FileBody[];
  /** From here on answers break off after so many bytes; null mends that. */
  cutAfter: number | null;
  /** Answers always with the whole file. */
  ignoresRanges: boolean;
  /** Of this file the first byte is another one than it should be. */
  corrupts: string | null;
}

export const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');

export function fileBodyOf(path: string, content: string, over: Partial<FileBody> = {}): FileBody {
  return {
    path,
    task_id: TASK_ID,
    attempt: 1,
    size_bytes: Buffer.byteLength(content),
    content_type: 'text/plain',
    sha256: sha256(content),
    created_at: '2026-01-01T10:00:05.000Z',
    ...over,
  };
}

export function playFiles(api: SmallApi, contents: Readonly<Record<string, string>>): PlayedFiles {
  const played: PlayedFiles = {
    list: Object.entries(contents).map(([path, content]) => fileBodyOf(path, content)),
    cutAfter: null,
    ignoresRanges: false,
    corrupts: null,
  };
  api.on('GET /api/tasks/:id', () => makeEndedBody());
  api.on('GET /api/tasks/:id/files', () => ({
    files: played.list,
    total: {
      files: played.list.length,
      bytes: played.list.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
    },
    attempt: 1,
    next_cursor: null,
  }));
  api.on('GET /api/tasks/:id/files/.+', ({ path, headers }, reply) => {
    const name = decodeURIComponent(path.split('/files/')[1] ?? '');
    const content = contents[name];
    if (content === undefined) return refusal(404, 'not_found', `no file ${name}`);
    const bytes = Buffer.from(content);
    const etag = `"${sha256(bytes)}"`;
    if (played.corrupts === name) bytes[0] = 0;
    const [, first] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
    const part = first !== undefined && !played.ignoresRanges && headers['if-range'] === etag;
    const start = part ? Number(first) : 0;
    reply.writeHead(part ? 206 : 200, {
      etag,
      'content-type': 'text/plain',
      'content-length': bytes.length - start,
      ...(part ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    if (played.cutAfter === null) return void reply.end(bytes.subarray(start));
    reply.write(bytes.subarray(start, start + played.cutAfter), () => reply.destroy());
  });
  return played;
}
