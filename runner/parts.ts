// What a runner is made of, and what it says of itself.

import type { AppError } from '../shared/errors.ts';
import type { Resources } from '../shared/model/resources.ts';
import type { RunnerConfig } from '../shared/platform/config/runner.ts';
import type { Log } from '../shared/platform/log.ts';
import type { Clock } from '../shared/ports/clock.ts';
import type { ContainerRuntime } from '../shared/ports/container-runtime.ts';
import type { EventBus, LeaseKeeper, WorkerPresence } from '../shared/ports/coordination.ts';
import type { FileStore } from '../shared/ports/file-store.ts';
import type { ImageBoard } from '../shared/ports/image-board.ts';
import type { LiveLogs, ProgressBoard, RoomEmitter, UsageBoard } from '../shared/ports/live.ts';
import type { LogStore } from '../shared/ports/log-store.ts';
import type { Inbox, IntakeQueue } from '../shared/ports/queue.ts';
import type { Store } from '../shared/ports/store.ts';
import type { Tracer } from '../shared/ports/tracing.ts';
import type { HealthLimits } from './core/health.ts';
import type { AttemptWatch } from './executor/phases.ts';

export interface RunnerParts {
  readonly config: RunnerConfig;
  readonly store: Store;
  readonly inbox: Inbox;
  readonly presence: WorkerPresence;
  /** Absent: only the runner's own loop renews the lease. */
  readonly keeper?: LeaseKeeper;
  readonly bus: EventBus;
  readonly intake: IntakeQueue;
  readonly logs: LogStore;
  readonly liveLogs: LiveLogs;
  readonly rooms: RoomEmitter;
  readonly progress: ProgressBoard;
  readonly usage: UsageBoard;
  readonly images: ImageBoard;
  readonly files: FileStore;
  readonly runtime: ContainerRuntime;
  /** The cluster's; `runtime` goes by the same. */
  readonly clock: Clock;
  /** How far the machine's own clock is ahead of it; for people. Null before it was measured. */
  readonly clockOffsetMs?: () => number | null;
  readonly log: Log;
  /** Absent: nobody traces. */
  readonly tracer?: Tracer;
  /** Absent: nobody measures. */
  readonly watch?: AttemptWatch;
  /** Of the machine as it runs now; by default its kernel is asked. */
  readonly bootId?: string | null;
  /** How the health of the worker is watched, where it is not as usual. */
  readonly health?: { readonly everyMs?: number; readonly limits?: Partial<HealthLimits> };
  /** How things of workers that are no more are swept, where it is not as usual. */
  readonly strays?: { readonly everyMs?: number; readonly graceMs?: number };
  /** Numbers in [0, 1); for the jitter of retries. */
  readonly random?: () => number;
  /** It has been this worker before: a record that is gone by now was removed by an admin, and is not made again. */
  readonly isReturning?: boolean;
  /** The worker was removed and nothing runs here any more. Called once; it has stopped by then. */
  readonly onRetired?: () => void;
  /** Between two looks for containers nobody works on, and at the worker's own record. */
  readonly sweepEveryMs?: number;
  /** The runner cannot go on: `worker_id_taken` or `superseded`. Called once; it has stopped by then. */
  onFatal(error: AppError): void;
}

export type RunnerPhase =
  | 'starting'
  | 'up'
  /** Cut off from the cluster: containers are stopped, no work is taken. */
  | 'fenced'
  /** It was told to stop: what runs ends or is handed over, nothing new is taken. */
  | 'leaving'
  /** An admin removed the worker: what runs goes on, nothing new is taken. */
  | 'removed'
  | 'stopped';

export interface RunnerStatus {
  readonly phase: RunnerPhase;
  readonly workerId: string;
  readonly incarnation: string;
  /** Ids of tasks that have a container here. */
  readonly running: readonly string[];
  /** Attempts that wait for room. */
  readonly waiting: number;
  readonly free: Resources | null;
}
