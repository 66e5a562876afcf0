// What a scripted container is measured to use: it says so itself, and the clock does the rest.

import type { ContainerUsage } from '../../model/usage.ts';
import type { Clock } from '../../ports/clock.ts';

export class UsageMeter {
  readonly #clock: Clock;
  #cpuMillis = 0;
  #memoryMb = 0;
  /** Processor time up to `#since`. */
  #cpuMs = 0;
  #since: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  /** From now on so much: thousandths of a core, and mebibytes. */
  set(cpuMillis: number, memoryMb: number): void {
    this.#cpuMs = this.#cpuNow();
    this.#since = this.#clock.monotonic();
    this.#cpuMillis = cpuMillis;
    this.#memoryMb = memoryMb;
  }

  measure(): ContainerUsage {
    return {
      at: this.#clock.now(),
      cpuMs: this.#cpuNow(),
      memoryMb: this.#memoryMb,
      networkReceivedBytes: 0,
      networkSentBytes: 0,
    };
  }

  #cpuNow(): number {
    return this.#cpuMs + ((this.#clock.monotonic() - this.#since) * this.#cpuMillis) / 1_000;
  }
}
