// A cluster in one process whose machines disagree about the time: each part has the clock that its main.ts gives it,
// made from the wrong clock of its machine and the time of Redis. The runner's engine goes by its machine's clock, too.

import { inClusterTime } from '../../../runner/engine-time.ts';
import { createRunner, type Runner } from '../../../runner/runner.ts';
import { openDiskFileStore } from '../../../shared/adapters/disk/file-store.ts';
import { openDiskLogStore } from '../../../shared/adapters/disk/log-store.ts';
import { openRedis } from '../../../shared/adapters/redis/open.ts';
import { createScriptedEngine, openScriptedRuntime } from '../../../shared/adapters/scripted/open.ts';
import { openClusterClock, type RunningClock } from '../../../shared/platform/cluster-clock.ts';
import { loadRunnerConfig } from '../../../shared/platform/config/runner.ts';
import type { TimeSource } from '../../../shared/ports/clock.ts';
import { collectLive } from '../../support/live-collectors.ts';
import { tempDir } from '../../support/servers.ts';
import { skewedClock } from '../../support/skewed-clock.ts';
import { type Bed, log } from '../scheduler/bed.ts';

export function clockOf(source: TimeSource, aheadMs: number): Promise<RunningClock> {
  return openClusterClock({ source, own: skewedClock(aheadMs), log });
}

/** A worker machine whose clock is ahead by so much; its runner can be started again and again on the same engine. */
export async function openMachine(bed: Bed, workerId: string, aheadMs: number) {
  const { path: dataDir, remove } = await tempDir();
  const redis = await openRedis({ url: bed.url, prefix: bed.prefix, patience: 'patient', log });
  const clock = await clockOf(redis.time, aheadMs);
  const engine = createScriptedEngine();
  const runtime = inClusterTime(openScriptedRuntime({ engine, clock: skewedClock(aheadMs) }), clock);
  const config = loadRunnerConfig({
    DATA_DIR: dataDir,
    WORKER_ID: workerId,
    WORKER_CPUS: '4',
    WORKER_MEMORY_MB: '2048',
    WORKER_STORAGE_MB: '1000',
    STOP_GRACE_SECONDS: '1',
    WORKER_LEASE_SECONDS: '10',
    NETWORK_SLOTS: '0',
  });
  let runner: Runner | null = null;

  return {
    /** A new life of the runner. */
    async start(): Promise<void> {
      await runner?.stop();
      const { inbox, presence, bus, intake, images } = redis;
      const logs = openDiskLogStore(dataDir);
      const files = await openDiskFileStore(dataDir);
      const { store } = bed;
      runner = createRunner({
        ...{ config, store, inbox, presence, bus, intake, images, logs, files, runtime, clock, log },
        ...collectLive().parts,
        clockOffsetMs: () => clock.offsetMs(),
        onFatal: (error) => {
          throw error;
        },
      });
      await runner.start();
    },

    async close(): Promise<void> {
      await runner?.stop();
      clock.stop();
      await runtime.close();
      await redis.close();
      await remove();
    },
  };
}
