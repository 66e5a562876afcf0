// What to do next for one attempt, inferred from the record, the container and what this process has done so far.
// Pure. The executor does the step, looks again and asks again; nothing else decides.
//
//   admit → pull → provide → create → start → announce → wait ⇄ stop, kill → drain → gather → settle → collect → …
//                                                 ▲ adopt  … → remove → done; cancelled, evicted: remove before collect
//   an attempt that is no longer wanted: drop → clear → done

import type { SeenContainer } from '../../shared/model/container.ts';
import { currentAttempt, type Task } from '../../shared/model/task.ts';
import type { AttemptOutcome } from '../../shared/model/task-life.ts';
import { isPlaced } from '../../shared/model/task-states.ts';
import { cancelledUnstarted, classifyExit, type StopCause, vanished } from './exit-classification.ts';

export interface AttemptKey {
  readonly taskId: string;
  readonly attempt: number;
  readonly workerId: string;
}

/** What this process has done for the attempt. Times are monotonic milliseconds. */
export interface Doing {
  /** Its resources are held in the ledger of this machine. */
  readonly admitted: boolean;
  /** Content id of the image, once it is present. */
  readonly imageId: string | null;
  /** The files it is given are where its container finds them. */
  readonly provided: boolean;
  /** A container of it was made or found by this process. */
  readonly hadContainer: boolean;
  /** An earlier life of the runner started the container. */
  readonly adopted: boolean;
  /** Its output is being read. */
  readonly capturing: boolean;
  /** Its output has ended and is kept. */
  readonly drained: boolean;
  readonly outputFault: string | null;
  /** What it left in its output folder is kept, or never will be. */
  readonly gathered: boolean;
  /** Files of it may be kept already, by this process or by an earlier life. */
  readonly mayHaveFiles: boolean;
  /** Why some of those files are not kept although they should be, or null. */
  readonly filesFault: string | null;
  /** That it runs is being committed. */
  readonly announcing: boolean;
  /** True start of the container. */
  readonly startedAt: number | null;
  readonly stop: {
    readonly cause: StopCause;
    readonly at: number;
    readonly killed: boolean;
    /** When SIGKILL was sent last. */
    readonly killedAt?: number;
  } | null;
  /** What an earlier life of the runner signalled it for: whatever came of that, the program may have felt it. */
  readonly felt: { readonly cause: StopCause; readonly killed: boolean } | null;
  /** The machine was started anew since the last life of the runner. */
  readonly machineRestarted: boolean;
  /** The worker has lost its lease. */
  readonly fenced: boolean;
  readonly outcome: AttemptOutcome | null;
  /** The outcome stands in the record. */
  readonly committed: boolean;
}

/** A killed container is gone at once; one that is not is killed again after so long. */
const KILL_AGAIN_MS = 10_000;

/** Where every attempt begins. */
export const NOTHING_DONE: Doing = {
  admitted: false,
  imageId: null,
  provided: false,
  hadContainer: false,
  adopted: false,
  capturing: false,
  drained: false,
  outputFault: null,
  gathered: false,
  mayHaveFiles: false,
  filesFault: null,
  announcing: false,
  startedAt: null,
  stop: null,
  felt: null,
  machineRestarted: false,
  fenced: false,
  outcome: null,
  committed: false,
};

export interface Situation {
  readonly key: AttemptKey;
  /** Null: the store has no such task. */
  readonly task: Task | null;
  /** The container of the attempt as it was seen last. */
  readonly seen: SeenContainer | null;
  readonly doing: Doing;
  /** Monotonic milliseconds. */
  readonly now: number;
  readonly graceMs: number;
}

export type Step =
  /** Hold the attempt's resources in the ledger, waiting for room. */
  | { readonly kind: 'admit' }
  | { readonly kind: 'pull' }
  /** Put the files it is given where its container will find them. */
  | { readonly kind: 'provide' }
  | { readonly kind: 'create' }
  /** Read output from before the first byte, then start. */
  | { readonly kind: 'start' }
  /** Commit that it runs. */
  | { readonly kind: 'announce' }
  /** Read the output of a container that runs or ran already, from its first byte. */
  | { readonly kind: 'adopt' }
  /** Until something changes, or the time comes. */
  | { readonly kind: 'wait'; readonly until: number | null }
  /** SIGTERM. */
  | { readonly kind: 'stop'; readonly cause: StopCause }
  /** SIGKILL. */
  | { readonly kind: 'kill'; readonly cause: StopCause }
  /** Wait for the rest of the output and keep it. */
  | { readonly kind: 'drain' }
  /** Keep the files it left, however it ended. */
  | { readonly kind: 'gather' }
  /** Take the outcome down. From here on it does not change. */
  | { readonly kind: 'settle'; readonly outcome: AttemptOutcome }
  /** Commit the outcome. */
  | { readonly kind: 'collect'; readonly outcome: AttemptOutcome }
  | { readonly kind: 'remove' }
  /** Remove the container and commit nothing: the attempt belongs to nobody any more. */
  | { readonly kind: 'drop' }
  /** Remove the files that were kept of it. */
  | { readonly kind: 'clear' }
  | { readonly kind: 'done' };

