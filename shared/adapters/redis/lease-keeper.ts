// Keeps a worker's lease from a thread with a connection of its own: what the loop does, and what waits to be sent on the
// connection of the process, never delays it. The two threads share two times, by the clock that never goes back:
// the loop's last sign of life, and the last renewal.

import { Worker } from 'node:worker_threads';
import type { LogLevel } from '../../platform/config/common.ts';
import type { Log } from '../../platform/log.ts';
import type { KeptLease, LeaseKeeper } from '../../ports/coordination.ts';

export interface LeaseKeeperOptions {
  readonly url: string;
  readonly prefix: string;
  readonly log: Log;
  /** From source the thread needs a loader. */
  readonly openThread?: (workerData: LeaseThreadData) => Worker;
}

/** What the thread is given. */
export interface LeaseThreadData {
  readonly url: string;
  readonly prefix: string;
  readonly logLevel: LogLevel;
  readonly lease: Parameters<LeaseKeeper['keep']>[0];
  /** Nanoseconds of `process.hrtime`, which is one for all threads of a process. */
  readonly times: BigInt64Array<SharedArrayBuffer>;
}

export const SIGN_OF_LIFE = 0;
export const RENEWED = 1;

/** Before a thread that ended is replaced. One that cannot work at all is not tried all the time. */
const FIRST_RESTART_MS = 1_000;
const LONGEST_RESTART_MS = 60_000;
const NS_PER_MS = 1e6;

/** As it was compiled. */
function openThread(workerData: LeaseThreadData): Worker {
  return new Worker(new URL('./lease-thread.js', import.meta.url), { workerData, name: 'lease' });
}

export class RedisLeaseKeeper implements LeaseKeeper {
  readonly #options: LeaseKeeperOptions;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  keep(lease: LeaseThreadData['lease']): KeptLease {
    const { url, prefix, log, openThread: open = openThread } = this.#options;
    const times = new BigInt64Array(new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT));
    const workerData: LeaseThreadData = { url, prefix, logLevel: log.level as LogLevel, lease, times };
    const signOfLife = () => void Atomics.store(times, SIGN_OF_LIFE, process.hrtime.bigint());
    let thread: Worker | null = null;
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    let restartMs = FIRST_RESTART_MS;
    const failed = (error: unknown) =>
      log.error({ err: error }, 'the thread that keeps the lease has failed; another is started');
    const startAgain = (renewedBefore: bigint) => {
      if (isOver) return;
      if (Atomics.load(times, RENEWED) > renewedBefore) restartMs = FIRST_RESTART_MS;
      timer = setTimeout(start, restartMs);
      timer.unref();
      restartMs = Math.min(2 * restartMs, LONGEST_RESTART_MS);
    };
    const start = () => {
      const renewedBefore = Atomics.load(times, RENEWED);
      try {
        thread = open(workerData);
      } catch (error) {
        // A machine that is short of threads. The loop renews the lease, too.
        failed(error);
        startAgain(renewedBefore);
        return;
      }
      // The process ends when it has nothing else to do.
      thread.unref();
      thread.on('error', failed);
      thread.on('exit', () => startAgain(renewedBefore));
    };
    signOfLife();
    start();
    return {
      signOfLife,
      sinceRenewedMs: () => {
        const at = Atomics.load(times, RENEWED);
        return at === 0n ? Number.POSITIVE_INFINITY : Number(process.hrtime.bigint() - at) / NS_PER_MS;
      },
      stop: async () => {
        isOver = true;
        clearTimeout(timer);
        await thread?.terminate();
      },
    };
  }
}
