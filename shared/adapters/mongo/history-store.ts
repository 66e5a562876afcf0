// Telemetry over time in MongoDB. Nothing here decides what a point says or how long it is kept.

import type { Grain, HistoryPoint } from '../../model/history.ts';
import type { HistoryStore } from '../../ports/store.ts';
import type { Collections } from './collections.ts';
import { guarded, upserting } from './errors.ts';

/** Points in one command. */
const STEP = 500;

export class MongoHistoryStore implements HistoryStore {
  readonly #points: Collections['history'];

  constructor({ history }: Pick<Collections, 'history'>) {
    this.#points = history;
  }

  async put(points: readonly HistoryPoint[]): Promise<void> {
    for (let from = 0; from < points.length; from += STEP) {
      const step = points.slice(from, from + STEP);
      await upserting(() =>
        this.#points.bulkWrite(
          step.map(({ series, grain, at, values }) => ({
            // At most one matches; FerretDB would keep a cursor open for each `updateOne` of a large bulk.
            updateMany: {
              filter: { _id: JSON.stringify([series, grain, at]) },
              update: { $set: { series, grain, at, metrics: JSON.stringify(values) } },
              upsert: true,
            },
          })),
          { ordered: false },
        ),
      );
    }
  }

  read(of: { series: string; grain: Grain; from: number; to: number }): Promise<HistoryPoint[]> {
    const { series, grain, from, to } = of;
    return guarded(async () => {
      const found = await this.#points
        .find({ series, grain, at: { $gte: from, $lt: to } })
        .sort({ at: 1 })
        .toArray();
      return found.map(({ at, metrics }) => ({ series, grain, at, values: JSON.parse(metrics) }));
    });
  }

  prune(grain: Grain, before: number): Promise<void> {
    return guarded(async () => {
      await this.#points.deleteMany({ grain, at: { $lt: before } });
    });
  }
}
