// GET /api/backup and POST /api/restore, for admins. Both are streamed and never held.

import type { Plugin, Server } from '@hapi/hapi';
import { type RestoreQuery, restoreSchema } from '../../shared/contracts/backup-schemas.ts';
import type { RestoreReply } from '../../shared/contracts/backups.ts';
import { restoreReplySchema } from '../../shared/contracts/cluster-reply-schemas.ts';
import { noQuery } from '../../shared/contracts/file-schemas.ts';
import { bodyBytes, STREAMED_BODY } from '../http/body-bytes.ts';
import { archiveReply } from '../http/file-reply.ts';
import { IDLE_MS } from '../http/slow-peers.ts';
import { documented } from '../openapi/call-doc.ts';
import type { AuditTrail } from '../services/audit-trail.ts';
import type { Backups } from '../services/backups/backups.ts';
import { checked, queryOf } from '../validation.ts';
import { originOf } from './audit.ts';
import { principalOf } from './auth.ts';

export interface BackupsOptions {
  readonly backups: Backups;
  readonly trail: AuditTrail;
}

/** A copy of many gigabytes is made or put back, and nothing is said meanwhile. */
const WORK_MS = 30 * 60_000;

export const backupsPlugin: Plugin<BackupsOptions> = {
  name: 'backups',
  register: (server: Server, { backups, trail }: BackupsOptions) => {
    server.route({
      method: 'GET',
      path: '/api/backup',
      options: {
        ...documented({
          id: 'makeBackup',
          tag: 'administration',
          summary: 'All records as a tar archive.',
          notes: 'One at a time; with MongoDB its own tools make backups (409).',
          replies: {
            200: {
              content: { 'application/x-tar': 'bytes' },
              headers: {
                'X-Checksum-Sha256': { description: 'Of the archive, in hex.' },
                'Content-Disposition': { description: 'A name for the file.' },
              },
            },
          },
          refusals: [403, 409],
        }),
        validate: checked({ query: noQuery }),
        timeout: { server: false, socket: WORK_MS },
        response: { ranges: false },
      },
      handler: async (request, h) => {
        const made = await trail.note(
          originOf(request),
          { action: 'backup.make' },
          () => backups.make(principalOf(request)),
          ({ name, sizeBytes }) => ({ targets: [name], details: { size_bytes: sizeBytes } }),
        );
        request.raw.req.socket?.setTimeout(IDLE_MS);
        return archiveReply(request, h, { ...made, type: 'application/x-tar' })
          .header('content-length', String(made.sizeBytes))
          .header('x-checksum-sha256', made.sha256);
      },
    });

    server.route({
      method: 'POST',
      path: '/api/restore',
      options: {
        ...documented({
          id: 'restoreBackup',
          tag: 'administration',
          summary: 'Replaces all records by those of a backup, or says what that would do.',
          bytes: ['application/x-tar', 'application/octet-stream'],
          replies: { 200: restoreReplySchema },
          refusals: [403, 409],
        }),
        validate: checked({ query: restoreSchema }),
        ...STREAMED_BODY,
      },
      handler: async (request): Promise<RestoreReply> => {
        const { dry_run: dryRun } = queryOf<RestoreQuery>(request);
        const onWhole = () => void request.raw.req.socket?.setTimeout(WORK_MS);
        const content = bodyBytes(request, { onWhole });
        const restore = () => backups.restore(principalOf(request), content, { dryRun });
        if (dryRun) return restore();
        return trail.note(originOf(request), { action: 'backup.restore' }, restore, (reply) => ({
          details: { made_at: reply.backup.created_at, safety_copy: reply.safety_copy },
        }));
      },
    });
  },
};
