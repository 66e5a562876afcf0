// Random numbers that are the same for the same seed, and the few distributions that workloads are made of. It is the
// only source of chance in here: nothing may ask the machine for one.

export class Dice {
  #state: number;
  /** The second of a pair of normal numbers. */
  #spare: number | null = null;

  /** @param seed a non-negative integer */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). Source: T. Ettinger, mulberry32 (public domain): 32 bits of state, a Weyl sequence well mixed. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number in [0, below). */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** Standard normal. Source: G. Box and M. Muller, 1958. */
  normal(): number {
    if (this.#spare !== null) {
      const spare = this.#spare;
      this.#spare = null;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    const angle = 2 * Math.PI * this.next();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** @param sigma of the logarithm */
  logNormal(median: number, sigma: number): number {
    return median * Math.exp(sigma * this.normal());
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** Between `least` and `most`, falling with the power `alpha` (a bounded Pareto distribution), by inversion. */
  boundedPareto(alpha: number, least: number, most: number): number {
    const ratio = (least / most) ** alpha;
    return least / (1 - this.next() * (1 - ratio)) ** (1 / alpha);
  }

  /** An index, each as likely as its weight; the weights are handed in summed up. */
  weighted(sums: readonly number[]): number {
    const at = this.next() * (sums.at(-1) ?? 0);
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
