// Cancels many tasks, a few at a time. One that cannot be cancelled does not stop the others.

import { ApiError, type Client, mayPass } from '../../client/client.ts';
import { pause } from '../../client/transport.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import { isTerminal } from '../../shared/model/task-states.ts';
import { eachOf } from '../files/at-once.ts';

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
  /** After each task, with how many are done. */
  readonly onDone?: (done: number) => Promise<void>;
  readonly onAccepted?: (task: TaskBody) => void;
}

const CALLS_AT_ONCE = 8;
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
  let done = 0;
  await eachOf(ids, CALLS_AT_ONCE, async (id) => {
    options.signal.throwIfAborted();
    const task = await cancelOne(client, id, options, failed);
    if (task) {
      if (task.status === 'cancelled') count.cancelled += 1;
      else if (isTerminal(task.status)) count.ended += 1;
      else count.stopping += 1;
      options.onAccepted?.(task);
    }
    done += 1;
    await options.onDone?.(done);
  });
  return { requested: ids.length, ...count, failed };
}

async function cancelOne(
  client: Client,
  id: string,
  { force, signal }: CancelOptions,
  failed: CancelFault[],
): Promise<TaskBody | null> {
  for (let tried = 1; ; tried++) {
    try {
      return await client.cancelTask(id, { force });
    } catch (error) {
      // To be asked twice to stop does no harm.
      if (mayPass(error) && tried < TRIES) {
        await pause(PAUSE_MS * tried, signal);
        continue;
      }
      if (!(error instanceof ApiError) || error.status === 401) throw error;
      if (error.code === 'conflict') {
        const task = await client.getTask(id, { signal });
        if (isTerminal(task.status)) return task;
      }
      failed.push({ task_id: id, code: error.code, message: error.message });
      return null;
    }
  }
}
