// Telemetry over time in SQLite. Nothing here decides what a point says or how long it is kept.

import type { Grain, HistoryPoint } from '../../model/history.ts';
import type { HistoryStore } from '../../ports/store.ts';
import type { Connection } from './connection.ts';

/** Points in one transaction at most: bounds how long the event loop and other processes wait. */
const STEP = 1_000;

interface PointRow {
  at: number;
  metrics: string;
}

export class SqliteHistoryStore implements HistoryStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async put(points: readonly HistoryPoint[]): Promise<void> {
    const db = this.#connection;
    for (let from = 0; from < points.length; from += STEP) {
      await db.write(() => {
        for (const { series, grain, at, values } of points.slice(from, from + STEP)) {
          db.run('INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?)', [
            series,
            grain,
            at,
            JSON.stringify(values),
          ]);
        }
      });
    }
  }

  read(of: { series: string; grain: Grain; from: number; to: number }): Promise<HistoryPoint[]> {
    const { series, grain, from, to } = of;
    const db = this.#connection;
    return db.read(() =>
      db
        .all<PointRow>(
          `SELECT at, metrics FROM history WHERE series = ? AND grain = ? AND at >= ? AND at < ? ORDER BY at`,
          [series, grain, from, to],
        )
        .map(({ at, metrics }) => ({ series, grain, at, values: JSON.parse(metrics) })),
    );
  }

  async prune(grain: Grain, before: number): Promise<void> {
    const db = this.#connection;
    const step = () =>
      db.run(
        `DELETE FROM history WHERE (series, grain, at) IN
           (SELECT series, grain, at FROM history INDEXED BY history_by_age WHERE grain = ? AND at < ? LIMIT ?)`,
        [grain, before, STEP],
      );
    while ((await db.write(step)) === STEP);
  }
}
