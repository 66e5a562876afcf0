// The life of one attempt on this machine: look, infer the next step, do it, look again, until there is nothing left
// to do. Must never end before the container is gone, unless the runner stops and leaves it to its next life.

import { isAppError } from '../../shared/errors.ts';
import { currentAttempt } from '../../shared/model/task.ts';
import { classifyFault } from '../core/exit-classification.ts';
import { isWanted, nextStep, type Step } from '../core/next-step.ts';
import { trueStart } from '../core/true-start.ts';
import { createSecretMask } from '../logs/secret-mask.ts';
import type { AttemptState } from './attempt-state.ts';
import { findContainer } from './container.ts';
import { countFailedReading, stopReading } from './output.ts';
import { Abandoned, isEngineAway, keepTrying, pause } from './patience.ts';
import { Phases } from './phases.ts';
import { dropInput } from './provide.ts';
import { type ExecutorParts, patienceOf, type Steps } from './steps.ts';

/** Before a step that met a fault is tried again. */
const AFTER_FAULT_MS = 500;
const AFTER_FAULTS_MS = 5_000;
/** An image that goes again as soon as it is there is not made present for ever. */
const MOST_LOST_IMAGES = 3;

export async function runAttempt(
  state: AttemptState,
  steps: Steps,
  parts: ExecutorParts,
): Promise<'over' | 'abandoned'> {
  const { clock, stopGraceMs, log } = parts;
  const phases = new Phases(state.key, parts);
  state.phases = phases;
  let how: 'over' | 'abandoned' = 'abandoned';
  try {
    for (;;) {
      if (state.abandon.signal.aborted) return how;
      if (state.unsure) await look(state, parts);
      takeOver(state, parts);
      const step = nextStep(state.situation(clock.monotonic(), stopGraceMs));
      phases.at(step, state.task);
      if (step.kind === 'done') break;
      log.debug({ ...state.key, step: step.kind }, 'step');
      try {
        await perform(steps, state, step);
        state.faultsInRow = 0;
      } catch (error) {
        await meetFault(state, step, error, parts);
      }
    }
    how = 'over';
  } catch (error) {
    if (error instanceof Abandoned) return how;
    throw error;
  } finally {
    phases.end(how);
  }
  // With a reason of its own, for the default makes an exception with a stack each time.
  state.over.abort('over');
  stopReading(state);
  dropInput(state, parts);
  parts.admission.leave(state.name);
  void parts.journal.drop(state.key);
  return how;
}

function perform(steps: Steps, state: AttemptState, step: Step): Promise<void> | void {
  // `Steps` has an executor for each kind, or it would not compile; the compiler cannot see that kinds match here.
  const executor = steps[step.kind] as (state: AttemptState, step: Step) => Promise<void> | void;
  return executor(state, step);
}

/** Reads the record and inspects the container. */
async function look(state: AttemptState, parts: ExecutorParts): Promise<void> {
  const { tasks, runtime, log } = parts;
  const { taskId } = state.key;
  const patience = patienceOf(state, parts);
  state.unsure = false;
  if (state.task) {
    // The store being away must not keep a container from being stopped: what is known has to do until it is back.
    const newer = await tasks.get(taskId).catch((error) => {
      log.debug({ err: error, taskId }, 'the record could not be read again');
      return state.task;
    });
    if (newer === null) state.task = null;
    else if (newer.revision > (state.task?.revision ?? 0)) state.task = newer;
  } else {
    state.task = await keepTrying({ ...patience, what: 'read the task' }, () => tasks.get(taskId));
  }
  if (state.task) state.mask ??= createSecretMask(state.task.spec);
  const { seen } = state;
  if (seen) {
    state.seen = await keepTrying({ ...patience, what: 'inspect the container' }, () =>
      runtime.inspect(seen.id),
    );
  } else if (state.task?.state === 'running' && !state.doing.hadContainer) {
    const found = await keepTrying({ ...patience, what: 'find the container' }, () =>
      findContainer(state, runtime),
    );
    if (found) state.find(found);
  }
}

/** What a container that is there already holds of the machine, and since when it runs. */
function takeOver(state: AttemptState, { admission, clock }: ExecutorParts): void {
  const { task, seen, doing } = state;
  if (!seen) return;
  if (doing.startedAt === null && seen.startedAt !== null) {
    const now = clock.now();
    const placed = task && isWanted(task, state.key) ? currentAttempt(task) : null;
    // From here on by a clock that is never set.
    doing.startedAt = clock.monotonic() - (now - trueStart(seen.startedAt, placed, now));
  }
  if (task && !doing.admitted) {
    admission.hold(state.name, task.spec.resources, state.foundGpuIds);
    doing.admitted = true;
  }
}

async function meetFault(
  state: AttemptState,
  step: Step,
  error: unknown,
  parts: ExecutorParts,
): Promise<void> {
  if (error instanceof Abandoned) throw error;
  const { log } = parts;
  if (step.kind === 'create' && isAppError(error, 'image_not_found') && mayPullAgain(state)) {
    log.info({ ...state.key }, 'the image was removed before the container was made');
    state.lostImages += 1;
    state.doing.imageId = null;
    state.isPulling = false;
    return;
  }
  if (step.kind === 'create' || (step.kind === 'start' && !isEngineAway(error))) {
    log.info({ err: error, ...state.key, step: step.kind }, 'the container does not start');
    state.doing.outcome = classifyFault(error);
    parts.health.failed(error);
    return;
  }
  state.faultsInRow += 1;
  const level = state.faultsInRow === 1 ? 'warn' : 'debug';
  log[level]({ err: error, ...state.key, step: step.kind }, 'a step met a fault; looking again');
  if (step.kind === 'adopt' && !isEngineAway(error)) countFailedReading(state, error);
  state.unsure = true;
  const pauseMs = Math.min(AFTER_FAULT_MS * 2 ** (state.faultsInRow - 1), AFTER_FAULTS_MS);
  await pause(pauseMs, state.abandon.signal);
}

function mayPullAgain({ task, lostImages }: AttemptState): boolean {
  return task !== null && task.spec.pullPolicy !== 'never' && lostImages < MOST_LOST_IMAGES;
}
