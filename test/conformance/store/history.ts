// What the points of telemetry promise.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Grain, HistoryPoint } from '../../../shared/model/history.ts';
import type { Store } from '../../../shared/ports/store.ts';

const makePoint = (at: number, over: Partial<HistoryPoint> = {}): HistoryPoint => ({
  series: 'cluster',
  grain: 'fine',
  at,
  values: { cpu_percent: 0.1 + 0.2, memory_used: 2 ** 45, running: 0 },
  ...over,
});

export function history(stores: () => [Store, Store]): void {
  let store: Store;
  let other: Store;
  beforeEach(() => {
    [store, other] = stores();
  });
  const read = (from: number, to: number, series = 'cluster', grain: Grain = 'fine') =>
    other.history.read({ series, grain, from, to });

  describe('history', () => {
    it('comes back exact and in order of time, from one time up to another', async () => {
      const points = [30, 10, 20].map((at) => makePoint(at));
      await store.history.put(points);
      await store.history.put([]);
      const inOrder = points.toSorted((a, b) => a.at - b.at);
      expect(await read(0, 1_000)).toStrictEqual(inOrder);
      expect(await read(10, 30)).toStrictEqual(inOrder.slice(0, 2));
      expect(await read(11, 21)).toStrictEqual(inOrder.slice(1, 2));
      expect(await read(31, 1_000)).toEqual([]);
    });

    it('keeps series and grains apart', async () => {
      const points = [
        makePoint(10),
        makePoint(10, { series: 'worker-1', values: {} }),
        makePoint(10, { grain: 'coarse', values: { queue_depth: 1 } }),
      ];
      await store.history.put(points);
      expect(await read(0, 99)).toStrictEqual([points[0]]);
      expect(await read(0, 99, 'worker-1')).toStrictEqual([points[1]]);
      expect(await read(0, 99, 'cluster', 'coarse')).toStrictEqual([points[2]]);
      expect(await read(0, 99, 'worker-1', 'coarse')).toEqual([]);
    });

    it('has one point of a moment, the last that was put, by whoever', async () => {
      await store.history.put([makePoint(10), makePoint(20)]);
      const newer = makePoint(10, { values: { cpu_percent: 7 } });
      await other.history.put([newer, makePoint(20), makePoint(30)]);
      expect(await read(0, 99)).toStrictEqual([newer, makePoint(20), makePoint(30)]);
      const both = [makePoint(40), makePoint(50)];
      await Promise.all([store, other, store, other].map((one) => one.history.put(both)));
      expect(await read(40, 99)).toStrictEqual(both);
    });

    it('drops what is old, of one grain and all series', async () => {
      const fine = Array.from({ length: 1_100 }, (_, n) => makePoint(n));
      const worker = [makePoint(5, { series: 'worker-1' }), makePoint(1_099, { series: 'worker-1' })];
      const coarse = makePoint(5, { grain: 'coarse' });
      await store.history.put([...fine, ...worker, coarse]);
      await store.history.prune('fine', 1_098);
      expect(await read(0, 9_999)).toStrictEqual(fine.slice(1_098));
      expect(await read(0, 9_999, 'worker-1')).toStrictEqual(worker.slice(1));
      expect(await read(0, 9_999, 'cluster', 'coarse')).toStrictEqual([coarse]);
    });
  });
}
