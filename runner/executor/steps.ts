// How each step is done. A step that may take long only begins here and rings the bell when it is over, so that a
// cancel or the time limit never waits for it. Steps throw; the loop says what a fault means. Decides nothing.

import { AppError, isAppError, messageOf } from '../../shared/errors.ts';
import type { Resources, Shortfall } from '../../shared/model/resources.ts';
import { currentAttempt, type Task } from '../../shared/model/task.ts';
import { endOf, finishTask, startTask } from '../../shared/model/task-life.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { ContainerRuntime } from '../../shared/ports/container-runtime.ts';
import type { FileStore } from '../../shared/ports/file-store.ts';
import type { LiveLogs, RoomEmitter } from '../../shared/ports/live.ts';
import type { LogStore } from '../../shared/ports/log-store.ts';
import type { FileRecordStore } from '../../shared/ports/store.ts';
import type { TaskStore } from '../../shared/ports/task-store.ts';
import type { Tracer } from '../../shared/ports/tracing.ts';
import type { AdmissionLine } from '../admission.ts';
import type { ImageNotice } from '../agent/image-notice.ts';
import type { ProgressSender } from '../agent/progress-sender.ts';
import type { UsageSampler } from '../agent/usage-sampler.ts';
import type { WorkerHealth } from '../agent/worker-health.ts';
import type { Ask } from '../core/capacity-ledger.ts';
import { classifyFault } from '../core/exit-classification.ts';
import type { Step } from '../core/next-step.ts';
import type { OutputLimits } from '../core/output-choice.ts';
import type { Journal } from '../journal/journal.ts';
import type { AttemptState } from './attempt-state.ts';
import type { Committer } from './committer.ts';
import { findContainer, removeContainer, seenOf, tellEnding, watchExit } from './container.ts';
import { clearGathered, gatherOutput, stopGathering } from './gather.ts';
import { noteResult, noteStop, resultOf } from './notes.ts';
import { drainOutput, readOutput } from './output.ts';
import { Abandoned, ENGINE_PATIENCE_MS, isEngineAway, keepTrying, type Patience } from './patience.ts';
import type { AttemptWatch } from './phases.ts';
import { provideInput } from './provide.ts';
import { makeImagePresent } from './pull.ts';

export interface ExecutorParts {
  readonly stopGraceMs: number;
  readonly pidsLimit: number;
  readonly tasks: TaskStore;
  readonly committer: Committer;
  readonly runtime: ContainerRuntime;
  readonly logs: LogStore;
  /** Text of one attempt that is kept. */
  readonly logMaxBytes: number;
  readonly liveLogs: LiveLogs;
  readonly rooms: RoomEmitter;
  readonly progress: ProgressSender;
  readonly records: FileRecordStore;
  readonly files: FileStore;
  readonly outputLimits: OutputLimits;
  readonly admission: AdmissionLine;
  readonly sampler: Pick<UsageSampler, 'watch'>;
  readonly images: Pick<ImageNotice, 'used'>;
  readonly journal: Journal;
  readonly health: Pick<WorkerHealth, 'started' | 'failed'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly tracer: Tracer;
  /** Null: nobody measures. */
  readonly watch: AttemptWatch | null;
}

export type Steps = {
  readonly [K in Step['kind']]: (
    state: AttemptState,
    step: Extract<Step, { kind: K }>,
  ) => Promise<void> | void;
};

/** Tries to start a container that an engine which answers does not start: about half a minute. */
const MOST_STARTS = 10;

