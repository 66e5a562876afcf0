// Waits until a started cluster can take work, and says what is missing when it does not come.

import type { Client } from '../../client/client.ts';
import type { ReadyReply } from '../../shared/contracts/http.ts';
import { AppError, messageOf } from '../../shared/errors.ts';
import { until } from './commands.ts';
import type { Note } from './progress.ts';

const API_DEADLINE_MS = 60_000;
const WORKER_DEADLINE_MS = 60_000;

export interface Waiting {
  readonly client: Client;
  /** Last lines of a process's output. */
  readonly tail: (part: 'api' | 'scheduler' | 'runner') => readonly string[];
  /** Stops the waiting. */
  readonly signal: AbortSignal;
  readonly deadlineMs?: number;
}

/** @throws {AppError} `timed_out` with the API's own reason or the end of its log. */
export async function awaitApi(waiting: Waiting, note: Note): Promise<void> {
  let reason = 'no answer yet';
  const isReady = async () => {
    try {
      const reply = await waiting.client.ready({ signal: waiting.signal });
      reason = reply.status === 'ready' ? '' : whatIsDown(reply);
    } catch (error) {
      reason = messageOf(error);
    }
    if (reason !== '' && !waiting.signal.aborted) note(reason);
    return reason === '' || waiting.signal.aborted;
  };
  await until(isReady, waiting.deadlineMs ?? API_DEADLINE_MS);
  if (waiting.signal.aborted) throw stopped();
  if (reason !== '') throw notReady('the API is not ready', reason, waiting.tail('api'));
}

/** The ids of the workers that are ready, at least one. */
export async function awaitWorker(waiting: Waiting, note: Note): Promise<string[]> {
  let ready: string[] = [];
  let reason = 'no worker has registered yet';
  const isThere = async () => {
    try {
      const workers = await waiting.client.listWorkers({ signal: waiting.signal });
      ready = workers.filter(({ state }) => state === 'ready').map(({ worker_id }) => worker_id);
      if (workers.length > 0) {
        reason = workers
          .map(({ worker_id, state, message }) =>
            state === 'unhealthy' && message
              ? `${worker_id} is ${state}: ${message}`
              : `${worker_id} is ${state}`,
          )
          .join(', ');
      }
    } catch (error) {
      reason = messageOf(error);
    }
    if (ready.length === 0 && !waiting.signal.aborted) note(reason);
    return ready.length > 0 || waiting.signal.aborted;
  };
  await until(isThere, waiting.deadlineMs ?? WORKER_DEADLINE_MS);
  if (waiting.signal.aborted) throw stopped();
  if (ready.length === 0) {
    const cordoned = /cordoned|draining/.test(reason)
      ? ' (an admin took it out of service: "npx cloudai uncordon <worker>")'
      : '';
    throw notReady('no worker is ready', `${reason}${cordoned}`, waiting.tail('runner'));
  }
  return ready;
}

function whatIsDown({ checks }: ReadyReply): string {
  const down = Object.entries(checks).filter(([, { ok }]) => !ok);
  return down.map(([name, { message }]) => `${name}: ${message ?? 'down'}`).join('; ') || 'unavailable';
}

function notReady(what: string, reason: string, tail: readonly string[]): AppError {
  const end = tail.slice(-6).map((line) => `    ${line.slice(0, 400)}`);
  return new AppError(
    'timed_out',
    [`${what}: ${reason}`, ...(end.length > 0 ? ['  the last it said:', ...end] : [])].join('\n'),
  );
}

export function stopped(): AppError {
  return new AppError('timed_out', 'stopped before it was ready');
}
