// Reading a container's output for one attempt: from before its start, or again from the first byte, skipping what is
// kept. Nothing here makes a cancel or the time limit wait. Must never take output that was cut off for the whole.

import { messageOf } from '../../shared/errors.ts';
import type { OwnProgress } from '../../shared/model/progress.ts';
import { LogCapture } from '../logs/log-capture.ts';
import { findKept } from '../logs/log-limit.ts';
import { createSecretMask } from '../logs/secret-mask.ts';
import type { AttemptState, Reading } from './attempt-state.ts';
import { keepTrying } from './patience.ts';
import { type ExecutorParts, patienceOf } from './steps.ts';

/** An ended container whose output neither comes nor ends for so long is read again from the start. */
const SILENCE_MS = 10_000;
const LOOK_EVERY_MS = 1_000;
/** Readings of an ended container after which what came has to do. */
const MOST_CUT_READINGS = 3;

/** Asks where the kept output ends, in good time before it is needed. */
export function locateOutput(state: AttemptState, parts: ExecutorParts): void {
  if (state.kept || state.isLocating) return;
  state.isLocating = true;
  keepTrying({ ...patienceOf(state, parts), what: 'find the end of the kept output' }, () =>
    findKept(parts.logs, state.key),
  )
    .then(
      (kept) => {
        state.kept = kept;
      },
      () => undefined, // Abandoned.
    )
    .finally(() => {
      state.isLocating = false;
      state.bell.ring();
    });
}

/** Begins to read. False when it could not yet, for the log store has not answered; the bell rings when it has. */
export async function readOutput(
  state: AttemptState,
  parts: ExecutorParts,
  how: 'attach' | 'replay',
): Promise<boolean> {
  const { task, seen, kept } = state;
  if (!task || !seen) return false;
  if (!kept) {
    const answered = state.bell.next();
    locateOutput(state, parts);
    await answered;
    return false;
  }
  state.mask ??= createSecretMask(task.spec);
  const capture = new LogCapture({
    taskId: task.id,
    attempt: state.key.attempt,
    logs: parts.logs,
    liveLogs: parts.liveLogs,
    rooms: parts.rooms,
    mask: state.mask,
    kept,
    fromFirstByte: how === 'replay',
    maxBytes: parts.logMaxBytes,
    onProgress: (progress, { isOld }) => {
      state.ownProgress = progress;
      if (!isOld) reportOwn(state, progress, parts);
    },
    clock: parts.clock,
    log: parts.log,
  });
  const handle = await parts.runtime[how](seen.id, capture.sink);
  const reading: Reading = { capture, handle, end: null, isFinishing: false, isCutting: false };
  state.reading = reading;
  state.doing.capturing = true;
  handle.done.then(
    () => {
      reading.end = 'whole';
      state.bell.ring();
    },
    (error) => {
      reading.end = 'cut';
      parts.log.debug({ err: error, taskId: task.id }, 'reading output was cut off');
      void cutReading(state, reading);
    },
  );
  return true;
}

function reportOwn(state: AttemptState, { percent, message }: OwnProgress, parts: ExecutorParts): void {
  parts.progress.report(state.key, { phase: 'running', percent, message, layers: null, bytes: null });
}

/** Waits until all output of an ended container is kept. Returns now and then so that the loop can look around. */
export async function drainOutput(state: AttemptState, parts: ExecutorParts): Promise<void> {
  const { reading } = state;
  if (!reading) return;
  const { capture } = reading;
  const changed = state.bell.nextWithin(LOOK_EVERY_MS);
  if (reading.end === 'whole' && !reading.isFinishing && !reading.isCutting) {
    reading.isFinishing = true;
    void capture.finish().then(() => {
      if (state.reading !== reading) return;
      parts.progress.flush(state.key);
      state.doing.drained = true;
      state.doing.outputFault = capture.fault;
      state.bell.ring();
    });
  }
  const { chunks } = capture;
  await changed;
  if (reading.end !== null || capture.chunks !== chunks || capture.isHolding) {
    state.silentSince = null;
    return;
  }
  const now = parts.clock.monotonic();
  state.silentSince ??= now;
  if (now - state.silentSince < SILENCE_MS) return;
  state.silentSince = null;
  await cutReading(state, reading);
}

/** What was being read is not the whole: keeps it, and lets the loop read again. */
export async function cutReading(state: AttemptState, reading: Reading): Promise<void> {
  if (state.reading !== reading || reading.isFinishing || reading.isCutting) return;
  reading.isCutting = true;
  reading.handle.close();
  await reading.capture.pause();
  if (state.reading !== reading) return;
  state.reading = null;
  state.kept = null;
  state.doing.capturing = false;
  if (state.seen?.state === 'exited') {
    state.cutReadings += 1;
    if (state.cutReadings >= MOST_CUT_READINGS)
      giveUpOutput(state, 'the container engine did not give it all');
  }
  state.bell.ring();
}

/** After a reading could not even begin. */
export function countFailedReading(state: AttemptState, error: unknown): void {
  state.cutReadings += 1;
  if (state.cutReadings >= MOST_CUT_READINGS) giveUpOutput(state, messageOf(error));
}

/** Nothing more is to be kept. */
export function stopReading(state: AttemptState): void {
  const { reading } = state;
  state.reading = null;
  state.doing.capturing = false;
  reading?.handle.close();
  reading?.capture.close();
}

function giveUpOutput(state: AttemptState, why: string): void {
  state.doing.drained = true;
  state.doing.outputFault = why;
}
