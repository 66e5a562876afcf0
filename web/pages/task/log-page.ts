// A part of a task's output, asked for once and not followed.

import type { LogLineBody } from '../../../shared/contracts/log-lines.ts';
import type { Session } from '../../data/session.ts';

interface Start {
  /** Absent: the current one. */
  readonly attempt?: number;
  readonly from?: number | undefined;
  readonly tail?: number;
}

/** At most `limit` lines. @throws ApiError, ConnectionError, the reason of `signal` */
export async function readPage(
  { session, taskId }: { readonly session: Session; readonly taskId: string },
  start: Start,
  limit: number,
  signal: AbortSignal,
): Promise<LogLineBody[]> {
  const lines: LogLineBody[] = [];
  if (limit <= 0) return lines;
  for await (const line of session.client.taskLogs(taskId, { ...start, limit, signal })) {
    lines.push(line);
    if (lines.length >= limit) break;
  }
  return lines;
}
