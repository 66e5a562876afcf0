// Backups on the wire: the answer of a restore, and what a backup says of itself. Like http.ts a browser may import this file.

import type { CopyComparison } from '../model/copy-comparison.ts';

export const BACKUP_FORMAT = 'cloudai-backup';
/** Raised when an older release could not read what is written. */
export const BACKUP_FORMAT_VERSION = 1;
/** Names within the archive, in this order. */
export const MANIFEST_NAME = 'cloudai-backup.json';
export const DATABASE_NAME = 'cloudai.db';

/** The first file of a backup, which is a tar archive. */
export interface BackupManifest {
  format: typeof BACKUP_FORMAT;
  format_version: number;
  created_at: string;
  /** Of CloudAI, that made it. */
  release: string;
  schema_version: number;
  database: { file: string; size_bytes: number; sha256: string };
}

/** `POST /api/restore`; with `dry_run` nothing has changed. */
export interface RestoreReply {
  dry_run: boolean;
  /** Null where it does not say: a bare database. */
  backup: { created_at: string | null; release: string | null; schema_version: number };
  tasks_now: number;
  tasks_in_backup: number;
  /** Tasks that exist now and are not in the backup; they are gone after it. */
  tasks_lost: number;
  /** Of those the ones that have not ended. */
  unfinished_tasks_lost: number;
  /** Tasks that have ended by now and had not in the backup: they run again. */
  tasks_again: number;
  /** Accounts that exist now and are not in the backup. */
  users_lost: number;
  /** On the machine of the API: what was there before, to be restored in turn. Null for a dry run. */
  safety_copy: string | null;
}

export function restoreReply(of: {
  manifest: BackupManifest | null;
  schemaVersion: number;
  comparison: CopyComparison;
  safetyCopy: string | null;
}): RestoreReply {
  const { manifest, comparison, safetyCopy } = of;
  return {
    dry_run: safetyCopy === null,
    backup: {
      created_at: manifest?.created_at ?? null,
      release: manifest?.release ?? null,
      schema_version: of.schemaVersion,
    },
    tasks_now: comparison.tasksNow,
    tasks_in_backup: comparison.tasksInCopy,
    tasks_lost: comparison.tasksLost,
    unfinished_tasks_lost: comparison.unfinishedLost,
    tasks_again: comparison.tasksAgain,
    users_lost: comparison.usersLost,
    safety_copy: safetyCopy,
  };
}
