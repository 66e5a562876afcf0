// Telemetry that the leader keeps, with played workers and a clock that the test sets forward.

import { afterEach, describe, expect, it } from 'vitest';
import {
  CLUSTER_SERIES,
  GRAIN_KEPT_MS,
  GRAIN_STEP_MS,
  type Grain,
  type HistoryPoint,
} from '../../../shared/model/history.ts';
import { stepStart } from '../../../shared/model/history-fold.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { waitFor } from '../../support/wait-for.ts';
import { Bed, type BedOptions, leading } from './bed.ts';

const { fine: FINE, coarse: COARSE } = GRAIN_STEP_MS;
const small = { cpuMillis: 1_000, memoryMb: 128, gpus: 0, storageMb: 0 };

let bed: Bed;
afterEach(() => bed.close());

/** Shows a moment in the second fine step of a coarse one until it is set forward; what measures spans goes on. */
class SetClock implements Clock {
  readonly #begun = stepStart(Date.now(), COARSE) + 1.5 * FINE;
  #ahead = 0;

  now(): number {
    return this.#begun + this.#ahead;
  }

  monotonic(): number {
    return performance.now() + this.#ahead;
  }

  forward(ms: number): void {
    this.#ahead += ms;
  }
}

async function open(options: BedOptions = {}): Promise<SetClock> {
  // Leases that outlast what the clock is set forward by.
  bed = await Bed.open({ leaderLeaseSeconds: 600, ...options });
  return new SetClock();
}

const read = (series: string, grain: Grain = 'fine'): Promise<HistoryPoint[]> =>
  bed.store.history.read({ series, grain, from: 0, to: Number.MAX_SAFE_INTEGER });

const untilPoints = (count: number, grain: Grain = 'fine', series = CLUSTER_SERIES) =>
  waitFor(
    async () => {
      const points = await read(series, grain);
      return points.length >= count ? points : null;
    },
    { what: `${count} ${grain} points of ${series}`, deadlineMs: 20_000 },
  );

