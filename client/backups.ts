// Backups over the REST API, for admins. Must run in Node and in a browser: only web standards.

import type { RestoreReply } from '../shared/contracts/backups.ts';
import { openBytes, unexpected } from './files.ts';
import type { Content, Transport } from './transport.ts';

export interface BackupDownload {
  /** Fails with ConnectionError when it breaks off. Must be read to its end or cancelled. */
  readonly body: ReadableStream<Uint8Array>;
  readonly sizeBytes: number;
  /** Hex. */
  readonly sha256: string;
}

export interface BackupCalls {
  /** Making it may take minutes, in which nothing comes. */
  downloadBackup(options?: { readonly signal?: AbortSignal | undefined }): Promise<BackupDownload>;
  /** Replaces all records; with `dryRun` it only says what that would do. */
  restoreBackup(
    content: Content,
    options: { readonly dryRun: boolean; readonly signal?: AbortSignal | undefined },
  ): Promise<RestoreReply>;
}

export function backupCalls(transport: Transport): BackupCalls {
  return {
    downloadBackup: async ({ signal } = {}) => {
      const call = { path: '/api/backup', isLong: true };
      const { response, body } = await openBytes(transport, call, {}, signal);
      const sizeBytes = Number(response.headers.get('content-length') ?? Number.NaN);
      const sha256 = response.headers.get('x-checksum-sha256') ?? '';
      if (Number.isSafeInteger(sizeBytes) && /^[0-9a-f]{64}$/.test(sha256))
        return { body, sizeBytes, sha256 };
      await body.cancel();
      throw unexpected(transport, response);
    },
    restoreBackup: async (content, { dryRun, signal }) => {
      const response = await transport.open({
        method: 'POST',
        path: '/api/restore',
        query: { dry_run: dryRun },
        content,
        headers: { 'content-type': 'application/octet-stream' },
        signal,
      });
      const reply = (await response.json().catch(() => undefined)) as Partial<RestoreReply> | undefined;
      if (typeof reply?.tasks_now === 'number') return reply as RestoreReply;
      throw unexpected(transport, response);
    },
  };
}
