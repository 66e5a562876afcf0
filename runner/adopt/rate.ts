// How often something came from each address lately. Holds a bounded number of addresses and forgets by itself.

export interface RateOptions {
  readonly most: number;
  readonly windowMs: number;
  /** Monotonic. */
  readonly nowMs: () => number;
}

/** When there are more, the one that was counted first is forgotten. */
const MOST_ADDRESSES = 1_024;

export class Rate {
  readonly #options: RateOptions;
  readonly #counts = new Map<string, { count: number; readonly endsAtMs: number }>();

  constructor(options: RateOptions) {
    this.#options = options;
  }

  /** Counts one more. False when it is one too many. */
  add(address: string): boolean {
    const { most, windowMs, nowMs } = this.#options;
    const known = this.#current(address);
    if (known) {
      known.count += 1;
      return known.count <= most;
    }
    const [oldest] = this.#counts.keys();
    if (oldest !== undefined && this.#counts.size >= MOST_ADDRESSES) this.#counts.delete(oldest);
    this.#counts.set(address, { count: 1, endsAtMs: nowMs() + windowMs });
    return most >= 1;
  }

  isUsedUp(address: string): boolean {
    return (this.#current(address)?.count ?? 0) >= this.#options.most;
  }

  #current(address: string) {
    const known = this.#counts.get(address);
    if (known && known.endsAtMs > this.#options.nowMs()) return known;
    this.#counts.delete(address);
    return undefined;
  }
}
