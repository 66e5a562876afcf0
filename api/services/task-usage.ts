// What an attempt used over time: of one that has ended as its record says, of one that runs as its runner noted it.

import { AppError } from '../../shared/errors.ts';
import type { Attempt, Task } from '../../shared/model/task.ts';
import type { UsageSeries } from '../../shared/model/usage-series.ts';
import type { Principal } from '../../shared/model/user.ts';
import type { UsageBoard } from '../../shared/ports/live.ts';
import { answerWithin } from './deadline.ts';
import type { TaskRecords } from './task-records.ts';

const BOARD_DEADLINE_MS = 3_000;

export interface AttemptSeries {
  readonly attempt: number;
  /** Null when nothing was measured (yet). */
  readonly series: UsageSeries | null;
}

export class TaskUsage {
  readonly #records: Pick<TaskRecords, 'get'>;
  readonly #board: Pick<UsageBoard, 'get'>;

  constructor({ records, board }: { records: Pick<TaskRecords, 'get'>; board: Pick<UsageBoard, 'get'> }) {
    this.#records = records;
    this.#board = board;
  }

  /**
   * Without a number: of the newest attempt that has started.
   * @throws AppError `not_found`; `queue_unavailable` or `timed_out` for an attempt that runs
   */
  async get(by: Principal, id: string, number: number | undefined): Promise<AttemptSeries> {
    const task = await this.#records.get(by, id);
    const attempt = number === undefined ? newestStarted(task) : attemptOf(task, number);
    if (!attempt) return { attempt: number ?? task.attempt, series: null };
    if (attempt.usageSeries || attempt.startedAt === null) {
      return { attempt: attempt.number, series: attempt.usageSeries };
    }
    // Of an attempt that was lost with its worker, the board has what came before, for a while.
    if (attempt.finishedAt !== null && attempt.state !== 'lost')
      return { attempt: attempt.number, series: null };
    const series = await answerWithin(this.#board.get(id, attempt.number), BOARD_DEADLINE_MS, 'Redis');
    return { attempt: attempt.number, series };
  }
}

function newestStarted({ attempts }: Task): Attempt | undefined {
  return attempts.findLast(({ startedAt }) => startedAt !== null);
}

/** Undefined for the one that is to come. */
function attemptOf(task: Task, number: number): Attempt | undefined {
  if (number > task.attempt) {
    throw new AppError('not_found', `there is no attempt ${number}: the task is at ${task.attempt}`);
  }
  return task.attempts.find((attempt) => attempt.number === number);
}
