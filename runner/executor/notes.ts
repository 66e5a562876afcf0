// What an attempt keeps in the journal, and takes up from it: what its container was signalled for, and how it ended, when
// that cannot be committed at once or its container is to go before. An attempt that is not stopped and whose result is
// committed at the first try writes nothing.

import type { AttemptOutcome, FinishReport } from '../../shared/model/task-life.ts';
import { roundedSeries } from '../../shared/model/usage-series.ts';
import type { StopCause } from '../core/exit-classification.ts';
import { attemptUsage } from '../core/usage-fold.ts';
import type { Journal } from '../journal/journal.ts';
import { createSecretMask } from '../logs/secret-mask.ts';
import type { AttemptState } from './attempt-state.ts';
import { within } from './patience.ts';
import type { ExecutorParts } from './steps.ts';

/** A signal waits no longer than this for a disk, and a result no longer than that. */
const NOTE_STOP_MS = 500;
const NOTE_RESULT_MS = 2_000;

/** Before the signal goes out. */
export async function noteStop(
  { key }: AttemptState,
  { cause, killed }: { cause: StopCause; killed: boolean },
  { journal, log }: ExecutorParts,
): Promise<void> {
  await within(NOTE_STOP_MS, 'noting the stop', journal.note(key, { stop: { cause, killed } })).catch(
    (error) => log.warn({ err: error, ...key }, 'a signal goes out before its cause is noted'),
  );
}

/** How the attempt ended, as it is committed: the same however often that is tried. */
export function resultOf(state: AttemptState, outcome: AttemptOutcome, parts: ExecutorParts): FinishReport {
  if (state.result?.of === outcome) return state.result.report;
  const { key } = state;
  if (state.task) state.mask ??= createSecretMask(state.task.spec);
  const mask = state.mask?.apply ?? ((text: string) => text);
  const report: FinishReport = {
    attempt: key.attempt,
    workerId: key.workerId,
    now: parts.clock.now(),
    dice: parts.random(),
    outcome: (outcome.message === null
      ? outcome
      : { ...outcome, message: mask(outcome.message) }) as AttemptOutcome,
    progress: state.ownProgress,
    usage: state.usage && attemptUsage(state.usage),
    usageSeries: state.series && roundedSeries(state.series),
    outputs: state.outputs,
  };
  state.result = { of: outcome, report };
  return report;
}

export async function noteResult(
  { key }: AttemptState,
  result: FinishReport,
  { journal, log }: ExecutorParts,
): Promise<void> {
  await within(NOTE_RESULT_MS, 'noting the result', journal.note(key, { result })).catch((error) =>
    log.warn({ err: error, ...key }, 'the result is not on disk yet'),
  );
}

/** Takes up what an earlier life knew. */
export function takeUpNotes(state: AttemptState, journal: Journal): void {
  const entry = journal.of(state.key);
  if (!entry) return;
  const { stop, result } = entry;
  state.doing.felt = stop;
  // Files are kept before the result is, so there may be some, with no container left to tell.
  state.doing.mayHaveFiles = true;
  if (!result || result.workerId !== state.key.workerId) return;
  state.doing.outcome = result.outcome;
  state.result = { of: result.outcome, report: result };
}
