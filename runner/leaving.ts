// How a runner ends that is not to leave its work behind: it takes nothing more, gives back what has not started, lets
// what runs go on to its end or hands it over, and says when nothing is left. What it cannot give back in time it leaves
// to its next life, as a runner does that is stopped at once. Must never end an attempt by itself: it writes the wish for
// an eviction into the record, over the revision it was read with, and the attempt's own steps do the rest.
//
//   finish ──── deadline, or hurried ────► hand-over ──── deadline, or hurried ────► leave
//      └──────────── nothing left ─────────────┴──────────────► the lease is given back

import type { Allocation } from '../shared/model/held.ts';
import { currentAttempt, type Task } from '../shared/model/task.ts';
import { evictTask } from '../shared/model/task-life.ts';
import type { Log } from '../shared/platform/log.ts';
import type { ShutdownConfig, ShutdownMode } from '../shared/platform/shutdown.ts';
import type { Clock } from '../shared/ports/clock.ts';
import type { TaskStore } from '../shared/ports/task-store.ts';
import type { Committer } from './executor/committer.ts';
import { Abandoned, pause } from './executor/patience.ts';
import type { AttemptRegistry } from './executor/registry.ts';

/** Looks at what is left, and at what was placed by somebody who has not heard yet. */
const LOOK_EVERY_MS = 500;
const PAGE = 500;

export interface LeavingParts {
  readonly shutdown: ShutdownConfig;
  readonly workerId: string;
  readonly tasks: Pick<TaskStore, 'allocations' | 'getMany'>;
  readonly committer: Pick<Committer, 'commit'>;
  readonly registry: Pick<AttemptRegistry, 'taskIds' | 'withContainer' | 'learn'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

export class Leaving {
  readonly #parts: LeavingParts;
  #mode: ShutdownMode;
  /** Aborted when the mode that is under way is over. */
  #over = new AbortController();

  constructor(parts: LeavingParts) {
    this.#parts = parts;
    this.#mode = parts.shutdown.mode;
  }

  /** One mode further: from finishing to handing over, from that to leaving; or to leaving `at_once`. */
  hurry(how: 'on' | 'at_once'): void {
    this.#mode = how === 'on' && this.#mode === 'finish' ? 'hand-over' : 'leave';
    this.#over.abort();
  }

  /** True when nothing is left here and the cluster waits for nothing of this worker. Never rejects. */
  async run(): Promise<boolean> {
    const { shutdown, registry, log } = this.#parts;
    let limitMs = shutdown.deadlineMs;
    while (this.#mode !== 'leave') {
      const mode = this.#mode;
      log.info({ mode, limitMs, running: registry.withContainer().length }, 'takes no more work');
      if (await this.#empty(mode, limitMs)) return true;
      limitMs = shutdown.handOverMs;
      if (this.#mode !== mode) continue;
      const left = registry.taskIds();
      if (mode === 'finish') log.warn({ left }, 'not all ended in time; what runs is handed over');
      else log.warn({ left }, 'not all could be handed over in time; what is left waits for the next life');
      this.#mode = mode === 'finish' ? 'hand-over' : 'leave';
    }
    return false;
  }

  async #empty(mode: ShutdownMode, limitMs: number): Promise<boolean> {
    const { clock, registry, log } = this.#parts;
    this.#over = new AbortController();
    const over = this.#over;
    const timer = setTimeout(() => over.abort(), limitMs);
    const until = clock.monotonic() + limitMs;
    let isAway = false;
    try {
      while (!over.signal.aborted && clock.monotonic() < until) {
        try {
          const placed = await this.#parts.tasks.allocations(this.#parts.workerId);
          isAway = false;
          if (placed.length === 0 && registry.taskIds().length === 0) return true;
          await this.#evict(this.#toLeave(placed, mode), over.signal);
        } catch (error) {
          if (error instanceof Abandoned) return false;
          if (!isAway) log.warn({ err: error }, 'the record cannot be read now; what is left stays for now');
          isAway = true;
        }
        await pause(LOOK_EVERY_MS, over.signal);
      }
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  #toLeave(placed: readonly Allocation[], mode: ShutdownMode): Allocation[] {
    const started = new Set(this.#parts.registry.withContainer());
    return placed.filter(
      ({ taskId, state, isLeaving }) =>
        !isLeaving && (mode === 'hand-over' || (state === 'assigned' && !started.has(taskId))),
    );
  }

  async #evict(placed: readonly Allocation[], signal: AbortSignal): Promise<void> {
    const attempts = new Map(placed.map(({ taskId, attempt }) => [taskId, attempt]));
    const ids = [...attempts.keys()];
    for (let at = 0; at < ids.length; at += PAGE) {
      const records = await this.#parts.tasks.getMany(ids.slice(at, at + PAGE));
      await Promise.all(records.map((task) => this.#evictOne(task, attempts.get(task.id) ?? 0, signal)));
    }
  }

  async #evictOne(known: Task, attempt: number, signal: AbortSignal): Promise<void> {
    const { workerId, committer, registry, clock, log, random } = this.#parts;
    const message = `${workerId} was shut down`;
    const wish = { attempt, workerId, requestedAt: clock.now(), cause: 'shut_down' as const, message };
    const result = await committer.commit(
      {
        known,
        decide: (task) => evictTask(task, wish),
        isThere: (task) => task.attempt !== attempt || currentAttempt(task)?.eviction != null,
        what: 'give an attempt back',
      },
      { signal, log, random },
    );
    if (result.task) registry.learn(result.task);
  }
}
