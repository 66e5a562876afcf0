// Tells the board what the leader does, for whoever shows or foretells it. Beside the turns: no pass waits for it.

import { messageOf } from '../shared/errors.ts';
import type { Reservation, SchedulerReport } from '../shared/model/scheduling.ts';
import { withDeadline } from '../shared/platform/deadline.ts';
import { NO_MEMORY, type PlanMemory } from './core/snapshot.ts';
import type { LoopParts, Mandate } from './parts.ts';
import { Recurring } from './recurring.ts';

const LOOK_EVERY_MS = 1_000;
const DEADLINE_MS = 3_000;
/** A new leader does not wait longer for what the one before has told. */
const READ_MS = 500;
/** A report that has not changed is posted again after this. */
const RENEW_MS = 3_000;
/** Longer than a renewal may be late; shorter than it takes people to wonder. */
const REPORT_KEPT_MS = 10_000;

export interface ReportingParts extends Pick<LoopParts, 'board' | 'clock' | 'log'> {
  readonly mandate: Mandate;
  readonly tell: () => Omit<SchedulerReport, 'at'>;
}

export class Reporting {
  readonly #parts: ReportingParts;
  readonly #posting: Recurring;
  #posted: { readonly text: string; readonly at: number } | null = null;

  constructor(parts: ReportingParts) {
    this.#parts = parts;
    this.#posting = new Recurring({
      work: () => this.#post(),
      everyMs: LOOK_EVERY_MS,
      deadlineMs: DEADLINE_MS,
      fault: 'what the scheduler does is not shown now',
      log: parts.log,
    });
  }

  start(): void {
    this.#posting.start();
  }

  stop(): Promise<void> {
    return this.#posting.stop();
  }

  async #post(): Promise<void> {
    const { board, clock, mandate, tell } = this.#parts;
    // The next leader may be telling by now.
    if (!mandate.stands()) return;
    const body = tell();
    const text = JSON.stringify(body);
    const at = clock.monotonic();
    if (this.#posted?.text === text && at - this.#posted.at < RENEW_MS) return;
    await board.post({ at: clock.now(), ...body }, REPORT_KEPT_MS);
    this.#posted = { text, at };
  }
}

interface LastReport {
  readonly memory: PlanMemory;
  readonly served: SchedulerReport['served'];
  /** What it had counted, and when. */
  readonly counted: Pick<SchedulerReport, 'counts' | 'at'> | null;
}

const NOTHING_TOLD: LastReport = { memory: NO_MEMORY, served: [], counted: null };

/**
 * What the leader before kept between passes, so that the rotation goes on, workers stay kept free, and no line that was
 * served a moment ago counts as passed over when another takes over. Nothing depends on it: without a report a pass begins anew.
 */
export async function readLastReport({ board, log }: Pick<LoopParts, 'board' | 'log'>): Promise<LastReport> {
  try {
    const report = await withDeadline(board.read(), READ_MS, () => new Error('no answer in time'));
    if (!report) return NOTHING_TOLD;
    // A leader of another release may have told something else.
    const { recent, reservations, served, counts, at }: Partial<SchedulerReport> = report;
    return {
      memory: {
        recent: Array.isArray(recent) ? recent.filter((id) => typeof id === 'string') : [],
        reservations: Array.isArray(reservations) ? reservations.filter(isWhole) : [],
      },
      served: Array.isArray(served) ? served.filter(isServed) : [],
      counted: counts && typeof at === 'number' ? { counts, at } : null,
    };
  } catch (error) {
    log.debug({ fault: messageOf(error) }, 'begins without what the leader before told');
    return NOTHING_TOLD;
  }
}

function isServed(one: unknown): boolean {
  return Array.isArray(one) && typeof one[0] === 'string' && typeof one[1] === 'number';
}

function isWhole({ workerId, groupKey, taskId, since, until, tried }: Partial<Reservation>): boolean {
  const ids = [workerId, groupKey, taskId];
  const times = [since, until];
  return (
    ids.every((id) => typeof id === 'string') &&
    times.every((time) => typeof time === 'number') &&
    Array.isArray(tried)
  );
}
