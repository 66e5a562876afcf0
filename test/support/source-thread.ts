// The thread that keeps a lease, from its source.

import { Worker } from 'node:worker_threads';
import { type LeaseThreadData, RedisLeaseKeeper } from '../../shared/adapters/redis/lease-keeper.ts';
import { silentLog } from '../../shared/platform/log.ts';
import type { LeaseKeeper } from '../../shared/ports/coordination.ts';
import { redisUrl } from './servers.ts';

const THREAD = new URL('../../shared/adapters/redis/lease-thread.ts', import.meta.url);

/** `--import tsx` does nothing in a thread. */
const START = `import('tsx/esm/api').then(({ register }) => {
  register();
  return import(${JSON.stringify(THREAD.href)});
})`;

export function sourceLeaseKeeper(prefix: string): LeaseKeeper {
  const openThread = (workerData: LeaseThreadData) => new Worker(START, { eval: true, workerData });
  return new RedisLeaseKeeper({ url: redisUrl, prefix, log: silentLog(), openThread });
}
