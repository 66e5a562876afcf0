// The ports of shared/ports/live.ts as collectors: for tests of whoever sends, which look at what was sent.

import type { TaskPartialEvent, TaskProgressBody } from '../../shared/contracts/live.ts';
import type { TaskProgress } from '../../shared/model/progress.ts';
import type { UsageSeries } from '../../shared/model/usage-series.ts';
import type { LiveLogs, LogBatch, ProgressBoard, RoomEmitter, UsageBoard } from '../../shared/ports/live.ts';

export type LiveCollector = ReturnType<typeof collectLive>;

export function collectLive() {
  const batches: { taskId: string; attempt: number; batch: LogBatch }[] = [];
  const emitted: { room: string; event: string; body: unknown }[] = [];
  const kept: TaskProgress[] = [];
  /** What each `publish` waits for. */
  let gate: Promise<void> = Promise.resolve();

  const liveLogs: LiveLogs = {
    publish: async (taskId, attempt, batch) => {
      batches.push({ taskId, attempt, batch });
      await gate;
    },
    tail: () => Promise.reject(new Error('nobody reads here')),
  };
  const rooms: RoomEmitter = {
    emit: (room, event, body) => {
      emitted.push({ room, event, body });
    },
  };
  const progress: ProgressBoard = {
    set: async (one) => {
      kept.push(one);
    },
    get: async (taskIds) => kept.filter(({ taskId }) => taskIds.includes(taskId)),
  };

  const series = new Map<string, UsageSeries>();
  const usage: UsageBoard = {
    set: async (taskId, attempt, one) => void series.set(`${taskId}-${attempt}`, one),
    get: async (taskId, attempt) => series.get(`${taskId}-${attempt}`) ?? null,
  };

  const bodiesOf = <T>(event: string, taskId: string): T[] =>
    emitted
      .filter((one) => one.event === event && one.room === `task:${taskId}`)
      .map(({ body }) => body as T);

  return {
    /** To be handed to a runner. */
    parts: { liveLogs, rooms, progress, usage },
    batches,
    emitted,
    kept,
    /** Lets each publishing from now on wait until the returned function is called. */
    holdPublishing(): () => void {
      let release = () => {};
      gate = new Promise<void>((done) => {
        release = done;
      });
      return release;
    },
    batchesOf: (taskId: string): LogBatch[] =>
      batches.filter((one) => one.taskId === taskId).map(({ batch }) => batch),
    partialsOf: (taskId: string): TaskPartialEvent[] => bodiesOf('task:partial', taskId),
    progressOf: (taskId: string): TaskProgressBody[] => bodiesOf('task:progress', taskId),
  };
}
