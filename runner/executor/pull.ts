// Making the image of one attempt present, in the background: a registry that fails in a way that may pass is tried again,
// an engine that is away is waited for, both within bounds. Those who watch the task see how it goes.

import { AppError, isAppError } from '../../shared/errors.ts';
import type { PullProgress } from '../../shared/ports/container-runtime.ts';
import type { AttemptState } from './attempt-state.ts';
import { locateOutput } from './output.ts';
import { ENGINE_PATIENCE_MS, keepTrying } from './patience.ts';
import { type ExecutorParts, patienceOf } from './steps.ts';

/** Tries to pull from a registry that fails in a way that may pass: about a quarter of a minute. */
const MOST_PULLS = 8;

/** Resolves at the next change. `settleFault` is called with what it fails with for good. */
export function makeImagePresent(
  state: AttemptState,
  parts: ExecutorParts,
  settleFault: (state: AttemptState, error: unknown) => void,
): Promise<void> {
  if (!state.isPulling) {
    state.isPulling = true;
    // Where the kept output ends is needed next.
    locateOutput(state, parts);
    begin(state, parts, settleFault);
  }
  return state.bell.next();
}

function begin(
  state: AttemptState,
  parts: ExecutorParts,
  settleFault: (state: AttemptState, error: unknown) => void,
): void {
  const { runtime, clock, images } = parts;
  if (!state.task) throw new AppError('internal', 'an image needs a record that is not there');
  const { image, pullPolicy } = state.task.spec;
  const { signal } = state.over;
  let pulls = 0;
  let awaySince: number | null = null;
  const isPassing = (error: unknown) => {
    if (!isAppError(error) || !error.retryable) return false;
    // A pull may take long before it fails; that is no time without an engine.
    if (error.code === 'image_pull_failed') {
      awaySince = null;
      pulls += 1;
      tellFault(state, error.message, parts);
      return pulls < MOST_PULLS;
    }
    awaySince ??= clock.monotonic();
    return clock.monotonic() - awaySince < ENGINE_PATIENCE_MS;
  };
  keepTrying({ ...patienceOf(state, parts), signal, what: 'make the image present', isPassing }, () =>
    runtime.ensureImage(image, pullPolicy, { signal, onProgress: tell(state, parts) }),
  ).then(
    (imageId) => {
      state.doing.imageId = imageId;
      state.bell.ring();
      images.used(image);
    },
    (error) => {
      if (!signal.aborted) settleFault(state, error);
    },
  );
}

function tell({ key, task }: AttemptState, { progress }: ExecutorParts) {
  const message = `pulling ${task?.spec.image ?? 'the image'}`;
  return ({ layersDone, layersTotal, bytesDone, bytesTotal }: PullProgress) =>
    progress.report(key, {
      phase: 'pulling',
      percent: bytesTotal > 0 ? Math.floor((100 * bytesDone) / bytesTotal) : null,
      message,
      layers: { done: layersDone, total: layersTotal },
      bytes: { done: bytesDone, total: bytesTotal },
    });
}

function tellFault({ key }: AttemptState, message: string, { progress }: ExecutorParts): void {
  const news = { percent: null, message: `${message}; trying again`, layers: null, bytes: null };
  progress.report(key, { phase: 'pulling', ...news });
}