export function nextStep(situation: Situation): Step {
  const { task, seen, doing } = situation;
  if (doing.committed) return { kind: seen ? 'remove' : 'done' };
  if (!task || !isWanted(task, situation.key)) {
    if (seen) return { kind: 'drop' };
    return { kind: task && doing.mayHaveFiles && isLost(task, situation.key) ? 'clear' : 'done' };
  }
  if (doing.outcome) {
    // `cancelled` is a promise that nothing runs any more, and an evicted attempt has left once its record says so.
    const { kind } = doing.outcome;
    if (seen && (kind === 'cancelled' || kind === 'evicted')) return { kind: 'remove' };
    return { kind: 'collect', outcome: doing.outcome };
  }
  if (!seen) return withoutContainer(task, situation);
  switch (seen.state) {
    case 'created':
      return beforeStart(task, situation);
    case 'running':
      return whileRunning(task, situation);
    case 'exited':
      return afterExit(task, seen, situation);
  }
}

/** Whether the record still asks this worker for this attempt. */
export function isWanted(task: Task, key: AttemptKey): boolean {
  return isPlaced(task.state) && task.attempt === key.attempt && task.workerId === key.workerId;
}

/**
 * Whether the record has given the attempt up, so that what was kept of it is nobody's. One whose end stands in the
 * record, perhaps written by an earlier life, keeps its files: of evicted ones those that had started.
 */
function isLost(task: Task, key: AttemptKey): boolean {
  return task.attempts.some(
    ({ number, state, startedAt }) =>
      number === key.attempt && (state === 'lost' || (state === 'evicted' && startedAt === null)),
  );
}

/** Why the attempt is to leave, or null. */
function evictedBecause(task: Task): string | null {
  return currentAttempt(task)?.eviction?.message ?? null;
}

function withoutContainer(task: Task, { doing }: Situation): Step {
  const cancelledBy = task.cancel?.requestedBy ?? null;
  if (doing.hadContainer || task.state === 'running') {
    return settle(
      vanished({
        cancelledBy,
        evictedBecause: evictedBecause(task),
        stopCause: (doing.stop ?? doing.felt)?.cause ?? null,
        machineRestarted: doing.machineRestarted && !doing.hadContainer,
        timeoutSeconds: task.spec.timeoutSeconds,
      }),
    );
  }
  if (cancelledBy !== null) return settle(cancelledUnstarted(cancelledBy));
  // Nothing runs yet, so there is nothing to fence but the start: it waits for the lease.
  if (doing.fenced) return { kind: 'wait', until: null };
  if (!doing.admitted) return { kind: 'admit' };
  if (doing.imageId === null) return { kind: 'pull' };
  return { kind: task.spec.files.length > 0 && !doing.provided ? 'provide' : 'create' };
}

function beforeStart(task: Task, { doing }: Situation): Step {
  if (task.cancel) return settle(cancelledUnstarted(task.cancel.requestedBy));
  if (doing.fenced) return { kind: 'wait', until: null };
  return { kind: 'start' };
}

function whileRunning(task: Task, situation: Situation): Step {
  const { doing, now, graceMs } = situation;
  const cause = (doing.stop ?? doing.felt)?.cause ?? stopCause(task, situation);
  if (cause !== null) {
    if (doing.stop?.killed) {
      const again = (doing.stop.killedAt ?? now) + KILL_AGAIN_MS;
      return now >= again ? { kind: 'kill', cause } : { kind: 'wait', until: again };
    }
    if (task.cancel?.force) return { kind: 'kill', cause };
    if (!doing.stop) return { kind: 'stop', cause };
    const until = doing.stop.at + graceMs;
    return now >= until ? { kind: 'kill', cause } : { kind: 'wait', until };
  }
  if (task.state === 'assigned' && !doing.announcing) return { kind: 'announce' };
  if (!doing.capturing && !doing.drained) return { kind: 'adopt' };
  return { kind: 'wait', until: timeLimit(task, doing) };
}

function afterExit(task: Task, seen: SeenContainer, { doing, graceMs }: Situation): Step {
  const stopped = doing.stop ?? doing.felt;
  if (task.state === 'assigned' && !task.cancel && !stopped) {
    return doing.announcing ? { kind: 'wait', until: null } : { kind: 'announce' };
  }
  if (!doing.drained) return { kind: doing.capturing ? 'drain' : 'adopt' };
  if (!doing.gathered) return { kind: 'gather' };
  return settle(
    classifyExit(seen, {
      stopCause: stopped?.cause ?? null,
      killed: stopped?.killed ?? false,
      cancelledBy: task.cancel?.requestedBy ?? null,
      evictedBecause: evictedBecause(task),
      announced: task.state === 'running',
      adopted: doing.adopted,
      timeoutSeconds: task.spec.timeoutSeconds,
      ranMs: seen.startedAt === null || seen.finishedAt === null ? null : seen.finishedAt - seen.startedAt,
      memoryMb: task.spec.resources.memoryMb,
      graceSeconds: graceMs / 1_000,
      outputFault: doing.outputFault,
      filesFault: doing.filesFault,
    }),
  );
}

function stopCause(task: Task, { doing, now }: Situation): StopCause | null {
  if (task.cancel) return 'cancel';
  const limit = timeLimit(task, doing);
  const isOverdue = limit !== null && now >= limit;
  // One that has had its time is not to have it again elsewhere; and to be evicted costs less than to be lost.
  if (!isOverdue && evictedBecause(task) !== null) return 'evict';
  if (doing.fenced) return 'fenced';
  return isOverdue ? 'time_limit' : null;
}

function timeLimit(task: Task, doing: Doing): number | null {
  if (task.spec.timeoutSeconds === 0 || doing.startedAt === null) return null;
  return doing.startedAt + task.spec.timeoutSeconds * 1_000;
}

function settle(outcome: AttemptOutcome): Step {
  return { kind: 'settle', outcome };
}
