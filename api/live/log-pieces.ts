// A page of output as events of bounded size. Pure.

import type { TaskLogEvent } from '../../shared/contracts/live.ts';
import type { LogLineBody } from '../../shared/contracts/log-lines.ts';

/** Of one event. */
export const MAX_PIECE_LINES = 500;
/** A single line may be longer. */
export const MAX_PIECE_CHARS = 65_536;
/** What a line costs beside its text: names, number, time. */
const LINE_COST = 80;

export interface LogPiece {
  readonly event: TaskLogEvent;
  /** About what it takes on the wire. */
  readonly chars: number;
}

/** In order, all of them; each within the bounds unless it is one long line. */
export function cutPage(taskId: string, attempt: number, lines: readonly LogLineBody[]): LogPiece[] {
  const pieces: LogPiece[] = [];
  let from = 0;
  let chars = 0;
  const cut = (to: number) => {
    pieces.push({ event: { task_id: taskId, attempt, lines: lines.slice(from, to) }, chars });
    from = to;
    chars = 0;
  };
  lines.forEach(({ line }, at) => {
    const cost = line.length + LINE_COST;
    if (at > from && (at - from >= MAX_PIECE_LINES || chars + cost > MAX_PIECE_CHARS)) cut(at);
    chars += cost;
  });
  if (lines.length > from) cut(lines.length);
  return pieces;
}
