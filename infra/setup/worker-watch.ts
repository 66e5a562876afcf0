// Tells the person at the terminal when a worker comes, goes or changes its state.

import type { Client } from '../../client/client.ts';
import type { WorkerBody } from '../../shared/contracts/workers.ts';
import { messageOf } from '../../shared/errors.ts';

const EVERY_MS = 5_000;

export interface WorkerWatchOptions {
  readonly client: Client;
  readonly say: (line: string) => void;
  readonly everyMs?: number;
}

/** Watches until the returned function is called. */
export function watchWorkers({ client, say, everyMs = EVERY_MS }: WorkerWatchOptions): () => void {
  const controller = new AbortController();
  let known: ReadonlyMap<string, string> | null = null;
  let fault: string | null = null;
  let timer: NodeJS.Timeout;
  const look = async () => {
    try {
      const workers = await client.listWorkers({ signal: controller.signal });
      const now = states(workers);
      if (fault !== null) say('the API answers again');
      for (const line of known === null ? [] : changes(known, now)) say(line);
      known = now;
      fault = null;
    } catch (error) {
      if (controller.signal.aborted) return;
      // Said once, not every few seconds.
      if (fault === null) say(`workers cannot be seen: ${messageOf(error)}`);
      fault = messageOf(error);
    }
    if (!controller.signal.aborted) timer = setTimeout(look, everyMs);
  };
  timer = setTimeout(look, 0);
  return () => {
    controller.abort();
    clearTimeout(timer);
  };
}

function states(workers: readonly WorkerBody[]): Map<string, string> {
  return new Map(workers.map(({ worker_id, state }) => [worker_id, state]));
}

/** One line for each difference. */
export function changes(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): string[] {
  const lines: string[] = [];
  for (const [id, state] of now) {
    const old = before.get(id);
    if (old === undefined) {
      lines.push(
        state === 'unreachable' ? `worker ${id} does not answer yet` : `worker ${id} joined: ${state}`,
      );
    }
    if (old !== undefined && old !== state) lines.push(`worker ${id} is ${state} (was ${old})`);
  }
  for (const id of before.keys()) if (!now.has(id)) lines.push(`worker ${id} is gone`);
  return lines;
}
