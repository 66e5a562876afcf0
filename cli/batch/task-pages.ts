// Lists of tasks page by page, so that who reads them holds one page.

import type { Client, TaskFilter } from '../../client/client.ts';
import type { TaskBody, TaskListReply } from '../../shared/contracts/http.ts';

export interface TaskPage {
  readonly tasks: readonly TaskBody[];
  /** Null on the last page there is. */
  readonly next_cursor: string | null;
}

/** The most the API gives in one page. */
const PAGE = 1_000;

/** Newest first, until there were `limit` tasks or no more. There is always a first page. */
export async function* taskPages(
  client: Client,
  filter: TaskFilter,
  limit: number,
  signal: AbortSignal,
): AsyncGenerator<TaskPage> {
  let left = limit;
  let cursor: string | null = null;
  do {
    const page: TaskListReply = await client.listTasks(
      { ...filter, limit: Math.min(PAGE, left), cursor: cursor ?? undefined },
      { signal },
    );
    left -= page.tasks.length;
    cursor = page.next_cursor;
    yield page;
  } while (cursor !== null && left > 0);
}
