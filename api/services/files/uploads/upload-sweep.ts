// Forgets uploads that nobody has gone on with for a day, and finished ones after a while. Any number of copies of the
// API may do this at the same time.

import type { Log } from '../../../../shared/platform/log.ts';
import { Pulse } from '../../../../shared/platform/pulse.ts';
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
  readonly #pulse: Pulse;

  constructor(parts: UploadSweepParts) {
    const { log } = parts;
    this.#parts = parts;
    this.#pulse = new Pulse({
      everyMs: EVERY_MS,
      work: async () => {
        const forgotten = await this.sweep();
        if (forgotten > 0) log.info({ uploads: forgotten }, 'expired uploads are forgotten');
      },
      onFault: (error) => log.warn({ err: error }, 'expired uploads could not be swept'),
    });
  }

  start(): void {
    this.#pulse.start();
  }

  stop(): Promise<void> {
    return this.#pulse.stop();
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
}
