// The cursor of a page of file records: the place of its last file, opaque to whoever passes it on.

import { AppError } from '../errors.ts';

/** In the order of the list: '' for the task of an upload, 0 for its attempt. */
export interface FilePosition {
  readonly path: string;
  readonly taskId: string;
  readonly attempt: number;
}

export function encodeFileCursor({ path, taskId, attempt }: FilePosition): string {
  return Buffer.from(JSON.stringify([path, taskId, attempt])).toString('base64url');
}

/** Throws `invalid_request` for what was never a cursor. */
export function decodeFileCursor(cursor: string): FilePosition {
  const [path, taskId, attempt] = listIn(cursor);
  if (typeof path !== 'string' || typeof taskId !== 'string' || typeof attempt !== 'number') {
    const message = '"cursor" is not one of this list: leave it out to begin anew';
    throw new AppError('invalid_request', message, { details: [{ field: 'cursor', message }] });
  }
  return { path, taskId, attempt };
}

function listIn(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}
