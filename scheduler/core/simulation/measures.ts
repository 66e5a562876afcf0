// The cluster over simulated time: how much of it is held, how many wait, summed up over time. Time only moves when told.
// Bounded: a curve of at most POINTS_MOST points, whose grid gets twice as coarse whenever it is full.

import { DIMENSIONS, type Dimension, type Resources } from '../../../shared/model/resources.ts';
import type { Parts } from './fragmentation.ts';

/** What holds over a stretch of time. Parts of the capacity of the cluster; 0 where it has none. */
export type Used = Readonly<Record<Dimension, number>>;

/** Means over one step of the grid. */
export interface SeriesPoint {
  readonly atMs: number;
  readonly used: Used;
  readonly waiting: number;
  readonly running: number;
}

export interface Series {
  readonly stepMs: number;
  readonly points: readonly SeriesPoint[];
}

export interface Sums {
  /** While something waited or ran. */
  readonly busyMs: number;
  /** Mean of that time; null for a dimension that the cluster has none of. */
  readonly used: Parts;
  /** Mean of the time up to the last arrival. */
  readonly usedWhileArriving: Parts;
  readonly waitedMs: number;
  /** Mean part that was free while a task waited; null when none ever did. */
  readonly idleWhileWaiting: Parts | null;
  readonly fragmentation: Parts;
  readonly meanWaiting: number;
  readonly mostWaiting: number;
  readonly series: Series;
}

interface Integrals {
  readonly used: Record<Dimension, number>;
  waiting: number;
  running: number;
}

const POINTS_MOST = 400;
const FIRST_POINTS = 200;
const zero = (): Record<Dimension, number> => ({ cpuMillis: 0, memoryMb: 0, gpus: 0, storageMb: 0 });
const integrals = (): Integrals => ({ used: zero(), waiting: 0, running: 0 });

export class Measures {
  readonly #capacity: Resources;
  readonly #lastArrivalMs: number;
  readonly #fragmentationNow: () => Parts;
  readonly #held = zero();
  #waiting = 0;
  #running = 0;
  #mostWaiting = 0;
  #now = 0;
  #busyMs = 0;
  #waitedMs = 0;
  readonly #all = integrals();
  readonly #busy = zero();
  readonly #arriving = zero();
  readonly #idle = zero();
  readonly #fragments = zero();
  readonly #fragmentsMs = zero();
  /** Since the last point of the grid. */
  #bucket = integrals();
  #stepMs: number;
  #points: SeriesPoint[] = [];

  /** @param fragmentationNow asked at every point of the grid, so some hundred times */
  constructor(capacity: Resources, lastArrivalMs: number, fragmentationNow: () => Parts) {
    this.#capacity = capacity;
    this.#lastArrivalMs = lastArrivalMs;
    this.#fragmentationNow = fragmentationNow;
    this.#stepMs = Math.max(1_000, Math.ceil(lastArrivalMs / FIRST_POINTS));
  }

  get waiting(): number {
    return this.#waiting;
  }

  get running(): number {
    return this.#running;
  }

  addWaiting(by: 1 | -1): void {
    this.#waiting += by;
    this.#mostWaiting = Math.max(this.#mostWaiting, this.#waiting);
  }

  hold(need: Resources): void {
    this.#running += 1;
    for (const one of DIMENSIONS) this.#held[one] += need[one];
  }

  release(need: Resources): void {
    this.#running -= 1;
    for (const one of DIMENSIONS) this.#held[one] -= need[one];
  }

  /** Everything stays as it is until `to`. */
  advance(to: number): void {
    while (this.#now < to) {
      const edge = this.#points.length * this.#stepMs + this.#stepMs;
      const until = Math.min(edge, to);
      this.#stretch(this.#now, until);
      this.#now = until;
      if (until === edge) this.#closePoint();
    }
  }

  sums(): Sums {
    const mean = (sum: Readonly<Record<Dimension, number>>, over: number): Parts =>
      each((one) => (this.#capacity[one] === 0 || over === 0 ? null : sum[one] / over));
    return {
      busyMs: this.#busyMs,
      used: mean(this.#busy, this.#busyMs),
      usedWhileArriving: mean(this.#arriving, Math.min(this.#now, this.#lastArrivalMs)),
      waitedMs: this.#waitedMs,
      idleWhileWaiting: this.#waitedMs === 0 ? null : mean(this.#idle, this.#waitedMs),
      fragmentation: each((one) =>
        this.#fragmentsMs[one] === 0 ? null : this.#fragments[one] / this.#fragmentsMs[one],
      ),
      meanWaiting: this.#busyMs === 0 ? 0 : this.#all.waiting / this.#busyMs,
      mostWaiting: this.#mostWaiting,
      series: { stepMs: this.#stepMs, points: this.#points },
    };
  }

  #stretch(from: number, until: number): void {
    const ms = until - from;
    const arrivingMs = Math.max(0, Math.min(until, this.#lastArrivalMs) - from);
    const isBusy = this.#waiting > 0 || this.#running > 0;
    if (isBusy) this.#busyMs += ms;
    if (this.#waiting > 0) this.#waitedMs += ms;
    for (const one of DIMENSIONS) {
      const all = this.#capacity[one];
      if (all === 0) continue;
      const part = this.#held[one] / all;
      this.#bucket.used[one] += part * ms;
      this.#arriving[one] += part * arrivingMs;
      if (isBusy) this.#busy[one] += part * ms;
      if (this.#waiting > 0) this.#idle[one] += (1 - part) * ms;
    }
    this.#all.waiting += this.#waiting * ms;
    this.#bucket.waiting += this.#waiting * ms;
    this.#bucket.running += this.#running * ms;
  }

  #closePoint(): void {
    const { used, waiting, running } = this.#bucket;
    const step = this.#stepMs;
    this.#points.push({
      atMs: this.#now,
      used: {
        cpuMillis: used.cpuMillis / step,
        memoryMb: used.memoryMb / step,
        gpus: used.gpus / step,
        storageMb: used.storageMb / step,
      },
      waiting: waiting / step,
      running: running / step,
    });
    this.#bucket = integrals();
    if (this.#now <= this.#lastArrivalMs) this.#lookAtFragments();
    if (this.#points.length === POINTS_MOST) this.#coarsen();
  }

  #lookAtFragments(): void {
    const parts = this.#fragmentationNow();
    for (const one of DIMENSIONS) {
      const part = parts[one];
      if (part === null) continue;
      this.#fragments[one] += part * this.#stepMs;
      this.#fragmentsMs[one] += this.#stepMs;
    }
  }

  /** Two points become one, with the mean of both. */
  #coarsen(): void {
    const points: SeriesPoint[] = [];
    for (let at = 0; at < this.#points.length; at += 2) {
      const [first, second] = [this.#points[at] as SeriesPoint, this.#points[at + 1] as SeriesPoint];
      const half = (of: (point: SeriesPoint) => number) => (of(first) + of(second)) / 2;
      points.push({
        atMs: second.atMs,
        used: {
          cpuMillis: half(({ used }) => used.cpuMillis),
          memoryMb: half(({ used }) => used.memoryMb),
          gpus: half(({ used }) => used.gpus),
          storageMb: half(({ used }) => used.storageMb),
        },
        waiting: half(({ waiting }) => waiting),
        running: half(({ running }) => running),
      });
    }
    this.#points = points;
    this.#stepMs *= 2;
  }
}

function each(of: (one: Dimension) => number | null): Parts {
  return {
    cpuMillis: of('cpuMillis'),
    memoryMb: of('memoryMb'),
    gpus: of('gpus'),
    storageMb: of('storageMb'),
  };
}
