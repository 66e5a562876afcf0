// Pages of what waits, for whoever asks: users see their own tasks, at their places among everybody's; admins see all.
// Knows nothing of HTTP.

import {
  type LineAsked,
  lineKey,
  type Prospect,
  prospectOf,
  waitOf,
} from '../../../scheduler/core/wait-reason.ts';
import type { QueueEntryView } from '../../../shared/contracts/queue.ts';
import type { ForecastScore } from '../../../shared/model/forecast-score.ts';
import { type Principal, seesAllTasks } from '../../../shared/model/user.ts';
import type { Store } from '../../../shared/ports/store.ts';
import type { QueueEntry, QueuePlace } from '../../../shared/ports/task-store.ts';
import type { Forecasts } from './forecasts.ts';

export interface WaitingLineParts {
  readonly store: Pick<Store, 'tasks'>;
  readonly forecasts: Forecasts;
  readonly scores: () => ForecastScore;
}

export interface WaitingPage {
  /** All that wait, of whomever. */
  readonly total: number;
  readonly entries: readonly QueueEntryView[];
  readonly forecasts: ForecastScore;
  /** Place of the last one; null at the end. */
  readonly next: QueuePlace | null;
}

/** Before everything: the whole queue goes before it. */
const AFTER_ALL: QueuePlace = { priority: -1, id: '' };

export class WaitingLine {
  readonly #parts: WaitingLineParts;

  constructor(parts: WaitingLineParts) {
    this.#parts = parts;
  }

  async page(
    by: Principal,
    { limit, after }: { limit: number; after?: QueuePlace | undefined },
  ): Promise<WaitingPage> {
    const { tasks } = this.#parts.store;
    const ownerId = seesAllTasks(by) ? undefined : by.userId;
    const picture = await this.#parts.forecasts.picture();
    const [found, total] = await Promise.all([
      tasks.inLine({ ownerId, after, limit: limit + 1 }),
      tasks.countAhead(AFTER_ALL),
    ]);
    const shown = found.slice(0, limit);
    const positions = await this.#positions(shown, ownerId !== undefined);
    const prospects = new Map<string, Prospect>();
    const prospect = (asked: LineAsked) => {
      const key = lineKey(asked);
      const known = prospects.get(key) ?? prospectOf(asked, picture.scene, by.userId);
      prospects.set(key, known);
      return known;
    };
    const entries = shown.map((entry, index): QueueEntryView => {
      const position = positions[index] as number;
      const told = waitOf(entry, prospect({ ...entry, need: entry.resources }), position - 1, picture.at);
      return { entry, position, ...told, estimate: picture.estimates.get(entry.id) ?? null };
    });
    const last = shown.at(-1);
    return {
      // The queue moves while it is read.
      total: Math.max(total, positions.at(-1) ?? 0),
      entries,
      forecasts: this.#parts.scores(),
      next: found.length > limit && last ? { priority: last.priority, id: last.id } : null,
    };
  }

  async #positions(shown: readonly QueueEntry[], hasGaps: boolean): Promise<number[]> {
    const { tasks } = this.#parts.store;
    const [first] = shown;
    if (!first) return [];
    const ahead = tasks.countAhead(first);
    // Whatever lies in between is counted once, however many entries there are.
    const gaps = await Promise.all(
      shown.slice(1).map((entry, index) => (hasGaps ? tasks.countAhead(entry, shown[index]) : 0)),
    );
    let position = (await ahead) + 1;
    return [position, ...gaps.map((gap) => (position += gap + 1))];
  }
}
