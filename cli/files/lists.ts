// Lists of files that are longer than one page of the API.

import type { Client } from '../../client/client.ts';
import type { FileBody, FileTotalBody, TaskFileListReply } from '../../shared/contracts/files.ts';

/** The most the API gives in one page. */
const PAGE = 1_000;

interface Page {
  readonly files: FileBody[];
  readonly total: FileTotalBody;
  readonly next_cursor: string | null;
}

/** Pages until there are `limit` files or no more. */
export async function collectFiles<P extends Page>(
  limit: number,
  ask: (page: { limit: number; cursor: string | undefined }) => Promise<P>,
): Promise<P> {
  const found: FileBody[] = [];
  let page: P | null = null;
  do {
    const cursor: string | undefined = page?.next_cursor ?? undefined;
    page = await ask({ limit: Math.min(PAGE, limit - found.length), cursor });
    found.push(...page.files);
  } while (page.next_cursor !== null && found.length < limit);
  return { ...page, files: found };
}

/** All files of an attempt; without one of the last that has run. */
export async function collectTaskFiles(
  client: Client,
  id: string,
  attempt: number | undefined,
): Promise<TaskFileListReply> {
  let same = attempt;
  return collectFiles(Number.POSITIVE_INFINITY, async (page) => {
    const reply = await client.listTaskFiles(id, { ...page, attempt: same });
    // Of the same attempt to the end, also when the next one begins meanwhile.
    same ??= reply.attempt ?? undefined;
    return reply;
  });
}
