// Looks at running containers again and again: folds what it sees into their attempts and tells whoever watches. Best
// effort: an engine that does not answer costs samples and nothing else. A runner that was restarted goes on with the
// series that the one before it noted. Never more than two looks at a time, so that
// many containers are looked at less often and not all at once.

import { type TaskUsageEvent, taskRoom } from '../../shared/contracts/live.ts';
import { messageOf } from '../../shared/errors.ts';
import { addSample, beginSeries, roundedSeries, type UsageSeries } from '../../shared/model/usage-series.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { ContainerRuntime } from '../../shared/ports/container-runtime.ts';
import type { RoomEmitter, UsageBoard } from '../../shared/ports/live.ts';
import { beginUsage, foldUsage, type UsageFold } from '../core/usage-fold.ts';

/** Soon after the start, so that a short task is seen once. */
const FIRST_AFTER_MS = 300;
const AT_ONCE = 2;
/** Between two notes for watchers who come later; what they miss they hear live. */
const NOTE_EVERY_MS = 5_000;
/** The first sample of a container that is older tells of its whole past, not of now; another runner saw that. */
const FRESH_MS = 5_000;
/** Spreads containers that began together. */
const JITTER = 0.2;

/** The part of an attempt's state that the sampler reads and writes. */
export interface Measured {
  readonly key: { readonly taskId: string; readonly attempt: number };
  readonly seen: { readonly id: string; readonly state: string; readonly startedAt: number | null } | null;
  usage: UsageFold | null;
  /** The same over time. */
  series: UsageSeries | null;
}

export interface UsageSamplerParts {
  /** Between two looks at a container; 0 switches them off. */
  readonly everyMs: number;
  readonly runtime: Pick<ContainerRuntime, 'measure'>;
  readonly rooms: RoomEmitter;
  readonly board: UsageBoard;
  readonly random: () => number;
  readonly log: Log;
}

export class UsageSampler {
  readonly #parts: UsageSamplerParts;
  readonly #timers = new Map<Measured, NodeJS.Timeout | null>();
  readonly #line: Measured[] = [];
  /** When their series were last noted, by the engine's clock. */
  readonly #noted = new WeakMap<Measured, number>();
  #busy = 0;
  #isStopped = false;

  constructor(parts: UsageSamplerParts) {
    this.#parts = parts;
  }

  /** Looks at the container of the attempt until it has ended. A repeat changes nothing. */
  watch(attempt: Measured): void {
    const { everyMs } = this.#parts;
    if (everyMs === 0 || this.#isStopped || this.#timers.has(attempt)) return;
    this.#lookAfter(attempt, Math.min(FIRST_AFTER_MS, everyMs));
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers.values()) if (timer) clearTimeout(timer);
    this.#timers.clear();
    this.#line.length = 0;
  }

  #lookAfter(attempt: Measured, ms: number): void {
    const spread = ms * (1 + JITTER * (this.#parts.random() - 0.5));
    const timer = setTimeout(() => {
      this.#timers.set(attempt, null);
      this.#line.push(attempt);
      this.#next();
    }, spread);
    timer.unref();
    this.#timers.set(attempt, timer);
  }

  #next(): void {
    while (this.#busy < AT_ONCE) {
      const attempt = this.#line.shift();
      if (!attempt) return;
      if (attempt.seen?.state !== 'running') {
        this.#timers.delete(attempt);
        continue;
      }
      this.#busy += 1;
      void this.#look(attempt, attempt.seen).finally(() => {
        this.#busy -= 1;
        if (this.#isStopped) return;
        this.#lookAfter(attempt, this.#parts.everyMs);
        this.#next();
      });
    }
  }

  async #look(attempt: Measured, { id, startedAt }: NonNullable<Measured['seen']>): Promise<void> {
    const { runtime, rooms, log } = this.#parts;
    const { taskId, attempt: number } = attempt.key;
    try {
      const sample = await runtime.measure(id);
      if (!sample || this.#isStopped) return;
      const isFresh = attempt.usage !== null || sample.at - (startedAt ?? 0) <= FRESH_MS;
      attempt.usage = foldUsage(attempt.usage ?? beginUsage(startedAt), sample);
      attempt.series ??= await this.#begun(attempt, startedAt ?? sample.at, isFresh);
      const { cpuMillis } = attempt.usage;
      if (isFresh && cpuMillis !== null) {
        attempt.series = addSample(attempt.series, { at: sample.at, cpuMillis, memoryMb: sample.memoryMb });
        this.#note(attempt, attempt.series, sample.at);
      }
      const event: TaskUsageEvent = {
        task_id: taskId,
        attempt: number,
        at: new Date(sample.at).toISOString(),
        cpu: Math.round(attempt.usage.cpuMillis ?? 0) / 1_000,
        memory: Math.round(sample.memoryMb * 10) / 10,
      };
      rooms.emit(taskRoom(taskId), 'task:usage', event);
    } catch (error) {
      log.debug({ taskId, fault: messageOf(error) }, 'a container was not measured');
    }
  }

  /** @throws AppError when it cannot be known whether another runner began it: better no sample than a past lost */
  async #begun({ key }: Measured, startAt: number, isNew: boolean): Promise<UsageSeries> {
    const { board, everyMs } = this.#parts;
    const known = isNew ? null : await board.get(key.taskId, key.attempt);
    return known ?? beginSeries(startAt, everyMs);
  }

  #note(attempt: Measured, series: UsageSeries, at: number): void {
    if (Math.abs(at - (this.#noted.get(attempt) ?? 0)) < NOTE_EVERY_MS) return;
    this.#noted.set(attempt, at);
    const { taskId, attempt: number } = attempt.key;
    void this.#parts.board.set(taskId, number, roundedSeries(series));
  }
}
