// What callers have done within their windows, as far as this process knows: what it counted itself, and what it was
// told of the others. Pure but for its maps: no clock, no Redis. Never holds more than a bounded number of keys.

import type { RateVerdict } from '../../ports/coordination.ts';

/** A count has about 150 bytes. The one that came first goes first: its window is the oldest. */
const MAX_KEYS = 50_000;
/** Below this part of the limit a count stays at home: most callers never cost a message. */
const TELL_FROM = 1 / 20;

interface Count {
  /** Milliseconds of the clock that all calls are given. */
  endsAt: number;
  /** Of all processes, as last told. */
  known: number;
  /** Counted here and not told yet. */
  untold: number;
  /** On its way. */
  telling: number;
  refused: number;
}

export class RateCounts {
  readonly #windowMs: number;
  readonly #maxKeys: number;
  readonly #counts = new Map<string, Count>();
  readonly #toTell = new Set<string>();

  constructor(windowMs: number, maxKeys = MAX_KEYS) {
    this.#windowMs = windowMs;
    this.#maxKeys = maxKeys;
  }

  get size(): number {
    return this.#counts.size;
  }

  get hasUntold(): boolean {
    return this.#toTell.size > 0;
  }

  /**
   * What is refused is not counted. The last that is allowed may cost more than is left.
   * @param limit of this key, which may be another one at each call
   */
  take(key: string, cost: number, limit: number, now: number): RateVerdict {
    const count = this.#of(key, now);
    const used = count.known + count.telling + count.untold;
    const resetSeconds = Math.max(1, Math.ceil(Math.round(count.endsAt - now) / 1_000));
    if (used >= limit) {
      count.refused += 1;
      const isFirst = count.refused === 1;
      return { isAllowed: false, isFirst, limit, remaining: 0, resetSeconds };
    }
    count.untold += cost;
    if (used + cost >= limit * TELL_FROM) this.#toTell.add(key);
    const remaining = Math.max(0, limit - used - cost);
    return { isAllowed: true, isFirst: false, limit, remaining, resetSeconds };
  }

  /**
   * What is to be told of up to so many keys; each is to be answered by `told` or `notTold`. Of a window that is over
   * nothing is told any more: after an outage of Redis it would count as if it were now.
   */
  takeUntold(most: number, now: number): [key: string, points: number][] {
    const taken: [string, number][] = [];
    for (const key of this.#toTell) {
      if (taken.length >= most) break;
      this.#toTell.delete(key);
      const count = this.#counts.get(key);
      if (!count || count.untold === 0 || now >= count.endsAt) continue;
      count.telling += count.untold;
      taken.push([key, count.untold]);
      count.untold = 0;
    }
    return taken;
  }

  /** @param total of all processes in the window that they share, which ends in `msLeft` */
  told(key: string, points: number, { total, msLeft }: { total: number; msLeft: number }, now: number): void {
    const count = this.#counts.get(key);
    if (!count) return;
    count.telling = Math.max(0, count.telling - points);
    // No word of another is worth more than a whole window.
    count.endsAt = now + Math.min(Math.max(0, msLeft), this.#windowMs);
    count.known = total;
  }

  /** It stays counted here. */
  notTold(key: string, points: number): void {
    const count = this.#counts.get(key);
    if (!count) return;
    count.telling = Math.max(0, count.telling - points);
    count.untold += points;
    this.#toTell.add(key);
  }

  #of(key: string, now: number): Count {
    const known = this.#counts.get(key);
    if (known && now < known.endsAt) return known;
    // At the end of the order: its window is the youngest now.
    this.#counts.delete(key);
    this.#toTell.delete(key);
    const count = { endsAt: now + this.#windowMs, known: 0, untold: 0, telling: 0, refused: 0 };
    this.#counts.set(key, count);
    if (this.#counts.size > this.#maxKeys) this.#dropOldest();
    return count;
  }

  #dropOldest(): void {
    for (const key of this.#counts.keys()) {
      this.#counts.delete(key);
      this.#toTell.delete(key);
      return;
    }
  }
}
