// All files of a user, page by page. Bounded: beyond that a browser is the wrong tool.

import type { Client } from '../../../client/client.ts';
import type { FileBody, FileTotalBody } from '../../../shared/contracts/files.ts';

export const MOST_FILES = 10_000;
const PAGE = 1_000;

export interface AllFiles {
  readonly files: readonly FileBody[];
  readonly total: FileTotalBody;
  /** There are more than are shown. */
  readonly isCut: boolean;
}

export async function allFiles(
  client: Pick<Client, 'listFiles'>,
  user: string | undefined,
  signal: AbortSignal,
): Promise<AllFiles> {
  const files: FileBody[] = [];
  let cursor: string | undefined;
  for (;;) {
    const reply = await client.listFiles({ user, limit: PAGE, cursor, signal });
    files.push(...reply.files);
    const isOver = reply.next_cursor === null || files.length >= MOST_FILES;
    if (isOver) return { files, total: reply.total, isCut: reply.next_cursor !== null };
    cursor = reply.next_cursor ?? undefined;
  }
}
