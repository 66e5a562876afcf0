// Waiting for the end of containers: one request to the engine for each, however many wait for it. Survives
// connections that break for as long as the engine comes back soon; never waits for an engine that stays away. Knows of
// which ends it can be sure that the engine was there.

import { setTimeout as delay } from 'node:timers/promises';
import { isAppError } from '../../errors.ts';
import { untilAborted } from '../../platform/deadline.ts';
import { type Connection, LOOK_TIMEOUT_MS } from './connection.ts';

/** A silent connection may be dead: after this the question is put again. */
const ASK_AGAIN_MS = 60_000;
/** How long the engine may stay away (a restart of its daemon) before waiting ends with a fault. */
const PATIENCE_MS = 15_000;
const PAUSE_MS = 250;

/**
 * How much of a container this process has seen: its end was awaited without a break since it was seen to run; the
 * connection broke while it ran; it was never seen to run.
 */
export type Sight = 'followed' | 'broken' | 'none';

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
  /** It runs: from now on its end is awaited, so that a break of the connection is noticed from the first moment. */
  follow(containerId: string): void;
  sightOf(containerId: string): Sight;
  /** It is gone. */
  forget(containerId: string): void;
}

export function createExits(connection: Connection): Exits {
  const waiting = new Map<string, Promise<void>>();
  const listeners = new Map<string, Set<() => void>>();
  const sights = new Map<string, Exclude<Sight, 'none'>>();

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
        if (sights.has(containerId)) sights.set(containerId, 'broken');
        for (const broke of listeners.get(containerId) ?? []) broke();
        const now = performance.now();
        awaySince ??= now;
        if (connection.closed || now - awaySince > PATIENCE_MS) throw error;
      }
      await delay(PAUSE_MS);
    }
  };

  const ended = (containerId: string): Promise<void> => {
    let shared = waiting.get(containerId);
    if (!shared) {
      shared = askUntilEnded(containerId).finally(() => waiting.delete(containerId));
      waiting.set(containerId, shared);
    }
    return shared;
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
    follow(containerId) {
      if (!sights.has(containerId)) sights.set(containerId, 'followed');
      ended(containerId).catch(() => undefined);
    },
    sightOf: (containerId) => sights.get(containerId) ?? 'none',
    forget: (containerId) => void sights.delete(containerId),
    async ended(containerId, signal) {
      await untilAborted(ended(containerId), signal);
    },
  };
}
