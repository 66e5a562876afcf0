// Cancels many tasks, hundreds a call. One that cannot be cancelled does not stop the others.

import { type Client, mayPass } from '../../client/client.ts';
import { pause } from '../../client/transport.ts';
import type { CancelledTaskBody, CancelManyReply } from '../../shared/contracts/task-lists.ts';
import { isTerminal } from '../../shared/model/task-states.ts';

export interface CancelOutcome {
  readonly requested: number;
  /** They waited, and are over. */
  readonly cancelled: number;
  /** They run, and are being stopped. */
  readonly stopping: number;
  /** They had ended before. */
  readonly ended: number;
  readonly failed: readonly CancelFault[];
}

export interface CancelFault {
  readonly task_id: string;
  readonly code: string;
  readonly message: string;
}

export interface CancelOptions {
  readonly force: boolean;
  readonly signal: AbortSignal;
  /** After each call, with how many are done. */
  readonly onDone?: (done: number) => Promise<void>;
  readonly onAccepted?: (task: CancelledTaskBody) => void;
}

/** So many in a call: few calls for many, and a line of progress that moves. */
const CHUNK = 500;
const TRIES = 5;
const PAUSE_MS = 500;

/** @throws only the signal's reason after Ctrl-C, and what keeps all of them from being cancelled, such as a bad token */
export async function cancelAll(
  client: Client,
  ids: readonly string[],
  options: CancelOptions,
): Promise<CancelOutcome> {
  const count = { cancelled: 0, stopping: 0, ended: 0 };
  const failed: CancelFault[] = [];
  for (let at = 0; at < ids.length; at += CHUNK) {
    options.signal.throwIfAborted();
    const chunk = ids.slice(at, at + CHUNK);
    const { tasks, unknown } = await cancelChunk(client, chunk, options);
    for (const task of tasks) {
      const { task_id, status } = task;
      if (status === 'cancelled') count.cancelled += 1;
      else if (isTerminal(status)) count.ended += 1;
      else if (task.cancel_requested) count.stopping += 1;
      else
        failed.push({ task_id, code: 'conflict', message: 'it changes too fast to be cancelled; try again' });
      if (status === 'cancelled' || task.cancel_requested) options.onAccepted?.(task);
    }
    for (const task_id of unknown) {
      failed.push({ task_id, code: 'not_found', message: `you have no task ${task_id}` });
    }
    await options.onDone?.(at + chunk.length);
  }
  return { requested: ids.length, ...count, failed };
}

async function cancelChunk(
  client: Client,
  ids: readonly string[],
  { force, signal }: CancelOptions,
): Promise<CancelManyReply> {
  for (let tried = 1; ; tried++) {
    try {
      return await client.cancelTasks(ids, { force, signal });
    } catch (error) {
      // To be asked twice to stop does no harm.
      if (!mayPass(error) || tried >= TRIES) throw error;
      await pause(PAUSE_MS * tried, signal);
    }
  }
}
