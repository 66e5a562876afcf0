// Composition root of the API process. With --restore <file> it puts a backup into the store and ends.

import { systemClock } from '../shared/platform/clock.ts';
import { openClusterClock } from '../shared/platform/cluster-clock.ts';
import { loadApiConfig } from '../shared/platform/config/api.ts';
import { loadCommonConfig } from '../shared/platform/config/common.ts';
import { renewHealthFile } from '../shared/platform/health-file.ts';
import { instanceName } from '../shared/platform/ids.ts';
import { createLog } from '../shared/platform/log.ts';
import { runService } from '../shared/platform/service.ts';
import { apiPartsOn, openRedis } from '../shared/wiring/open-redis.ts';
import { openRecords } from '../shared/wiring/open-store.ts';
import { openTracing } from '../shared/wiring/open-tracing.ts';
import { createApi } from './server.ts';
import { restoreArgument, restoreOffline } from './services/backups/offline-restore.ts';

await runService({
  name: 'api',
  start: async () => {
    const backup = restoreArgument(process.argv);
    if (backup !== null) return restoreAndEnd(backup);
    const config = loadApiConfig(process.env);
    const log = createLog('api', config.logLevel);
    renewHealthFile(config.healthFile, log);
    const tracer = await openTracing({
      config: config.tracing,
      service: 'api',
      instance: instanceName(),
      log,
    });
    const { store, logs, files } = await openRecords(config);
    const redis = await openRedis({
      url: config.redisUrl,
      prefix: config.redisPrefix,
      patience: 'fail-fast',
      log,
    });
    const clock = await openClusterClock({ source: redis.time, log });
    const api = await createApi({
      config,
      store,
      logs,
      files,
      log,
      ...apiPartsOn(redis, config),
      tracer,
      clock,
    });
    const url = await api.start();
    log.info({ url }, 'api is up');
    const stop = async () => {
      await api.stop();
      await tracer.close();
      clock.stop();
      await redis.close();
      await store.close();
    };
    return { service: { stop }, log };
  },
});

async function restoreAndEnd(backup: string): Promise<never> {
  const config = loadCommonConfig(process.env);
  const { store } = await openRecords(config);
  try {
    const done = await restoreOffline(backup, { store, clock: systemClock, log: createLog('api', 'warn') });
    process.stdout.write(`${JSON.stringify(done, null, 2)}\n`);
  } finally {
    await store.close();
  }
  process.exit(0);
}
