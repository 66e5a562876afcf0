// The first task of a start: proves that a task goes all the way, and shows its output as it comes.

import type { Client } from '../../client/client.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import { AppError } from '../../shared/errors.ts';

const DEADLINE_MS = 60_000;

export interface HelloOptions {
  readonly client: Client;
  readonly image: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
  readonly deadlineMs?: number;
}

export interface HelloResult {
  readonly task: TaskBody;
  /** From submission to the end, as the cluster records it. */
  readonly tookMs: number;
}

/** @throws {AppError} `timed_out`, or `internal` when the task failed, with the cluster's reason. */
export async function runHelloTask(options: HelloOptions): Promise<HelloResult> {
  const { client, image, onLine } = options;
  const deadlineMs = options.deadlineMs ?? DEADLINE_MS;
  const submitted = await client.submitTask({
    docker_image: image,
    command: 'echo "Hello from CloudAI, on $(uname -s) $(uname -m)"',
    cpu_required: 0.1,
    memory_required: 32,
    name: 'hello',
    tag: 'hello',
    timeout_seconds: 30,
  });
  const limit = AbortSignal.timeout(deadlineMs);
  const signal = AbortSignal.any([options.signal, limit]);
  try {
    for await (const { line } of client.taskLogs(submitted.task_id, { follow: true, signal })) onLine(line);
  } catch (error) {
    if (!limit.aborted) throw error;
    throw new AppError(
      'timed_out',
      `${submitted.task_id} did not end within ${deadlineMs / 1_000} s: ${await whyItWaits(client, submitted.task_id)}`,
    );
  }
  const task = await client.getTask(submitted.task_id);
  if (task.status !== 'completed') {
    throw new AppError(
      'internal',
      `${task.task_id} ${task.status}: ${task.message ?? task.reason ?? 'no reason given'}`,
    );
  }
  return { task, tookMs: Date.parse(task.finished_at ?? '') - Date.parse(task.submitted_at) };
}

async function whyItWaits(client: Client, taskId: string): Promise<string> {
  try {
    return (await client.explainTask(taskId)).summary;
  } catch {
    return (await client.getTask(taskId)).status;
  }
}