export function createSteps(parts: ExecutorParts): Steps {
  const { runtime, admission, committer, clock } = parts;

  const settleFault = (state: AttemptState, error: unknown) => {
    parts.health.failed(error);
    state.doing.outcome ??= classifyFault(error);
    state.bell.ring();
  };

  return {
    admit: (state) => {
      if (!state.isInLine) {
        state.isInLine = true;
        admission.enter(state.name, askOf(state), (answer) => {
          if (answer.kind === 'admitted') state.doing.admitted = true;
          else settleFault(state, tooLarge(state, answer.missing));
          state.bell.ring();
        });
        if (state.doing.admitted || state.doing.outcome) return;
      }
      return state.bell.next();
    },

    pull: (state) => makeImagePresent(state, parts, settleFault),

    provide: (state) => {
      const changed = state.bell.next();
      state.providing ??= provideInput(state, parts).then(
        () => {
          state.doing.provided = true;
          state.bell.ring();
        },
        (error) => {
          if (!state.over.signal.aborted) settleFault(state, error);
        },
      );
      return changed;
    },

    create: async (state) => {
      const { spec, ownerId, id } = taskOf(state);
      const created = await keepTrying(
        {
          ...patienceOf(state, parts),
          what: 'create the container',
          isPassing: isEngineAway,
          giveUpAfterMs: ENGINE_PATIENCE_MS,
        },
        async () => {
          try {
            return await runtime.create({
              taskId: id,
              attempt: state.key.attempt,
              workerId: state.key.workerId,
              ownerId,
              image: spec.image,
              command: spec.command,
              env: inTrace(spec.env, state.phases?.traceparent),
              resources: spec.resources,
              gpuIds: admission.gpusOf(state.name),
              network: spec.network,
              pidsLimit: parts.pidsLimit,
              hasInput: spec.files.length > 0,
              mounts: spec.mounts,
            });
          } catch (error) {
            // It may be there already: the answer to an earlier try was lost.
            const found = isAppError(error, 'conflict') ? await findContainer(state, runtime) : null;
            if (!found) throw error;
            return found;
          }
        },
      );
      parts.health.started();
      if (typeof created !== 'string') return state.find(created);
      state.doing.hadContainer = true;
      state.seen = {
        id: created,
        state: 'created',
        startedAt: null,
        finishedAt: null,
        exitCode: null,
        oomKilled: false,
      };
    },

    start: async (state) => {
      const seen = seenOf(state);
      if (!state.reading && !(await readOutput(state, parts, 'attach'))) return;
      if (state.startFaults >= MOST_STARTS) {
        throw new AppError('internal', state.startFault ?? 'the container engine does not start it');
      }
      try {
        await runtime.start(seen.id);
      } catch (error) {
        state.startFaults += 1;
        state.startFault = messageOf(error);
        throw error;
      }
      parts.health.started();
      state.doing.startedAt = clock.monotonic();
      state.seen = { ...seen, state: 'running', startedAt: clock.now() };
    },

    announce: (state) => {
      state.doing.announcing = true;
      const { key, doing } = state;
      const { id: containerId } = seenOf(state);
      const report = {
        attempt: key.attempt,
        workerId: key.workerId,
        now: clock.now(),
        containerId,
        imageId: doing.imageId,
        gpuIds: admission.gpusOf(state.name),
      };
      const write = {
        known: taskOf(state),
        decide: (task: Task) => startTask(task, report),
        isThere: (task: Task) =>
          task.state === 'running' &&
          task.attempts.some(
            ({ number, containerId: theirs }) => number === key.attempt && theirs === containerId,
          ),
        what: 'commit that the task runs',
      };
      committer
        .commit(write, patienceOf(state, parts))
        .then(({ task }) => {
          if (task) state.learn(task);
          else state.task = null;
        })
        .catch((error) => ignoreAbandoned(error, parts.log))
        .finally(() => {
          doing.announcing = false;
          state.bell.ring();
        });
    },

    adopt: async (state) => {
      await readOutput(state, parts, 'replay');
    },

    wait: async (state, step) => {
      const { seen } = state;
      if (seen?.state === 'running' && !state.isWaitingForExit) {
        state.isWaitingForExit = true;
        watchExit(state, seen.id, parts);
        parts.sampler.watch(state);
      }
      if (step.until === null) await state.bell.next();
      else await state.bell.nextWithin(step.until - clock.monotonic());
    },

    stop: async (state, { cause }) => {
      // Set before the signal goes out: whatever happens next, the program may have felt it.
      state.doing.stop = { cause, at: clock.monotonic(), killed: false };
      await noteStop(state, { cause, killed: false }, parts);
      await runtime.kill(seenOf(state).id, 'SIGTERM');
    },

    kill: async (state, { cause }) => {
      const killedAt = clock.monotonic();
      const at = state.doing.stop?.at ?? killedAt;
      if (state.doing.stop?.killed) {
        tellEnding(state, parts, 'its container was killed and does not end', null);
      }
      state.doing.stop ??= { cause, at, killed: false };
      await noteStop(state, { cause, killed: true }, parts);
      state.ending ??= { doing: 'kill', since: killedAt, why: null };
      try {
        await runtime.kill(seenOf(state).id, 'SIGKILL');
      } catch (error) {
        tellEnding(state, parts, `its container cannot be killed: ${messageOf(error)}`, messageOf(error));
        throw error;
      }
      state.doing.stop = { cause, at, killed: true, killedAt };
    },

    drain: (state) => drainOutput(state, parts),

    gather: (state) => gatherOutput(state, parts),

    settle: async (state, { outcome }) => {
      // Over already, unless the container is gone.
      await stopGathering(state);
      state.doing.outcome = outcome;
    },

    collect: async (state, { outcome }) => {
      const { key } = state;
      const report = resultOf(state, outcome, parts);
      // Whoever hears of the end has heard of all that came before it.
      parts.progress.flush(key);
      const known = taskOf(state);
      const result = await committer.commit(
        {
          known,
          decide: (current) => finishTask(current, report),
          // Only this runner ends an attempt of its own with this time and outcome.
          isThere: (current) =>
            current.attempts.some(
              (one) =>
                one.number === key.attempt &&
                one.finishedAt === endOf(one, report.now) &&
                one.state === outcome.kind,
            ),
          what: 'commit the result',
          onHeld: () => noteResult(state, report, parts),
        },
        patienceOf(state, parts),
      );
      state.task = result.task;
      state.doing.committed = result.kind === 'committed';
      if (state.doing.committed) state.phases?.committed(outcome);
      if (result.kind === 'refused' && result.refusal === 'wrong_state') {
        // Cannot be; but a result that can never be committed must not hold the machine for ever.
        state.doing.outcome = classifyFault(new AppError('internal', 'the record does not allow its result'));
      }
      const reason = outcome.kind === 'failed' ? outcome.reason : null;
      const { kind } = result;
      parts.log.info(
        { ...key, kind, outcome: outcome.kind, reason, exitCode: outcome.exitCode },
        'attempt ended',
      );
    },

    remove: async (state) => {
      const { outcome, committed } = state.doing;
      // Its container is all there is of it until its record says so.
      if (outcome && !committed) await noteResult(state, resultOf(state, outcome, parts), parts);
      await removeContainer(state, parts);
    },

    drop: async (state) => {
      parts.log.info({ ...state.key }, 'attempt is no longer wanted here; its container is removed');
      // The engine removes nothing that is being read.
      await stopGathering(state);
      await removeContainer(state, parts);
    },

    clear: (state) => clearGathered(state, parts),

    done: () => undefined,
  };
}

