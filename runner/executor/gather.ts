// Keeping what an ended container left in its output folder, for one attempt. Goes on in the background for as long as
// a store or the engine is away; nothing waits for it but the attempt's own end. Must never take a part for the whole.

import { isAppError, messageOf } from '../../shared/errors.ts';
import type { OutputSummary } from '../../shared/model/task.ts';
import { OutputCollector, type OutputOwner } from '../outputs/collector.ts';
import { DoomedFiles } from '../outputs/doomed-files.ts';
import type { AttemptState } from './attempt-state.ts';
import { Abandoned, isEngineAway, keepTrying, pause } from './patience.ts';
import { type ExecutorParts, patienceOf } from './steps.ts';

/** Readings that an engine which is there cuts off, after which what came has to do. */
const MOST_CUT_READINGS = 5;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** A reading begins with the first byte again, so a long one is not repeated at once; but never later than this. */
const LONGEST_REST_MS = 60_000;
/** For what costs nobody more than space. */
const CLEAR_FOR_MS = 60_000;
const KEEP_NOTHING: ReadonlySet<string> = new Set();

/** Gathering that was begun for an attempt. */
export interface Gathering {
  readonly stop: AbortController;
  /** Never rejects. */
  readonly end: Promise<void>;
  isOver: boolean;
  /** Since when a store takes no files, monotonic; null while it does. */
  failingSince: number | null;
}

interface Gathered {
  readonly outputs: OutputSummary | null;
  readonly fault: string | null;
}

/** Waits until all is kept, or something else happens. */
export function gatherOutput(state: AttemptState, parts: ExecutorParts): Promise<void> {
  const changed = state.bell.next();
  state.gathering ??= begin(state, parts);
  return changed;
}

/** Nothing more is kept. */
export async function stopGathering({ gathering }: AttemptState): Promise<void> {
  if (!gathering || gathering.isOver) return;
  gathering.stop.abort('nothing more is kept');
  await gathering.end;
}

/** Removes what was kept of an attempt that is nobody's any more. */
export async function clearGathered(state: AttemptState, parts: ExecutorParts): Promise<void> {
  const { task, doing } = state;
  if (!task) return;
  const doomed = new DoomedFiles(parts.records, parts.files);
  const owner = ownerOf(state, task.ownerId);
  await keepTrying({ ...patienceOf(state, parts), what: 'remove the files of a lost attempt' }, async () => {
    await doomed.dropRecords(owner, KEEP_NOTHING);
    await doomed.dropBytes();
  });
  doing.mayHaveFiles = false;
}

function begin(state: AttemptState, parts: ExecutorParts): Gathering {
  const { doing } = state;
  doing.mayHaveFiles = true;
  const stop = new AbortController();
  const { signal } = stop;
  const { signal: over } = state.over;
  const stopToo = () => stop.abort(over.reason);
  if (over.aborted) stopToo();
  else over.addEventListener('abort', stopToo, { once: true });
  const end = gather(state, parts, signal)
    .then(
      ({ outputs, fault }) => {
        state.outputs = outputs;
        doing.filesFault = fault;
        doing.gathered = true;
      },
      (error) => {
        if (signal.aborted) return;
        // A fault of ours must not hold the attempt for ever.
        parts.log.error({ err: error, ...state.key }, 'gathering the output failed by a fault of the runner');
        doing.filesFault = messageOf(error);
        doing.gathered = true;
      },
    )
    .finally(() => {
      gathering.isOver = true;
      over.removeEventListener('abort', stopToo);
      state.bell.ring();
    });
  const gathering: Gathering = { stop, end, isOver: false, failingSince: null };
  return gathering;
}

async function gather(state: AttemptState, parts: ExecutorParts, signal: AbortSignal): Promise<Gathered> {
  const { task, seen, key, doing } = state;
  if (!task || !seen) throw new Abandoned();
  const { records, files, outputLimits: limits, clock, runtime, log } = parts;
  const owner = ownerOf(state, task.ownerId);
  const collector = new OutputCollector(owner, { records, files, limits, clock });
  const patience = { ...patienceOf(state, parts), signal };
  const record = () =>
    keepTrying({ ...patience, what: 'keep the records of files' }, () => collector.record());
  /** What was there in the same places; and what an earlier life kept and this one, which saw all, did not. */
  const clear = async (isWhole: boolean) => {
    const doomed = new DoomedFiles(records, files);
    doomed.add(collector.takeReplaced());
    try {
      await keepTrying(
        { ...patience, what: 'remove files that were replaced', giveUpAfterMs: CLEAR_FOR_MS },
        async () => {
          if (isWhole && doing.adopted) await doomed.dropRecords(owner, collector.ids);
          await doomed.dropBytes();
        },
      );
    } catch (error) {
      if (error instanceof Abandoned) throw error;
      log.warn({ err: error, files: doomed.count }, 'bytes of files that were replaced are left');
    }
  };
  const tell = () => {
    const message = `keeping file ${collector.sum.files}`;
    parts.progress.report(key, { phase: 'collecting', percent: null, message, layers: null, bytes: null });
  };

  let cutReadings = 0;
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    const beganAt = clock.monotonic();
    try {
      const leftOut = await collector.collect(runtime.readOutput(seen.id, signal), signal, tell);
      await record();
      await clear(true);
      return { outputs: summaryOf(collector, leftOut.note), fault: leftOut.overLimit };
    } catch (error) {
      if (signal.aborted) throw new Abandoned();
      if (await isCutReading(error, () => runtime.inspect(seen.id))) cutReadings += 1;
      const isHopeless = isAppError(error) && !error.retryable;
      if (isHopeless || cutReadings >= MOST_CUT_READINGS) {
        log.warn({ err: error, ...key }, 'not all of the output folder could be kept');
        await record();
        await clear(false);
        const why = messageOf(error);
        return { outputs: summaryOf(collector, `not all could be kept: ${why}`), fault: why };
      }
      if (state.gathering && isAppError(error, 'store_unavailable')) state.gathering.failingSince ??= beganAt;
      log.warn({ err: error, ...key }, 'the output folder could not be kept now; trying on');
    }
    const tookMs = clock.monotonic() - beganAt;
    // No reading stands open meanwhile: the engine holds its container for as long as it does.
    await record();
    await pause(Math.max(pauseMs, Math.min(tookMs, LONGEST_REST_MS)), signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** Whether the engine is there and gave less than all. What is away comes back, however long it takes. */
async function isCutReading(error: unknown, look: () => Promise<unknown>): Promise<boolean> {
  if (isAppError(error, 'store_unavailable')) return false;
  return look().then(
    () => true,
    (away) => !isEngineAway(away),
  );
}

function summaryOf({ sum }: OutputCollector, note: string | null): OutputSummary | null {
  return sum.files === 0 && note === null ? null : { ...sum, note };
}

function ownerOf({ key }: AttemptState, ownerId: string): OutputOwner {
  return { ownerId, taskId: key.taskId, attempt: key.attempt };
}