describe('the leader', () => {
  it('keeps a point of the cluster and of each worker for each step', async () => {
    const clock = await open();
    const ends: (() => void)[] = [];
    const run = () => new Promise<void>((done) => ends.push(done));
    const usage = { cpuPercent: 50, memoryUsedMb: 300, networkReceiveRate: 1_000 };
    await bed.addWorker('w-a', { run, usage });
    await bed.addWorker('w-b', { run, usage: { ...usage, cpuPercent: 10 } });
    await leading(await bed.addScheduler({ clock }));
    const begun = stepStart(clock.now(), FINE);
    const tasks = await bed.submit([{ resources: small }, { resources: small }, { resources: small }]);
    await bed.submit([{ resources: { ...small, cpuMillis: 64_000 } }]);
    const ids = tasks.map(({ id }) => id);
    await bed.until(ids, ['running']);
    await waitFor(() => ends.length === 3, { what: 'three runs' });

    clock.forward(FINE);
    const [first] = await untilPoints(1);
    expect(first).toMatchObject({ series: CLUSTER_SERIES, grain: 'fine', at: begun });
    expect(first?.values).toMatchObject({
      cpu_percent: 30,
      memory_used: 600,
      network_receive_rate: 2_000,
      cpu_reserved: 3,
      memory_reserved: 384,
      gpu_reserved: 0,
      workers_up: 2,
      queue_depth: 1,
      running: 3,
      finished_per_second: 0,
    });
    // Three in the ten seconds or more since the leader began.
    expect(first?.values.placements_per_second).toBeGreaterThan(0);
    expect(first?.values.placements_per_second).toBeLessThanOrEqual(0.3);
    const [ofWorker] = await untilPoints(1, 'fine', 'w-a');
    expect(ofWorker).toMatchObject({ at: begun, values: { cpu_percent: 50, memory_used: 300 } });
    expect(ofWorker?.values).not.toHaveProperty('queue_depth');

    for (const end of ends) end();
    await bed.until(ids, ['completed']);
    clock.forward(FINE);
    const [, second] = await untilPoints(2);
    expect(second).toMatchObject({
      at: begun + FINE,
      values: { running: 0, cpu_reserved: 0, queue_depth: 1 },
    });
    expect(second?.values.finished_per_second).toBeGreaterThan(0);
    expect(second?.values.placements_per_second).toBe(0);
  });

  it('makes coarse points of what an earlier leader has left, and drops what is too old', async () => {
    const clock = await open();
    await bed.addWorker('w-a', { usage: { cpuPercent: 20 } });
    const old = (grain: Grain, ageMs: number): HistoryPoint => ({
      series: CLUSTER_SERIES,
      grain,
      at: stepStart(clock.now() - ageMs, GRAIN_STEP_MS[grain]),
      values: { running: 7 },
    });
    const kept = [old('fine', GRAIN_KEPT_MS.fine - COARSE), old('coarse', GRAIN_KEPT_MS.coarse - COARSE)];
    await bed.store.history.put([
      ...kept,
      old('fine', GRAIN_KEPT_MS.fine + FINE),
      old('coarse', GRAIN_KEPT_MS.coarse + COARSE),
    ]);
    const first = await bed.addScheduler({ clock });
    await leading(first);
    // The one left point of its step has become a coarse one of its own; what is too old is gone.
    const isFolded = ({ at }: HistoryPoint) => at === stepStart(kept[0]!.at, COARSE);
    const folded = await waitFor(async () => (await read(CLUSTER_SERIES, 'coarse')).find(isFolded), {
      what: 'the left point to be folded',
    });
    expect(folded.values).toMatchObject({ running: 7 });
    await waitFor(async () => (await read(CLUSTER_SERIES)).length === 1, { what: 'the old point to go' });
    await waitFor(async () => (await read(CLUSTER_SERIES, 'coarse'))[0]?.at === kept[1]!.at, {
      what: 'the old coarse point to go',
    });

    const begun = stepStart(clock.now(), COARSE);
    clock.forward(FINE);
    await untilPoints(2);
    clock.forward(FINE);
    await untilPoints(1, 'fine', 'w-a');
    await untilPoints(3);
    await first.stop();
    clock.forward(COARSE);
    await leading(await bed.addScheduler({ clock }));
    const made = await waitFor(
      async () => (await read(CLUSTER_SERIES, 'coarse')).find(({ at }) => at === begun),
      { what: 'the coarse point of the step before' },
    );
    expect(made.values).toMatchObject({ cpu_percent: 20, workers_up: 1, running: 0 });
    expect(await read('w-a', 'coarse')).toMatchObject([{ at: begun, values: { cpu_percent: 20 } }]);
  });

  it('places on when nothing can be kept, and keeps again when it can', async () => {
    const clock = await open();
    let isAway = true;
    let refused = 0;
    const store = (real: Store): Store => {
      const gate = <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) => {
        return async (...args: Args): Promise<T> => {
          if (!isAway) return call(...args);
          refused += 1;
          throw new Error('the disk is full');
        };
      };
      const { history } = real;
      return {
        ...real,
        history: {
          put: gate((points) => history.put(points)),
          read: gate((of) => history.read(of)),
          prune: gate((grain, before) => history.prune(grain, before)),
        },
      };
    };
    await bed.addWorker('w-a');
    const scheduler = await bed.addScheduler({ clock, store });
    await leading(scheduler);
    const { term } = scheduler.status();
    clock.forward(FINE);
    await waitFor(() => refused >= 2, { what: 'points in vain' });
    const tasks = await bed.submit([{ resources: small }]);
    await bed.until(
      tasks.map(({ id }) => id),
      ['completed'],
    );
    expect(scheduler.status().term).toBe(term);
    isAway = false;
    clock.forward(FINE);
    await untilPoints(1);
  });
});
