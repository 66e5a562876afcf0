// /api/files: uploads of a user's space, and the list of all of a user's files. A body of any type is streamed into
// the file store as it comes; it is never parsed and never held.

import type { Lifecycle, Plugin, Server } from '@hapi/hapi';
import { fileListReplySchema, fileReplySchema } from '../../shared/contracts/file-reply-schemas.ts';
import {
  type FileListQuery,
  fileListSchema,
  filePathParams,
  noQuery,
  userFileSchema,
} from '../../shared/contracts/file-schemas.ts';
import { type FileListReply, fileBody } from '../../shared/contracts/files.ts';
import { bodyBytes, STREAMED_BODY } from '../http/body-bytes.ts';
import { BYTES_ROUTE, fileReply } from '../http/file-reply.ts';
import { contentTypeOf, headerFault, isOnlyNew, lengthOf, sha256Of } from '../http/upload-headers.ts';
import { BYTES_CALL, CHECKSUM } from '../openapi/bytes-call.ts';
import { documented } from '../openapi/call-doc.ts';
import type { AuditTrail } from '../services/audit-trail.ts';
import type { FileContents } from '../services/files/file-contents.ts';
import { tooLarge, type UserFiles } from '../services/files/user-files.ts';
import { checked, pathOf, queryOf } from '../validation.ts';
import { originOf } from './audit.ts';
import { principalOf } from './auth.ts';

export interface FilesOptions {
  readonly userFiles: UserFiles;
  readonly fileContents: FileContents;
  /** Largest upload. */
  readonly maxBytes: number;
  /** A sender from whom next to nothing comes for so long is cut. */
  readonly peerIdleMs?: number | undefined;
  readonly trail: AuditTrail;
}

const PUT_REPLY = {
  content: { 'application/json': fileReplySchema },
  headers: { ETag: { description: 'The SHA-256 in quotes.' }, Location: { description: 'Of the file.' } },
};

export const filesPlugin: Plugin<FilesOptions> = {
  name: 'files',
  register: (server: Server, { userFiles, fileContents, maxBytes, peerIdleMs, trail }: FilesOptions) => {
    server.route({
      method: 'GET',
      path: '/api/files',
      options: {
        ...documented({
          id: 'listFiles',
          tag: 'files',
          summary: 'Uploads, and what tasks left.',
          replies: { 200: fileListReplySchema },
          refusals: [403, 404],
        }),
        validate: checked({ query: fileListSchema }),
      },
      handler: async (request): Promise<FileListReply> => {
        const { user, limit, cursor } = queryOf<FileListQuery & { user?: string }>(request);
        const query = { username: user, limit, after: cursor };
        const { files, total, next } = await userFiles.list(principalOf(request), query);
        return { files: files.map(fileBody), total, next_cursor: next };
      },
    });

    server.route({
      method: 'GET',
      path: '/api/files/{path*}',
      options: {
        ...documented({
          id: 'getFile',
          tag: 'files',
          summary: 'The bytes of an upload, whole or in part.',
          ...BYTES_CALL,
          refusals: [403, 404, 416],
        }),
        ...BYTES_ROUTE,
        validate: checked({ params: filePathParams, query: userFileSchema }),
      },
      handler: async (request, h) => {
        const by = principalOf(request);
        const file = await userFiles.find(by, pathOf(request), queryOf<{ user?: string }>(request).user);
        return fileReply(request, h, file, (range) => fileContents.read(by, file, range));
      },
    });

    server.route({
      method: 'PUT',
      path: '/api/files/{path*}',
      options: {
        ...documented({
          id: 'putFile',
          tag: 'files',
          summary: 'Uploads a file; one of the same path is replaced once the new one is whole.',
          bytes: ['*/*'],
          headers: {
            ...CHECKSUM,
            'If-None-Match': { description: '`*`: only if there is none of this path.' },
          },
          replies: { 200: PUT_REPLY, 201: PUT_REPLY },
          refusals: [403, 409, 412, 460],
        }),
        validate: checked({ params: filePathParams, query: noQuery }),
        // Asked before the body is: a sender who waits for the word to go on need not send it at all.
        ext: { onPreAuth: { method: refuseAtOnce(maxBytes) } },
        ...STREAMED_BODY,
      },
      handler: async (request, h) => {
        const path = pathOf(request);
        const { headers } = request.raw.req;
        const upload = {
          path,
          contentType: contentTypeOf(headers, path),
          sizeBytes: lengthOf(headers),
          sha256: sha256Of(headers),
          onlyNew: isOnlyNew(headers),
        };
        const body = bodyBytes(request, { idleMs: peerIdleMs });
        const { file, replaced } = await trail.note(
          originOf(request),
          { action: 'file.upload', target: path },
          () => userFiles.upload(principalOf(request), upload, body),
          (done) => ({ details: { size_bytes: done.file.sizeBytes, replaced: done.replaced } }),
        );
        const response = h.response(fileBody(file)).code(replaced ? 200 : 201);
        return response.header('etag', `"${file.sha256}"`).header('location', request.path);
      },
    });

    server.route({
      method: 'DELETE',
      path: '/api/files/{path*}',
      options: {
        ...documented({
          id: 'deleteFile',
          tag: 'files',
          summary: 'Deletes an upload.',
          replies: { 204: null },
          refusals: [403, 404, 409],
        }),
        validate: checked({ params: filePathParams, query: userFileSchema }),
      },
      handler: async (request, h) => {
        const path = pathOf(request);
        const { user } = queryOf<{ user?: string }>(request);
        const details = user === undefined ? {} : { user };
        await trail.note(originOf(request), { action: 'file.delete', target: path, details }, () =>
          userFiles.remove(principalOf(request), path, user),
        );
        return h.response().code(204);
      },
    });
  },
};

function refuseAtOnce(maxBytes: number): Lifecycle.Method {
  return (request, h) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw headerFault('Content-Encoding', 'is not understood here: send the file as it is to be kept');
    }
    if (request.headers['content-range'] !== undefined) {
      throw headerFault('Content-Range', 'is not understood here: send the whole file');
    }
    return h.continue;
  };
}
