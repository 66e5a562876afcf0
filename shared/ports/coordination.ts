// Who leads, who lives, and small messages between processes. All of it may vanish and is built up again.

import type { ClusterEvent, WorkerNudge } from '../model/event.ts';
import type { WorkerUsage } from '../model/worker.ts';
import type { Trouble } from '../model/worker-health.ts';

export interface LeaderLease {
  /** Takes the free lease or renews the own one. False when another holds it. */
  hold(holder: string, ttlMs: number): Promise<boolean>;
  /** Gives the lease up if `holder` has it. */
  release(holder: string): Promise<void>;
  holder(): Promise<string | null>;
}

export interface Heartbeat {
  readonly workerId: string;
  /** Stable name of the machine's runner, kept across restarts: only it may take its own id over. */
  readonly identity: string;
  /** Random name of this life of the daemon. */
  readonly incarnation: string;
  readonly usage: WorkerUsage;
  /** Ids of tasks that have a container there now. */
  readonly running: readonly string[];
  /** How far the machine's own clock is ahead of the cluster's; null when that is not known. */
  readonly clockOffsetMs?: number | null;
  /** What is wrong there; empty: nothing, or its runner is of an earlier release and cannot tell. */
  readonly troubles: readonly Trouble[];
}

export interface PresentWorker extends Heartbeat {
  /** Since the last beat, by the clock of the coordination service. */
  readonly ageMs: number;
}

export type BeatAnswer =
  | 'ok'
  /** Another machine uses this worker id and is alive. */
  | 'taken'
  /** A newer life of the same runner has taken over. */
  | 'superseded';

export interface WorkerPresence {
  /** Renews the lease of the worker. `first` lets a new incarnation of the same identity take over. */
  beat(heartbeat: Heartbeat, leaseMs: number, first: boolean): Promise<BeatAnswer>;
  /** Renews the lease without news. False, and nothing done, when this incarnation does not hold it. */
  extend(workerId: string, incarnation: string, leaseMs: number): Promise<boolean>;
  /** Workers whose lease is alive. */
  present(): Promise<PresentWorker[]>;
  /** Ends the lease at once, if this incarnation holds it. */
  leave(workerId: string, incarnation: string): Promise<void>;
}

/** Renews a worker's lease beside the loop of whoever holds it, so that a loop with much to do does not lose it. */
export interface LeaseKeeper {
  keep(lease: {
    readonly workerId: string;
    readonly incarnation: string;
    readonly leaseMs: number;
    /** A loop that shows no sign of life for so long hangs: the lease is not renewed for it any more. */
    readonly silenceMs: number;
  }): KeptLease;
}

export interface KeptLease {
  /** The loop runs. */
  signOfLife(): void;
  /** Since the begin of the last renewal by the keeper that was answered; infinite when there was none. */
  sinceRenewedMs(): number;
  /** Resolves when it renews no more. */
  stop(): Promise<void>;
}

/** Best effort: a message may be lost, so nothing may depend on it but speed. */
export interface EventBus {
  publish(event: ClusterEvent): Promise<void>;
  publishMany(events: readonly ClusterEvent[]): Promise<void>;
  subscribe(handler: (event: ClusterEvent) => void): Promise<() => Promise<void>>;
  nudge(workerId: string, nudge: WorkerNudge): Promise<void>;
  onNudge(workerId: string, handler: (nudge: WorkerNudge) => void): Promise<() => Promise<void>>;
}

/** Counts failures per key and says when it is enough. Falls back to this process alone when cut off. */
export interface AttemptLimiter {
  /** Seconds to wait, or 0 when the key may try. */
  blockedFor(key: string): Promise<number>;
  fail(key: string): Promise<void>;
  reset(key: string): Promise<void>;
}

/** What a limiter says to one call. */
export interface RateVerdict {
  readonly isAllowed: boolean;
  /** The first refusal of this window by this process. */
  readonly isFirst: boolean;
  /** Cost that is allowed within a window. */
  readonly limit: number;
  /** What is left of it. */
  readonly remaining: number;
  /** Until the window ends and the whole limit is there again; at least 1. */
  readonly resetSeconds: number;
}

/**
 * Counts calls per key within windows, for all processes together as far as they have told each other, and for this one
 * alone when cut off. Decides at once: never waits, never throws.
 */
export interface RateLimiter {
  /** Counts `cost`, unless the limit of this key is reached: cost that is allowed within a window. */
  take(key: string, cost: number, limit: number): RateVerdict;
}
