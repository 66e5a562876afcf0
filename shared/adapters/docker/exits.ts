// Waiting for the end of containers: one request to the engine for each, however many wait for it. Survives
// connections that break for as long as the engine comes back soon; never waits for an engine that stays away.

import { setTimeout as delay } from 'node:timers/promises';
import { isAppError } from '../../errors.ts';
import { untilAborted } from '../../platform/deadline.ts';
import { type Connection, LOOK_TIMEOUT_MS } from './connection.ts';

/** A silent connection may be dead: after this the question is put again. */
const ASK_AGAIN_MS = 60_000;
/** How long the engine may stay away (a restart of its daemon) before waiting ends with a fault. */
const PATIENCE_MS = 15_000;
const PAUSE_MS = 250;

export interface Exits {
  /**
   * Resolves when the container is not running: it ended, is gone, or was never started. Rejects with
   * `runtime_unavailable` when the engine stays away, with `timed_out` when the signal is aborted.
   */
  ended(containerId: string, signal?: AbortSignal): Promise<void>;
  /**
   * Calls back when the connection on which the end of this container is awaited breaks, until the returned function
   * is called. The one sign that other connections may have ended early which look as if they had just ended.
   */
  onBreak(containerId: string, broke: () => void): () => void;
}

export function createExits(connection: Connection): Exits {
  const waiting = new Map<string, Promise<void>>();
  const listeners = new Map<string, Set<() => void>>();

  const askOnce = async (containerId: string): Promise<'ended' | 'unknown'> => {
    const askedAt = performance.now();
    try {
      await connection.ask('wait for the end of the container', ASK_AGAIN_MS, (abortSignal) =>
        connection.postAndRead(`/containers/${containerId}/wait`, abortSignal),
      );
      return 'ended';
    } catch (error) {
      if (isAppError(error, 'not_found')) return 'ended';
      if (connection.closed || performance.now() - askedAt < ASK_AGAIN_MS - 1_000) throw error;
    }
    // No answer in all that time is what a running container looks like, and also a dead connection: look.
    await connection.ask('look at the container', LOOK_TIMEOUT_MS, (abortSignal) =>
      connection.docker.getContainer(containerId).inspect({ abortSignal }),
    );
    return 'unknown';
  };

  const askUntilEnded = async (containerId: string): Promise<void> => {
    let awaySince: number | null = null;
    for (;;) {
      try {
        if ((await askOnce(containerId)) === 'ended') return;
        awaySince = null;
      } catch (error) {
        if (isAppError(error, 'not_found')) return;
        for (const broke of listeners.get(containerId) ?? []) broke();
        const now = performance.now();
        awaySince ??= now;
        if (connection.closed || now - awaySince > PATIENCE_MS) throw error;
      }
      await delay(PAUSE_MS);
    }
  };

  return {
    onBreak(containerId, broke) {
      const here = listeners.get(containerId) ?? new Set();
      listeners.set(containerId, here.add(broke));
      return () => {
        here.delete(broke);
        if (here.size === 0) listeners.delete(containerId);
      };
    },
    async ended(containerId, signal) {
      let shared = waiting.get(containerId);
      if (!shared) {
        shared = askUntilEnded(containerId).finally(() => waiting.delete(containerId));
        waiting.set(containerId, shared);
      }
      await untilAborted(shared, signal);
    },
  };
}
