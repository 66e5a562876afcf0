// Keeps what was foretold of some waiting tasks and compares it with when they start. Each copy of the API scores its own
// forecasts, from what it hears and, where that was lost, from the store. It must never write.
//
// A forecast is kept when it is first made for at least LEAST_AHEAD_MS from then, whatever comes of it: to choose by what
// came of it would make the score better or worse than the forecasts are. One that says "now" is not worth a score.

import type { StartEstimate } from '../../../scheduler/core/forecast.ts';
import type { TaskChanged } from '../../../shared/model/event.ts';
import { type ForecastScore, ScoreWindow } from '../../../shared/model/forecast-score.ts';
import type { Log } from '../../../shared/platform/log.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { TaskStore } from '../../../shared/ports/task-store.ts';
import type { Forecasts } from './forecasts.ts';

export interface ForecastScoresParts {
  readonly forecasts: Pick<Forecasts, 'picture'>;
  readonly tasks: Pick<TaskStore, 'getMany'>;
  readonly onTaskChanged: (hear: (event: TaskChanged) => void) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly everyMs?: number | undefined;
}

const LEAST_AHEAD_MS = 10_000;
/** Waiting tasks whose forecast is kept; spread over the queue. */
export const SAMPLE_MOST = 500;
/** Who has not started by then makes room for others. */
const KEPT_MS = 2 * 24 * 3_600_000;
const EVERY_MS = 30_000;

interface Kept {
  readonly madeAt: number;
  readonly forecast: StartEstimate;
}

export class ForecastScores {
  readonly #parts: ForecastScoresParts;
  readonly #kept = new Map<string, Kept>();
  readonly #window = new ScoreWindow();
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> | null = null;
  #stopped = false;

  constructor(parts: ForecastScoresParts) {
    this.#parts = parts;
    parts.onTaskChanged((event) => this.#hear(event));
  }

  start(): void {
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#round;
  }

  read(): ForecastScore {
    return this.#window.read(this.#parts.clock.now());
  }

  /**
   * Keeps new forecasts, and looks for those in the store that wait no more and were not heard of.
   * @throws AppError of the store
   */
  async look(): Promise<void> {
    const { forecasts, tasks, clock } = this.#parts;
    const { at, estimates } = await forecasts.picture();
    this.#keep(estimates, at);
    const gone = [...this.#kept.keys()].filter((id) => !estimates.has(id));
    if (gone.length === 0) return;
    const found = new Map((await tasks.getMany(gone)).map((task) => [task.id, task]));
    const now = clock.now();
    for (const id of gone) {
      const task = found.get(id);
      const kept = this.#kept.get(id);
      if (!kept) continue;
      if (task && (task.state === 'queued' || task.state === 'assigned')) {
        if (now - kept.madeAt > KEPT_MS) this.#kept.delete(id);
      } else if (task?.startedAt != null && task.startedAt >= kept.madeAt) this.#score(id, task.startedAt);
      // It ended without a start.
      else this.#kept.delete(id);
    }
  }

  /** As many as there is room for, from all over the queue. */
  #keep(estimates: ReadonlyMap<string, StartEstimate>, at: number): void {
    for (const [id, { madeAt }] of this.#kept) if (at - madeAt > KEPT_MS) this.#kept.delete(id);
    const room = SAMPLE_MOST - this.#kept.size;
    if (room <= 0) return;
    const fresh = [...estimates].filter(
      ([id, forecast]) => forecast.at - at >= LEAST_AHEAD_MS && !this.#kept.has(id),
    );
    const stride = Math.max(1, Math.ceil(fresh.length / room));
    for (let place = 0; place < fresh.length; place += stride) {
      const [id, forecast] = fresh[place] as [string, StartEstimate];
      this.#kept.set(id, { madeAt: at, forecast });
    }
  }

  #hear({ taskId, state, at }: TaskChanged): void {
    const kept = this.#kept.get(taskId);
    if (!kept) return;
    if (state === 'running' && at >= kept.madeAt) this.#score(taskId, at);
    if (state === 'cancelled') this.#kept.delete(taskId);
  }

  #score(id: string, startedAt: number): void {
    const kept = this.#kept.get(id);
    if (!kept) return;
    this.#kept.delete(id);
    this.#window.add(kept.forecast, startedAt);
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#round = this.look()
        .catch((error) => this.#parts.log.debug({ err: error }, 'forecasts cannot be scored; tried again'))
        .finally(() => {
          this.#round = null;
          if (!this.#stopped) this.#schedule();
        });
    }, this.#parts.everyMs ?? EVERY_MS);
  }
}
