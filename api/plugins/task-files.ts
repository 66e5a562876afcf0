// /api/tasks/{id}/files and /api/tasks/{id}/archive: what a task left, by file or all in one.

import type { Plugin, Request, Server } from '@hapi/hapi';
import { taskFileListReplySchema } from '../../shared/contracts/file-reply-schemas.ts';
import {
  archiveSchema,
  type FileListQuery,
  taskFileListSchema,
  taskFileParams,
  taskFileSchema,
} from '../../shared/contracts/file-schemas.ts';
import { type ArchiveFormat, fileBody, type TaskFileListReply } from '../../shared/contracts/files.ts';
import { taskIdParams } from '../../shared/contracts/schemas.ts';
import { AppError } from '../../shared/errors.ts';
import { archiveReply, BYTES_ROUTE, fileReply } from '../http/file-reply.ts';
import { BYTES_CALL } from '../openapi/bytes-call.ts';
import { documented } from '../openapi/call-doc.ts';
import type { AuditTrail } from '../services/audit-trail.ts';
import type { FileContents } from '../services/files/file-contents.ts';
import type { TaskFiles } from '../services/files/task-files.ts';
import { checked, idOf, pathOf, queryOf } from '../validation.ts';
import { originOf } from './audit.ts';
import { principalOf } from './auth.ts';

export interface TaskFilesOptions {
  readonly taskFiles: TaskFiles;
  readonly fileContents: FileContents;
  readonly trail: AuditTrail;
}

const ARCHIVE_TYPES: Readonly<Record<ArchiveFormat, string>> = {
  'tar.gz': 'application/gzip',
  zip: 'application/zip',
};

export const taskFilesPlugin: Plugin<TaskFilesOptions> = {
  name: 'task-files',
  register: (server: Server, { taskFiles, fileContents, trail }: TaskFilesOptions) => {
    server.route({
      method: 'GET',
      path: '/api/tasks/{id}/files',
      options: {
        ...documented({
          id: 'listTaskFiles',
          tag: 'files',
          summary: 'The files that a task left.',
          replies: { 200: taskFileListReplySchema },
          refusals: [404],
        }),
        validate: checked({ params: taskIdParams, query: taskFileListSchema }),
      },
      handler: async (request): Promise<TaskFileListReply> => {
        const { attempt, limit, cursor } = queryOf<FileListQuery & { attempt?: number }>(request);
        const query = { attempt, limit, after: cursor };
        const page = await taskFiles.list(principalOf(request), idOf(request), query);
        const { files, total, next } = page;
        return { files: files.map(fileBody), total, attempt: page.attempt, next_cursor: next };
      },
    });

    server.route({
      method: 'GET',
      path: '/api/tasks/{id}/files/{path*}',
      options: {
        ...documented({
          id: 'getTaskFile',
          tag: 'files',
          summary: 'The bytes of a file that a task left, whole or in part.',
          ...BYTES_CALL,
          refusals: [404, 416],
        }),
        ...BYTES_ROUTE,
        validate: checked({ params: taskFileParams, query: taskFileSchema }),
      },
      handler: async (request, h) => {
        const by = principalOf(request);
        const { attempt } = queryOf<{ attempt?: number }>(request);
        const file = await taskFiles.find(by, idOf(request), pathOf(request), attempt);
        return fileReply(request, h, file, (range) => fileContents.read(by, file, range));
      },
    });

    server.route({
      method: 'GET',
      path: '/api/tasks/{id}/archive',
      options: {
        ...documented({
          id: 'getTaskArchive',
          tag: 'files',
          summary: 'All files that a task left, as one stream.',
          replies: {
            200: {
              content: { 'application/gzip': 'bytes', 'application/zip': 'bytes' },
              headers: { 'Content-Disposition': { description: 'A name for the file.' } },
            },
          },
          refusals: [404],
        }),
        ...BYTES_ROUTE,
        validate: checked({ params: taskIdParams, query: archiveSchema }),
      },
      handler: async (request, h) => {
        const id = idOf(request);
        const { format, attempt } = queryOf<{ format: ArchiveFormat; attempt?: number }>(request);
        const body = await taskFiles.archive(principalOf(request), id, { format, attempt });
        return archiveReply(request, h, { body, name: `${id}.${format}`, type: ARCHIVE_TYPES[format] });
      },
    });

    server.route({
      method: 'DELETE',
      path: '/api/tasks/{id}/files',
      options: {
        ...documented({
          id: 'deleteTaskFiles',
          tag: 'files',
          summary: 'Deletes all files of a task, of all attempts unless one is named.',
          replies: { 204: null },
          refusals: [404, 409],
        }),
        validate: checked({ params: taskIdParams, query: taskFileSchema }),
      },
      handler: async (request, h) => {
        refuseNameless(request);
        const { attempt } = queryOf<{ attempt?: number }>(request);
        const id = idOf(request);
        const details = { files: 'all', ...(attempt === undefined ? {} : { attempt }) };
        await trail.note(originOf(request), { action: 'file.delete', target: id, details }, () =>
          taskFiles.removeAll(principalOf(request), id, attempt),
        );
        return h.response().code(204);
      },
    });

    server.route({
      method: 'DELETE',
      path: '/api/tasks/{id}/files/{path*}',
      options: {
        ...documented({
          id: 'deleteTaskFile',
          tag: 'files',
          summary: 'Deletes a file that a task left.',
          replies: { 204: null },
          refusals: [404, 409],
        }),
        validate: checked({ params: taskFileParams, query: taskFileSchema }),
      },
      handler: async (request, h) => {
        const { attempt } = queryOf<{ attempt?: number }>(request);
        const id = idOf(request);
        const path = pathOf(request);
        const details = { path, ...(attempt === undefined ? {} : { attempt }) };
        await trail.note(originOf(request), { action: 'file.delete', target: id, details }, () =>
          taskFiles.remove(principalOf(request), id, path, attempt),
        );
        return h.response().code(204);
      },
    });
  },
};

/** The router takes `/files/` for `/files`; who forgot the name of a file must not lose them all. */
function refuseNameless({ raw }: Request): void {
  if (!/\/(\?|$)/.test(raw.req.url ?? '')) return;
  throw new AppError(
    'invalid_request',
    'the address names no file; without "/" at its end it means all of them',
  );
}
