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
  /** What the newest of their tasks are called, by id; those without a name are not there. */
  readonly names: ReadonlyMap<string, string>;
}

export async function allFiles(
  client: Pick<Client, 'listFiles' | 'taskStates'>,
  user: string | undefined,
  signal: AbortSignal,
): Promise<AllFiles> {
  const files: FileBody[] = [];
  let cursor: string | undefined;
  for (;;) {
    const reply = await client.listFiles({ user, limit: PAGE, cursor, signal });
    files.push(...reply.files);
    const isOver = reply.next_cursor === null || files.length >= MOST_FILES;
    if (isOver) {
      const names = await taskNames(client, files, signal);
      return { files, total: reply.total, isCut: reply.next_cursor !== null, names };
    }
    cursor = reply.next_cursor ?? undefined;
  }
}

async function taskNames(
  client: Pick<Client, 'taskStates'>,
  files: readonly FileBody[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(files.flatMap(({ task_id }) => task_id ?? []))].sort().reverse().slice(0, PAGE);
  if (ids.length === 0) return new Map();
  const { tasks } = await client.taskStates(ids, { signal });
  return new Map(tasks.filter(({ name }) => name !== '').map(({ task_id, name }) => [task_id, name]));
}
