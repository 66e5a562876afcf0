// The container of an attempt as its steps and its loop deal with it: found, waited for, removed.

import { AppError, messageOf } from '../../shared/errors.ts';
import type { ContainerRuntime, ContainerStatus } from '../../shared/ports/container-runtime.ts';
import type { AttemptState } from './attempt-state.ts';
import { cutReading, stopReading } from './output.ts';
import { keepTrying, pause } from './patience.ts';
import { type ExecutorParts, patienceOf } from './steps.ts';

/** Before the next look at an engine that cut a call off. */
const AFTER_CUT_MS = 250;

export async function removeContainer(state: AttemptState, parts: ExecutorParts): Promise<void> {
  const { id } = seenOf(state);
  state.ending = { doing: 'remove', since: parts.clock.monotonic(), why: null };
  const isPassing = (error: unknown) => {
    tellEnding(state, parts, `its container cannot be removed: ${messageOf(error)}`, messageOf(error));
    return true;
  };
  await keepTrying({ ...patienceOf(state, parts), what: 'remove the container', isPassing }, () =>
    parts.runtime.remove(id),
  );
  state.ending = null;
  stopReading(state);
  state.seen = null;
}

/** Lets those who watch the task see why its end takes long. */
export function tellEnding(
  state: AttemptState,
  parts: ExecutorParts,
  message: string,
  why: string | null,
): void {
  if (state.ending) state.ending.why = why;
  const news = { percent: null, message: `${message}; trying on`, layers: null, bytes: null };
  parts.progress.report(state.key, { phase: 'collecting', ...news });
}

export function watchExit(state: AttemptState, containerId: string, parts: ExecutorParts): void {
  parts.runtime
    .wait(containerId, state.abandon.signal)
    .then(
      (status) => {
        if (state.seen) state.seen = status;
      },
      async (error) => {
        if (state.abandon.signal.aborted) return;
        parts.log.debug({ err: error, ...state.key }, 'waiting for the end was cut off');
        await pause(AFTER_CUT_MS, state.abandon.signal);
        // What cut this off has cut off the output too, even if that looks like its end.
        // Not waited for: what was read may be held back by a log store that is away, and the end is not to be missed.
        if (state.reading) void cutReading(state, state.reading);
        state.unsure = true;
      },
    )
    .finally(() => {
      state.isWaitingForExit = false;
      state.bell.ring();
    });
}

export async function findContainer(
  state: AttemptState,
  runtime: ContainerRuntime,
): Promise<ContainerStatus | null> {
  const { taskId, attempt, workerId } = state.key;
  const all = await runtime.list(workerId);
  return all.find((one) => one.taskId === taskId && one.attempt === attempt) ?? null;
}

export function seenOf(state: AttemptState): NonNullable<AttemptState['seen']> {
  if (!state.seen) throw new AppError('internal', 'a step needs a container that is not there');
  return state.seen;
}