export function patienceOf(state: AttemptState, { log, random }: ExecutorParts): Patience {
  return { signal: state.abandon.signal, log, about: state.key, random };
}

/** A program that knows how goes on with the trace. What the task sets itself stays. */
function inTrace(env: Readonly<Record<string, string>>, traceparent: string | null | undefined) {
  return traceparent ? { TRACEPARENT: traceparent, ...env } : env;
}

function ignoreAbandoned(error: unknown, log: Log): void {
  if (!(error instanceof Abandoned)) log.error({ err: error }, messageOf(error));
}

function tooLarge(state: AttemptState, missing: readonly Shortfall[]): AppError {
  const words: Record<keyof Resources, (amount: number) => string> = {
    cpuMillis: (amount) => `${amount / 1_000} cores`,
    memoryMb: (amount) => `${amount} MB of memory`,
    gpus: (amount) => `${amount} GPUs`,
    storageMb: (amount) => `${amount} MB of disk`,
  };
  const list = missing.map(
    ({ dimension, required, available }) =>
      `${words[dimension](required)} where it has ${words[dimension](available)}`,
  );
  return new AppError('internal', `${state.key.workerId} gave it back: it asks for ${list.join(', ')}`);
}

function askOf(state: AttemptState): Ask {
  const task = taskOf(state);
  return { need: task.spec.resources, gpuIds: currentAttempt(task)?.gpuIds ?? [] };
}

function taskOf(state: AttemptState): Task {
  if (!state.task) throw new AppError('internal', 'a step needs a record that is not there');
  return state.task;
}
