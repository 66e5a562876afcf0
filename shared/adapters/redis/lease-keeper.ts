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

const RESTART_MS = 1_000;
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
    let thread: Worker;
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    const start = () => {
      thread = open(workerData);
      // The process ends when it has nothing else to do.
      thread.unref();
      thread.on('error', (error) => log.error({ err: error }, 'the thread that keeps the lease has failed'));
      thread.on('exit', () => {
        if (!isOver) timer = setTimeout(start, RESTART_MS);
      });
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
        await thread.terminate();
      },
    };
  }
}
