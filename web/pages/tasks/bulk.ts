// What is done to many tasks at once, and how it went in words. Calls the API; draws nothing.

import { type Client, isAway } from '../../../client/client.ts';
import type { CancelledTaskBody } from '../../../shared/contracts/task-lists.ts';
import { isTerminal } from '../../../shared/model/task-states.ts';
import { newKey } from '../../data/new-key.ts';

/** As many as the API takes in a call. */
const CANCEL_CHUNK = 1_000;
const RETRIES_AT_ONCE = 6;
/** Each is a call of its own. */
export const RETRY_MOST = 1_000;

export interface Progress {
  readonly signal: AbortSignal;
  readonly onDone: (done: number) => void;
}

export interface CancelSum {
  readonly cancelled: number;
  readonly stopping: number;
  readonly ended: number;
  /** Not there for this user, or they change too fast. */
  readonly refused: number;
}

/** @throws what a call throws; what was told to `onAnswer` before is done */
export async function cancelMany(
  client: Client,
  ids: readonly string[],
  force: boolean,
  { signal, onDone, onAnswer }: Progress & { onAnswer: (tasks: readonly CancelledTaskBody[]) => void },
): Promise<CancelSum> {
  const sum = { cancelled: 0, stopping: 0, ended: 0, refused: 0 };
  for (let at = 0; at < ids.length && !signal.aborted; at += CANCEL_CHUNK) {
    const chunk = ids.slice(at, at + CANCEL_CHUNK);
    const { tasks, unknown } = await client.cancelTasks(chunk, { force, signal });
    for (const { status, cancel_requested } of tasks) {
      if (status === 'cancelled') sum.cancelled += 1;
      else if (isTerminal(status)) sum.ended += 1;
      else if (cancel_requested) sum.stopping += 1;
      else sum.refused += 1;
    }
    sum.refused += unknown.length;
    onAnswer(tasks);
    onDone(at + chunk.length);
  }
  return sum;
}

export interface RetrySum {
  readonly submitted: number;
  /** Of those that were refused, the first reason. */
  readonly refused: number;
  readonly fault: Error | null;
}

/** A few at a time; one that is refused does not stop the others. Ends early when `signal` does. */
export async function retryMany(
  client: Pick<Client, 'retryTask'>,
  ids: readonly string[],
  { signal, onDone }: Progress,
): Promise<RetrySum> {
  let [submitted, refused, done] = [0, 0, 0];
  let fault: Error | null = null;
  const waiting = ids.values();
  const lane = async () => {
    for (const id of waiting) {
      if (signal.aborted) return;
      try {
        await retryOnce(client, id);
        submitted += 1;
      } catch (error) {
        refused += 1;
        fault ??= error as Error;
      }
      done += 1;
      onDone(done);
    }
  };
  await Promise.all(Array.from({ length: RETRIES_AT_ONCE }, lane));
  return { submitted, refused, fault };
}

/** Asked once more where the answer may have been lost, under one key: it makes one new task. */
async function retryOnce(client: Pick<Client, 'retryTask'>, id: string): Promise<void> {
  const idempotencyKey = newKey();
  try {
    await client.retryTask(id, { idempotencyKey });
  } catch (error) {
    if (!isAway(error)) throw error;
    await client.retryTask(id, { idempotencyKey });
  }
}

/** `480 cancelled, 20 had ended already`. `endedBefore` were not asked of the API at all. */
export function cancelWords({ cancelled, stopping, ended, refused }: CancelSum, endedBefore = 0): string {
  const over = ended + endedBefore;
  const parts = [
    ...(cancelled > 0 ? [`${many(cancelled)} cancelled`] : []),
    ...(stopping > 0 ? [`${many(stopping)} being stopped`] : []),
    ...(over > 0 ? [`${many(over)} had ended already`] : []),
    ...(refused > 0 ? [`${many(refused)} could not be cancelled`] : []),
  ];
  return parts.length === 0 ? 'Nothing was cancelled' : parts.join(', ');
}

export function many(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 task`, `1,200 tasks`. */
export function taskCount(count: number): string {
  return `${many(count)} task${count === 1 ? '' : 's'}`;
}
