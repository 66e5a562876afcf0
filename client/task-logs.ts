// Reads a task's output line by line, through cut connections and, when following, through later attempts.
// Gives every line once and in order: it resumes at the sequence number after the last one it gave.

import type { TaskBody } from '../shared/contracts/http.ts';
import type { LogLineBody } from '../shared/contracts/log-lines.ts';
import { isTerminal } from '../shared/model/task-states.ts';
import { ApiError, ConnectionError, connectionError, mayPass } from './errors.ts';
import { readJsonLines } from './ndjson.ts';
import { pause, type Transport } from './transport.ts';

export interface LogOptions {
  /** First sequence number wanted; 1 when absent. Applies to the first attempt that is read. */
  readonly from?: number | undefined;
  /** Begin so many lines before the end instead; 0 with `follow` gives what comes from now on. */
  readonly tail?: number | undefined;
  /** Lines of this stream alone; `tail` then counts its lines. */
  readonly stream?: 'stdout' | 'stderr' | undefined;
  /** So many lines at most; not with `follow`. */
  readonly limit?: number | undefined;
  /** The attempt to read. When absent: the current or last one and, with `follow`, those that come after it. */
  readonly attempt?: number | undefined;
  /** Wait for lines to come until the task (or the named attempt) has ended. */
  readonly follow?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long a follower goes on trying when the API is away; a minute by default. */
  readonly patienceMs?: number | undefined;
  /** Called before the first line of each attempt that is read. */
  readonly onAttempt?: ((attempt: number) => void) | undefined;
  /** Called when the connection was lost and is tried again. */
  readonly onReconnect?: ((error: Error) => void) | undefined;
}

/** Silence after which a followed stream is opened anew: a peer that vanished sends no end. */
const IDLE_MS = 60_000;
/** So long without any API, and a follower gives up. */
const PATIENCE_MS = 60_000;
/** One that does not follow tries as often as this. */
const MAX_FAILURES = 2;

/**
 * @throws {ApiError} e.g. 404, 403; {@link ConnectionError} when the API stays away; the reason of `signal`.
 */
export async function* readTaskLogs(
  transport: Transport,
  taskId: string,
  getTask: () => Promise<TaskBody>,
  options: LogOptions = {},
): AsyncGenerator<LogLineBody, void, undefined> {
  const { follow = false, patienceMs = PATIENCE_MS } = options;
  const signal = transport.either(options.signal);
  let known: TaskBody | null = await getTask();
  let attempt = options.attempt ?? known.attempt;
  let next = options.from ?? 1;
  // The last lines come in a reading of their own that does not wait. Once it has begun, a cut connection goes on by
  // number: "the last ten" would be others by then.
  let tail = options.tail;
  let left = options.limit;
  let failures = 0;
  let failedSince: number | null = null;
  options.onAttempt?.(attempt);

  for (;;) {
    let over: TaskBody | null = null;
    try {
      // Asked before the read: when the attempt had ended by then, a read that does not wait has all lines.
      const task: TaskBody = known ?? (await getTask());
      known = null;
      over = attemptEnded(task, attempt) ? task : null;
      const before = next;
      if (!over || task.attempts.some((one) => one.attempt === attempt)) {
        const begin = tail === undefined ? { from: next } : { tail: Math.max(1, tail) };
        const waits = follow && !over && tail === undefined;
        const query = { ...begin, attempt, stream: options.stream, limit: left, follow: waits };
        for await (const line of open(transport, taskId, query, signal)) {
          // Not yielded twice even if a server repeats itself after a resume.
          if (line.seq < next) continue;
          next = line.seq + 1;
          failures = 0;
          failedSince = null;
          if (tail === 0) continue;
          tail = undefined;
          yield line;
          if (left !== undefined) left -= 1;
          if (left === 0) return;
        }
        tail = undefined;
      }
      if (!follow) return;
      // The stream ended while the attempt had not: nothing yet, or an API that went away in good order.
      failedSince = null;
      if (!over) failures = next > before ? 0 : Math.min(failures + 1, 3);
    } catch (error) {
      if (signal?.aborted || !mayPass(error)) throw error;
      failures += 1;
      failedSince ??= performance.now();
      if (follow ? performance.now() - failedSince > patienceMs : failures > MAX_FAILURES) throw error;
      over = null;
      options.onReconnect?.(error as Error);
    }
    if (!over) {
      await pause(Math.min(100 * 2 ** failures, 5_000), signal);
    } else {
      if (options.attempt !== undefined || over.attempt <= attempt) return;
      attempt += 1;
      next = 1;
      tail = undefined;
      options.onAttempt?.(attempt);
    }
  }
}

export type LogTextOptions = Pick<LogOptions, 'from' | 'tail' | 'stream' | 'attempt' | 'signal'>;

/** @throws {ApiError}, {@link ConnectionError} */
export async function openTaskLogText(
  transport: Transport,
  taskId: string,
  { signal, ...query }: LogTextOptions = {},
): Promise<ReadableStream<Uint8Array>> {
  const path = `/api/tasks/${encodeURIComponent(taskId)}/logs`;
  return transport.stream({ method: 'GET', path, query: { ...query, format: 'text' }, signal }, 'text/plain');
}

interface Reading {
  readonly from?: number;
  readonly tail?: number;
  readonly attempt: number;
  readonly stream: 'stdout' | 'stderr' | undefined;
  readonly limit: number | undefined;
  readonly follow: boolean;
}

async function* open(
  transport: Transport,
  taskId: string,
  reading: Reading,
  outer: AbortSignal | undefined,
): AsyncGenerator<LogLineBody, void, undefined> {
  const { follow } = reading;
  const controller = new AbortController();
  const stop = () => controller.abort(outer?.reason);
  if (outer?.aborted) stop();
  outer?.addEventListener('abort', stop);
  let idle: ReturnType<typeof setTimeout> | undefined;
  const touch = () => {
    clearTimeout(idle);
    idle = setTimeout(() => controller.abort(new Error('silence')), follow ? IDLE_MS : transport.timeoutMs);
  };
  try {
    const body = await transport.stream(
      {
        method: 'GET',
        path: `/api/tasks/${encodeURIComponent(taskId)}/logs`,
        query: { ...reading },
        signal: controller.signal,
      },
      'application/x-ndjson',
    );
    touch();
    yield* readJsonLines<LogLineBody>(body, touch);
  } catch (error) {
    if (outer?.aborted || error instanceof ApiError || error instanceof ConnectionError) throw error;
    if (controller.signal.aborted && follow) return;
    throw connectionError(transport.url, error);
  } finally {
    clearTimeout(idle);
    outer?.removeEventListener('abort', stop);
    controller.abort();
  }
}

function attemptEnded(task: TaskBody, attempt: number): boolean {
  if (isTerminal(task.status) || task.attempt > attempt) return true;
  return task.attempts.some((one) => one.attempt === attempt && one.finished_at !== null);
}
