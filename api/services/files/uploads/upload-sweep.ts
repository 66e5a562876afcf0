// Forgets uploads that nobody has gone on with for a day, and finished ones after a while. Any number of copies of the
// API may do this at the same time.

import type { Log } from '../../../../shared/platform/log.ts';
import type { Clock } from '../../../../shared/ports/clock.ts';
import type { UploadStore } from '../../../../shared/ports/store.ts';
import type { ResumableUploads } from './resumable-uploads.ts';

export interface UploadSweepParts {
  readonly uploads: UploadStore;
  readonly resumable: Pick<ResumableUploads, 'forget'>;
  readonly clock: Clock;
  readonly log: Log;
}

const EVERY_MS = 10 * 60_000;
/** Records in memory at a time. */
const STEP = 100;

export class UploadSweep {
  readonly #parts: UploadSweepParts;
  #timer: ReturnType<typeof setInterval> | null = null;
  #sweeping: Promise<void> | null = null;

  constructor(parts: UploadSweepParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => this.#begin(), EVERY_MS);
    this.#timer.unref();
    this.#begin();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#sweeping;
  }

  /** All that have expired by now. @returns how many were forgotten */
  async sweep(): Promise<number> {
    const { uploads, resumable, clock } = this.#parts;
    let forgotten = 0;
    for (;;) {
      const expired = await uploads.listExpired(clock.now(), STEP);
      let done = 0;
      for (const upload of expired) if (await resumable.forget(upload)) done += 1;
      forgotten += done;
      // Those that another copy took meanwhile are gone; those that were gone on with have not expired.
      if (expired.length < STEP || done === 0) return forgotten;
    }
  }

  #begin(): void {
    if (this.#sweeping !== null) return;
    this.#sweeping = this.sweep()
      .then((forgotten) => {
        if (forgotten > 0) this.#parts.log.info({ uploads: forgotten }, 'expired uploads are forgotten');
      })
      .catch((error: unknown) => this.#parts.log.warn({ err: error }, 'expired uploads could not be swept'))
      .finally(() => {
        this.#sweeping = null;
      });
  }
}
