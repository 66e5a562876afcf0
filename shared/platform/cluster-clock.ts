// The one clock of the cluster, kept by each process for itself: how the clock that all can ask (Redis) stands to this
// process's monotonic one is measured at the start and now and then. What is written by one machine and compared by
// another is by this clock, so a machine whose own clock is an hour off is fine. It must never make anybody wait: while
// the source is away the last measurement holds, and before the first one the machine's own clock.

import { messageOf } from '../errors.ts';
import type { Clock, ClusterClock, TimeSource } from '../ports/clock.ts';
import { systemClock } from './clock.ts';
import { withDeadline } from './deadline.ts';
import type { Log } from './log.ts';

export interface ClusterClockParts {
  readonly source: TimeSource;
  readonly log: Log;
  /** The machine's own. */
  readonly own?: Clock;
  readonly everyMs?: number;
}

export interface RunningClock extends ClusterClock {
  /** Measures now; false when the source did not answer. Never throws. */
  measure(): Promise<boolean>;
  stop(): void;
}

/** Of one measurement. The quickest counts: its answer can be wrong by half its way at most (F. Cristian, 1989). */
const ROUND_TRIPS = 4;
/** A round trip this short is as good as any. */
const SHORT_MS = 0.5;
const EVERY_MS = 10_000;
/** As long as it was never measured. */
const UNKNOWN_MS = 1_000;
/** The source may be gone for good: nothing waits longer for it than this. */
const DEADLINE_MS = 2_000;
/** Worth telling people: far more than a measurement can be wrong by. */
const OFF_MS = 1_000;
/** Corrections backwards up to this are waited out, so that time does not seem to go back; larger ones are followed. */
const WAITED_OUT_MS = 1_000;

/** Measures once before it resolves, if the source answers in time. */
export async function openClusterClock(parts: ClusterClockParts): Promise<RunningClock> {
  const clock = new MeasuredClock(parts);
  await clock.measure();
  clock.start();
  return clock;
}

class MeasuredClock implements RunningClock {
  readonly #parts: ClusterClockParts;
  readonly #own: Clock;
  /** Cluster time at zero of the monotonic clock; null before it was measured. */
  #zeroAt: number | null = null;
  #last = 0;
  #isOff = false;
  #timer: NodeJS.Timeout | null = null;
  #measuring: Promise<boolean> | null = null;

  constructor(parts: ClusterClockParts) {
    this.#parts = parts;
    this.#own = parts.own ?? systemClock;
  }

  now(): number {
    if (this.#zeroAt === null) return this.#own.now();
    const now = Math.round(this.#zeroAt + this.#own.monotonic());
    if (now >= this.#last || this.#last - now > WAITED_OUT_MS) this.#last = now;
    return this.#last;
  }

  monotonic(): number {
    return this.#own.monotonic();
  }

  offsetMs(): number | null {
    if (this.#zeroAt === null) return null;
    return Math.round(this.#own.now() - (this.#zeroAt + this.#own.monotonic()));
  }

  measure(): Promise<boolean> {
    this.#measuring ??= this.#measure().finally(() => {
      this.#measuring = null;
    });
    return this.#measuring;
  }

  start(): void {
    const { everyMs = EVERY_MS } = this.#parts;
    this.#timer = setTimeout(
      async () => {
        await this.measure();
        if (this.#timer) this.start();
      },
      this.#zeroAt === null ? Math.min(everyMs, UNKNOWN_MS) : everyMs,
    );
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #measure(): Promise<boolean> {
    try {
      this.#zeroAt = await withDeadline(
        this.#ask(),
        DEADLINE_MS,
        () => new Error('no answer about the time'),
      );
    } catch (error) {
      this.#parts.log.debug({ fault: messageOf(error) }, 'the clock of the cluster cannot be asked now');
      return false;
    }
    this.#tell();
    return true;
  }

  /** Cluster time at zero of the monotonic clock, by the quickest of a few answers. */
  async #ask(): Promise<number> {
    let best = { tookMs: Number.POSITIVE_INFINITY, zeroAt: 0 };
    for (let n = 0; n < ROUND_TRIPS && best.tookMs > SHORT_MS; n += 1) {
      const askedAt = this.#own.monotonic();
      const at = await this.#parts.source.read();
      const answeredAt = this.#own.monotonic();
      const tookMs = answeredAt - askedAt;
      if (tookMs < best.tookMs) best = { tookMs, zeroAt: at - (askedAt + answeredAt) / 2 };
    }
    return best.zeroAt;
  }

  #tell(): void {
    const offsetMs = this.offsetMs() ?? 0;
    const isOff = Math.abs(offsetMs) >= OFF_MS;
    if (isOff === this.#isOff) return;
    this.#isOff = isOff;
    const { log } = this.#parts;
    if (isOff) {
      const words = `the clock of this machine is ${offsetWords(offsetMs)}; the cluster's is used`;
      log.warn({ offsetMs }, `${words}, but set it right, best with NTP`);
    } else log.info({ offsetMs }, 'the clock of this machine is right again');
  }
}

function offsetWords(offsetMs: number): string {
  return `${Math.round(Math.abs(offsetMs) / 1_000)} s ${offsetMs > 0 ? 'ahead' : 'behind'}`;
}
