// What the page of the queue shows of what it was told. Pure.

import { attainmentWords, forecastWords } from '../../../client/queue-words.ts';
import type {
  QueueEntryBody,
  QueueReason,
  QueueReply,
  SlaAttainmentBody,
} from '../../../shared/contracts/queue.ts';
import { QUEUE_REASONS } from '../../../shared/contracts/queue.ts';

/** Entries of a first look, and more with each "show more". */
export const STEP = 100;
/** All of them are asked for again with each change; who wants more has the command line. */
export const MOST_SHOWN = 2_000;
/** The API gives no more at a time. */
const PAGE = 500;

/** The first `wanted` entries, page by page. */
export async function loadQueue(
  wanted: number,
  ask: (page: { limit: number; cursor?: string }) => Promise<QueueReply>,
): Promise<QueueReply> {
  const entries: QueueEntryBody[] = [];
  let reply = await ask({ limit: Math.min(PAGE, wanted) });
  entries.push(...reply.entries);
  while (reply.next_cursor !== null && entries.length < wanted) {
    reply = await ask({ limit: Math.min(PAGE, wanted - entries.length), cursor: reply.next_cursor });
    entries.push(...reply.entries);
  }
  return { ...reply, entries };
}

/** The reason that the address names; null when it names none, or one that nobody knows. */
export function reasonOf(query: URLSearchParams): QueueReason | null {
  return QUEUE_REASONS.find((reason) => reason === query.get('reason')) ?? null;
}

/** How many wait for each reason, in the order of the reasons; those that nobody waits for are left out. */
export function countReasons(entries: readonly QueueEntryBody[]): (readonly [QueueReason, number])[] {
  const counts = new Map<QueueReason, number>();
  for (const { reason } of entries) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return QUEUE_REASONS.flatMap((reason) => {
    const count = counts.get(reason);
    return count === undefined ? [] : [[reason, count] as const];
  });
}

/** How many wait, and how tasks have done lately against their deadlines and against what was foretold of them. */
export function aboutWords(
  { total, entries, forecasts }: QueueReply,
  sla: SlaAttainmentBody | null,
  isAdmin: boolean,
): string {
  const parts = [total === 1 ? '1 task waits.' : `${total.toLocaleString('en')} tasks wait.`];
  if (!isAdmin && entries.length > 0) parts.push('You see your own; places count the tasks of all users.');
  const inTime = sla ? attainmentWords(sla) : null;
  if (inTime !== null) parts.push(`In time within the last 24 hours: ${inTime}.`);
  const foretold = forecastWords(forecasts);
  if (foretold !== null) parts.push(`Forecasts of the last 24 hours: ${foretold}.`);
  return parts.join(' ');
}
