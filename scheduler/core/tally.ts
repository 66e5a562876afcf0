// Counts what happens in the cluster, for whoever watches it over time. Pure: times are handed in. Counts are only ever
// added to; what another leader has counted is taken over, and nothing is counted twice that it had in them.

import {
  type ClusterCounts,
  type Distribution,
  PASS_BOUNDS,
  RUN_BOUNDS,
  WAIT_BOUNDS,
} from '../../shared/model/cluster-counts.ts';
import { isPlatform } from '../../shared/model/retry.ts';
import type { Attempt, FailureReason, Task } from '../../shared/model/task.ts';
import { BusiestTags } from './busiest-tags.ts';

/** Returns that are remembered, so that a record which is read twice counts once. */
const MOST_REMEMBERED = 20_000;

interface Sums {
  counts: number[];
  sum: number;
}

export interface EndedTask {
  readonly state: Task['state'];
  readonly reason: FailureReason | null;
  readonly tag: string;
  readonly startedAt: number | null;
  readonly finishedAt: number;
}

export class Tally {
  #upTo = 0;
  /** Ends up to here were counted by leaders before, or are older than any count. */
  #endsSince = 0;
  /** The same of attempts after which their task waited again. */
  #returnsSince = 0;
  #passes = empty(PASS_BOUNDS);
  #placements = 0;
  #waits = new Map<string, Sums>();
  #runs = new Map<string, Sums>();
  #ended = new Map<string, number>();
  #retries = new Map<string, number>();
  #losses = new Map<string, number>();
  #evictions = new Map<string, number>();
  #inTime = 0;
  #late = 0;
  #waitTags = new BusiestTags();
  #runTags = new BusiestTags();
  readonly #returns = new Set<string>();

  /** Begins a term: goes on from what the leader before told, and when; or from nothing. */
  resume(
    before: { readonly counts?: Partial<ClusterCounts>; readonly at: number } | null,
    now: number,
  ): void {
    this.#resume(before?.counts ?? {}, now);
    this.#returnsSince = before?.counts ? Math.min(before.at, now) : now;
  }

  #resume(before: Partial<ClusterCounts>, now: number): void {
    const { upTo } = before;
    this.#endsSince = typeof upTo === 'number' && upTo <= now ? upTo : now;
    this.#upTo = this.#endsSince;
    this.#passes = sumsOf(before.passes, PASS_BOUNDS);
    this.#placements = count(before.placements);
    this.#waits = new Map(
      entries(before.waits).map(([tag, one]) => [tag, sumsOf(one as Distribution, WAIT_BOUNDS)]),
    );
    this.#runs = new Map(
      entries(before.runs).map(([tag, one]) => [tag, sumsOf(one as Distribution, RUN_BOUNDS)]),
    );
    this.#ended = countsOf(before.ended);
    this.#retries = countsOf(before.retries);
    this.#losses = countsOf(before.losses);
    this.#evictions = countsOf(before.evictions);
    this.#inTime = count(before.inTime);
    this.#late = count(before.late);
    this.#waitTags = new BusiestTags(this.#waits.keys());
    this.#runTags = new BusiestTags(this.#runs.keys());
  }

  passed(seconds: number): void {
    observe(this.#passes, PASS_BOUNDS, seconds);
  }

  placed(tag: string, waitedMs: number): void {
    this.#placements += 1;
    observeTag(this.#waits, this.#waitTags, tag, WAIT_BOUNDS, Math.max(0, waitedMs) / 1_000);
  }

  /** A task waits again after an attempt. Records of the same return count once. */
  returned({ id, attempts }: Pick<Task, 'id' | 'attempts'>): void {
    const last = attempts.at(-1);
    if (!last || last.finishedAt === null || last.finishedAt <= this.#returnsSince) return;
    const name = `${id}/${last.number}`;
    if (this.#returns.has(name)) return;
    this.#returns.add(name);
    if (this.#returns.size > MOST_REMEMBERED) {
      this.#returns.delete(this.#returns.values().next().value as string);
    }
    this.#countReturn(last);
  }

  #countReturn({ state, reason, eviction }: Attempt): void {
    if (state === 'evicted') {
      if (eviction) add(this.#evictions, eviction.cause);
      return;
    }
    if (reason === null) return;
    add(this.#retries, reason);
    if (isPlatform(reason)) add(this.#losses, reason);
  }

  /** @param isMet whether it met its deadline; null for one that did not complete */
  ended({ state, reason, tag, startedAt, finishedAt }: EndedTask, isMet: boolean | null): void {
    if (finishedAt <= this.#endsSince) return;
    this.#upTo = Math.max(this.#upTo, finishedAt);
    add(this.#ended, state === 'failed' ? `failed/${reason ?? 'unknown'}` : state);
    if (state === 'failed' && reason !== null && isPlatform(reason)) add(this.#losses, reason);
    if (isMet === true) this.#inTime += 1;
    if (isMet === false) this.#late += 1;
    if (startedAt === null) return;
    observeTag(this.#runs, this.#runTags, tag, RUN_BOUNDS, Math.max(0, finishedAt - startedAt) / 1_000);
  }

  read(): ClusterCounts {
    return {
      upTo: this.#upTo,
      passes: copy(this.#passes),
      placements: this.#placements,
      waits: Object.fromEntries([...this.#waits].map(([tag, sums]) => [tag, copy(sums)])),
      runs: Object.fromEntries([...this.#runs].map(([tag, sums]) => [tag, copy(sums)])),
      ended: Object.fromEntries(this.#ended),
      retries: Object.fromEntries(this.#retries),
      losses: Object.fromEntries(this.#losses),
      evictions: Object.fromEntries(this.#evictions),
      inTime: this.#inTime,
      late: this.#late,
    };
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function empty(bounds: readonly number[]): Sums {
  return { counts: new Array<number>(bounds.length + 1).fill(0), sum: 0 };
}

function observe(sums: Sums, bounds: readonly number[], value: number): void {
  let at = bounds.findIndex((bound) => value <= bound);
  if (at < 0) at = bounds.length;
  sums.counts[at] = (sums.counts[at] ?? 0) + 1;
  sums.sum += value;
}

function observeTag(
  of: Map<string, Sums>,
  tags: BusiestTags,
  tag: string,
  bounds: readonly number[],
  value: number,
): void {
  const { name, dropped } = tags.observe(tag);
  if (dropped !== null) of.delete(dropped);
  const sums = of.get(name) ?? empty(bounds);
  observe(sums, bounds, value);
  of.set(name, sums);
}

/** Six decimals: a sum of many seconds need not be longer on the wire than that. */
function copy({ counts, sum }: Sums): Distribution {
  return { counts: [...counts], sum: Math.round(sum * 1e6) / 1e6 };
}

// A leader of another release may have told something else: what does not fit begins anew.

function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0;
}

function entries(of: unknown): [string, unknown][] {
  return typeof of === 'object' && of !== null ? Object.entries(of) : [];
}

function countsOf(of: unknown): Map<string, number> {
  return new Map(entries(of).map(([name, value]) => [name, count(value)]));
}

function sumsOf(of: Partial<Distribution> | undefined, bounds: readonly number[]): Sums {
  const { counts, sum } = of ?? {};
  if (!Array.isArray(counts) || counts.length !== bounds.length + 1) return empty(bounds);
  return { counts: counts.map(count), sum: count(sum) };
}
