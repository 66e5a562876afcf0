// Hands many tasks to the API in chunks, each all or none. Each chunk has an idempotency key that follows from the
// key of the whole, so that a chunk whose answer was lost, or a whole run, may be sent again and makes nothing twice.

import { ApiError, type Client, mayPass } from '../../client/client.ts';
import { pause } from '../../client/transport.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';

import type { PlannedTask } from './tasks-file.ts';

/** What the API takes at once. */
const CHUNK = 1_000;
/** Well below what the API takes of a body: 20 MB. */
const CHUNK_BYTES = 8 * 1_048_576;
const TRIES = 6;
/** Of the first chunk: an address where nobody is, is told soon. */
const FIRST_TRIES = 2;
const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 8_000;

export interface SendOptions {
  readonly key: string;
  readonly signal: AbortSignal;
  /** The tasks of a chunk, in the order of `sent`, once the API has them. */
  readonly onAccepted: (tasks: readonly TaskBody[], sent: readonly PlannedTask[]) => Promise<void>;
  /** A chunk is sent again after a pause. */
  readonly onRetry: (error: Error) => void;
}

/** A chunk was refused, or the API stayed away; chunks before it stand. */
export class SendError extends Error {
  readonly chunk: readonly PlannedTask[];
  override readonly cause: unknown;

  constructor(chunk: readonly PlannedTask[], cause: unknown) {
    super('a chunk of tasks was not accepted', { cause });
    this.name = 'SendError';
    this.chunk = chunk;
    this.cause = cause;
  }
}

/** @throws {SendError} for the first chunk that is not accepted; no later one is sent */
export async function sendAll(
  client: Client,
  tasks: Iterable<PlannedTask>,
  options: SendOptions,
): Promise<void> {
  let number = 0;
  for (const chunk of chunksOf(tasks)) {
    let accepted: TaskBody[];
    try {
      const tries = number === 0 ? FIRST_TRIES : TRIES;
      accepted = await sendChunk(client, chunk, { key: `${options.key}.${number}`, tries }, options);
    } catch (error) {
      throw new SendError(chunk, error);
    }
    await options.onAccepted(accepted, chunk);
    number += 1;
  }
}

/** The same tasks make the same chunks at any time: their keys depend on it. */
function* chunksOf(tasks: Iterable<PlannedTask>): Generator<PlannedTask[]> {
  let chunk: PlannedTask[] = [];
  let bytes = 0;
  for (const task of tasks) {
    const size = Buffer.byteLength(JSON.stringify(task.body));
    if (chunk.length === CHUNK || (chunk.length > 0 && bytes + size > CHUNK_BYTES)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(task);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

async function sendChunk(
  client: Client,
  chunk: readonly PlannedTask[],
  { key, tries }: { key: string; tries: number },
  { signal, onRetry }: SendOptions,
): Promise<TaskBody[]> {
  const bodies = chunk.map(({ body }) => body);
  for (let tried = 1; ; tried++) {
    try {
      return await client.submitBatch(bodies, { idempotencyKey: key, signal });
    } catch (error) {
      if (tried === tries || signal.aborted || !mayPass(error)) throw error;
      onRetry(error as Error);
      await pause(pauseMs(tried, error), signal);
    }
  }
}

function pauseMs(tried: number, error: unknown): number {
  const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
  return Math.min(LAST_PAUSE_MS, Math.max(asked, FIRST_PAUSE_MS * 2 ** (tried - 1)));
}
