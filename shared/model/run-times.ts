// How long tasks of a kind run, learned from those that completed. Pure: time is handed in. Bounded: a few dozen runs
// of each kind, the kinds that ran last.
//
// A kind is an image and a tag together. An image alone says little (`python:3.9` runs everything), and a promise that
// other work had shaped would be no fair one; so a kind with fewer than LEAST_RUNS runs gets the default, not the runs
// of its image.

export interface Kind {
  readonly image: string;
  readonly tag: string;
}

export interface RunTime {
  readonly lowerMs: number;
  readonly medianMs: number;
  readonly upperMs: number;
  /** How many runs that is learned from; 0: it is the default. */
  readonly learnedFrom: number;
}

/** Fewer say nothing: one odd run among two would be half of the truth. */
export const LEAST_RUNS = 3;
/** Newest runs of a kind that are kept: enough for quartiles, few enough to follow a change. */
export const RUNS_KEPT = 50;
/** About 10 MB at most. */
export const KINDS_KEPT = 5_000;
/** Of the default nothing is known: four times as short or as long would surprise nobody. */
const DEFAULT_SPREAD = 4;

interface Runs {
  /** When the first LEAST_RUNS had ended: from then on the kind was known. */
  enoughSince: number;
  readonly runs: { readonly finishedAt: number; readonly runMs: number }[];
  /** Of all of them; made when it is asked for. */
  now: RunTime | null;
  /** Of those that had ended before `until`, of which the last did at `from`: asked for again and again in a row. */
  past: { readonly from: number; readonly until: number; readonly run: RunTime } | null;
}

export class RunTimes {
  readonly #default: RunTime;
  readonly #kinds = new Map<string, Runs>();

  constructor(defaultMs: number) {
    this.#default = {
      lowerMs: defaultMs / DEFAULT_SPREAD,
      medianMs: defaultMs,
      upperMs: defaultMs * DEFAULT_SPREAD,
      learnedFrom: 0,
    };
  }

  /** How many kinds are known. */
  get size(): number {
    return this.#kinds.size;
  }

  /** Nearly in order of `finishedAt`. */
  add(kind: Kind, finishedAt: number, runMs: number): void {
    const key = keyOf(kind);
    const known = this.#kinds.get(key) ?? {
      enoughSince: Number.POSITIVE_INFINITY,
      runs: [],
      now: null,
      past: null,
    };
    known.runs.push({ finishedAt, runMs });
    if (known.runs.length > RUNS_KEPT) known.runs.shift();
    if (known.enoughSince === Number.POSITIVE_INFINITY && known.runs.length >= LEAST_RUNS) {
      known.enoughSince = Math.max(...known.runs.map((run) => run.finishedAt));
    }
    known.now = null;
    known.past = null;
    // Put anew, so that the kind that ran longest ago stands first.
    this.#kinds.delete(key);
    this.#kinds.set(key, known);
    const [oldest] = this.#kinds.size > KINDS_KEPT ? this.#kinds.keys() : [];
    if (oldest !== undefined) this.#kinds.delete(oldest);
  }

  /** By all that is known. */
  of(kind: Kind): RunTime {
    const known = this.#kinds.get(keyOf(kind));
    if (!known) return this.#default;
    known.now ??= this.#of(known.runs);
    return known.now;
  }

  /**
   * By what was known at `at`: from runs that had ended by then. Where so many ended since that those are forgotten,
   * by the oldest knowledge there is.
   */
  asOf(kind: Kind, at: number): RunTime {
    const known = this.#kinds.get(keyOf(kind));
    if (!known || known.enoughSince > at) return this.#default;
    if (known.past && known.past.from <= at && at < known.past.until) return known.past.run;
    const earlier = known.runs.filter(({ finishedAt }) => finishedAt <= at);
    if (earlier.length === known.runs.length) return this.of(kind);
    const run = this.#of(earlier.length >= LEAST_RUNS ? earlier : known.runs);
    let [from, until] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const { finishedAt } of known.runs) {
      if (finishedAt <= at) from = Math.max(from, finishedAt);
      else until = Math.min(until, finishedAt);
    }
    // Before that it was not known at all.
    known.past = { from: Math.max(from, known.enoughSince), until, run };
    return run;
  }

  #of(runs: Runs['runs']): RunTime {
    if (runs.length < LEAST_RUNS) return this.#default;
    const sorted = Float64Array.from(runs, ({ runMs }) => runMs).sort();
    return {
      lowerMs: quantile(sorted, 0.25),
      medianMs: quantile(sorted, 0.5),
      upperMs: quantile(sorted, 0.75),
      learnedFrom: runs.length,
    };
  }
}

/**
 * Between the two nearest where it falls between them.
 * Source: R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", 1996, definition 7.
 */
function quantile(sorted: Float64Array, part: number): number {
  const place = (sorted.length - 1) * part;
  const low = sorted[Math.floor(place)] ?? 0;
  const high = sorted[Math.ceil(place)] ?? low;
  return low + (high - low) * (place - Math.floor(place));
}

/** Neither an image nor a tag holds a line break. */
function keyOf({ image, tag }: Kind): string {
  return `${image}\n${tag}`;
}
