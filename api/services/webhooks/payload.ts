// What a receiver is told of a task that entered a state, made from the record. Pure.
// The record may have moved on since: nothing that came later is told. No environment, no secret, no command.

import type { WebhookPayload } from '../../../shared/contracts/webhooks.ts';
import type { Task } from '../../../shared/model/task.ts';
import { isTerminal } from '../../../shared/model/task-states.ts';
import type { WebhookEvent } from '../../../shared/model/webhook.ts';

/** That a task entered a state with an attempt. */
export interface Telling {
  readonly task: Task;
  readonly event: WebhookEvent;
  readonly attempt: number;
}

/** When it entered the state, milliseconds since the epoch; null when the record does not say that it ever did. */
export function enteredAt({ task, event, attempt: number }: Telling): number | null {
  const attempt = task.attempts.find((one) => one.number === number);
  switch (event) {
    case 'queued':
      if (number === 1) return task.submittedAt;
      if (number === task.attempt) return task.queuedAt;
      // It went back to the queue when the attempt before ended.
      return task.attempts.find((one) => one.number === number - 1)?.finishedAt ?? null;
    case 'assigned':
      return attempt?.assignedAt ?? null;
    case 'running':
      return attempt?.startedAt ?? null;
    default:
      return task.state === event && task.attempt === number ? task.finishedAt : null;
  }
}

/** @param at when it entered the state */
export function webhookPayload({ task, event, attempt: number }: Telling, at: number): WebhookPayload {
  const attempt = task.attempts.find((one) => one.number === number);
  const over = isTerminal(event);
  // Why it waits again is told as long as it does.
  const message = over || (event === 'queued' && task.state === 'queued' && task.attempt === number);
  const started = event === 'running' || over ? (attempt?.startedAt ?? null) : null;
  return {
    type: `task.${event}`,
    timestamp: new Date(at).toISOString(),
    data: {
      task_id: task.id,
      name: task.spec.name,
      tag: task.spec.tag,
      user: task.ownerName,
      docker_image: task.spec.image,
      status: event,
      attempt: number,
      worker_id: event === 'queued' ? null : (attempt?.workerId ?? null),
      reason: over ? task.reason : null,
      exit_code: over ? task.exitCode : null,
      message: message ? task.message : null,
      submitted_at: new Date(task.submittedAt).toISOString(),
      started_at: started === null ? null : new Date(started).toISOString(),
      finished_at: over ? new Date(at).toISOString() : null,
    },
  };
}
