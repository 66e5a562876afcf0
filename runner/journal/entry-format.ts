// An entry of the journal as text. A line with the hash of what follows tells a whole entry from a damaged one, so that
// nothing is taken for a result that no runner wrote. Pure.

import { createHash } from 'node:crypto';
import type { FinishReport } from '../../shared/model/task-life.ts';
import type { StopCause } from '../core/exit-classification.ts';

/** What was known of one attempt and stands in no record. */
export interface JournalEntry {
  readonly taskId: string;
  readonly attempt: number;
  /** What its container was signalled for. */
  readonly stop: NotedStop | null;
  /** How it ended, as it is to be committed. */
  readonly result: FinishReport | null;
}

export interface NotedStop {
  readonly cause: StopCause;
  /** SIGKILL was sent too. */
  readonly killed: boolean;
}

/** Larger ones are not read: nothing that was written here is. */
export const MAX_ENTRY_BYTES = 2 ** 20;
const HEAD = 'cloudai-journal 1';
const CAUSES: ReadonlySet<unknown> = new Set<StopCause>(['cancel', 'time_limit', 'fenced', 'evict']);
const KINDS: ReadonlySet<unknown> = new Set(['completed', 'failed', 'cancelled', 'evicted']);

export function formatEntry(entry: JournalEntry): string {
  const body = JSON.stringify(entry);
  // How it went over time is the first that can be done without.
  if (Buffer.byteLength(body) > MAX_ENTRY_BYTES - 1_000 && entry.result?.usageSeries) {
    return formatEntry({ ...entry, result: { ...entry.result, usageSeries: null } });
  }
  return `${HEAD} ${hashOf(body)}\n${body}\n`;
}

/** Null when it is damaged, or of a release that writes them otherwise. */
export function parseEntry(text: string): JournalEntry | null {
  const end = text.indexOf('\n');
  const body = text.slice(end + 1, -1);
  if (end < 0 || !text.endsWith('\n') || text.slice(0, end) !== `${HEAD} ${hashOf(body)}`) return null;
  try {
    const entry = JSON.parse(body) as JournalEntry;
    const { taskId, attempt, stop, result } = entry;
    const isWhole =
      typeof taskId === 'string' &&
      Number.isInteger(attempt) &&
      (stop === null || CAUSES.has(stop.cause)) &&
      (result === null || (result.attempt === attempt && KINDS.has(result.outcome.kind)));
    return isWhole ? entry : null;
  } catch {
    return null;
  }
}

function hashOf(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}
