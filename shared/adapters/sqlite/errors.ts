// Faults of SQLite as AppErrors. Nothing of the driver's own errors may leave this folder.

import { AppError, messageOf } from '../../errors.ts';

/** Primary result codes that say the file cannot be used now, whatever was asked of it. */
const UNAVAILABLE = [
  'SQLITE_BUSY',
  'SQLITE_LOCKED',
  'SQLITE_IOERR',
  'SQLITE_FULL',
  'SQLITE_CANTOPEN',
  'SQLITE_NOTADB',
  'SQLITE_CORRUPT',
  'SQLITE_READONLY',
  'SQLITE_PERM',
  'SQLITE_AUTH',
  'SQLITE_NOMEM',
  'SQLITE_PROTOCOL',
  'SQLITE_NOLFS',
  'SQLITE_SCHEMA',
];

/** The file itself is at fault, and waiting mends nothing. */
const BROKEN = ['SQLITE_NOTADB', 'SQLITE_CORRUPT'];
const WHAT_NOW =
  '; the file is broken: move it aside and restore a backup, see "When the database is broken" in docs/OPERATIONS.md';

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

export function isBusy(error: unknown): boolean {
  return codeOf(error).startsWith('SQLITE_BUSY');
}

/** A record with the same unique key is there already. */
function isDuplicate(error: unknown): boolean {
  return codeOf(error) === 'SQLITE_CONSTRAINT_UNIQUE' || codeOf(error) === 'SQLITE_CONSTRAINT_PRIMARYKEY';
}

export function unavailable(path: string, why: string, cause?: unknown): AppError {
  return new AppError('store_unavailable', `the database ${path} cannot be used: ${why}`, {
    retryable: true,
    cause,
  });
}

export function asAppError(error: unknown, path: string): AppError {
  if (error instanceof AppError) return error;
  if (isDuplicate(error)) {
    return new AppError('conflict', `a record with the same key exists: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const code = codeOf(error);
  if (UNAVAILABLE.some((known) => code === known || code.startsWith(`${known}_`))) {
    const isBroken = BROKEN.some((known) => code.startsWith(known));
    return unavailable(path, `${messageOf(error)} (${code})${isBroken ? WHAT_NOW : ''}`, error);
  }
  return new AppError('internal', `fault in the store: ${messageOf(error)}`, { cause: error });
}

/** Of the file system beside the database, or of the database itself. What is of neither comes back as it is. */
export function asFileFault(error: unknown, path: string): unknown {
  if (isFull(error) || (error instanceof AppError && isFull(error.cause))) return full(path, error);
  if (typeof (error as NodeJS.ErrnoException).syscall !== 'string') return error;
  return unavailable(path, `its folder cannot be used (${messageOf(error)})`, error);
}

function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'SQLITE_FULL'].includes(codeOf(error));
}

function full(path: string, cause: unknown): AppError {
  return new AppError('disk_full', `the disk that keeps ${path} is full`, { retryable: true, cause });
}
