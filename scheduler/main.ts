// Composition root of the scheduler process. Any number may run; one leads.

import { openClusterClock } from '../shared/platform/cluster-clock.ts';
import { loadSchedulerConfig } from '../shared/platform/config/scheduler.ts';
import { renewHealthFile } from '../shared/platform/health-file.ts';
import { instanceName } from '../shared/platform/ids.ts';
import { createLog } from '../shared/platform/log.ts';
import { runService } from '../shared/platform/service.ts';
import { openRedis } from '../shared/wiring/open-redis.ts';
import { openRecords } from '../shared/wiring/open-store.ts';
import { openTracing } from '../shared/wiring/open-tracing.ts';
import { openSchedulerMetrics } from './metrics.ts';
import { createScheduler } from './scheduler.ts';

await runService({
  name: 'scheduler',
  start: async () => {
    const config = loadSchedulerConfig(process.env);
    const log = createLog('scheduler', config.logLevel);
    renewHealthFile(config.healthFile, log);
    const tracing = { config: config.tracing, service: 'scheduler', instance: instanceName() };
    const tracer = await openTracing({ ...tracing, log });
    const { store } = await openRecords(config);
    const redis = await openRedis({
      url: config.redisUrl,
      prefix: config.redisPrefix,
      patience: 'patient',
      log,
    });
    const clock = await openClusterClock({ source: redis.time, log });
    const { intake, deliveries, lease, presence, bus, images } = redis;
    const scheduler = createScheduler({
      config,
      store,
      intake,
      deliveries,
      lease,
      presence,
      bus,
      images,
      board: redis.schedulerBoard,
      decisionLog: redis.decisions,
      clock,
      log,
      tracer,
    });
    const metrics = await openSchedulerMetrics(config.metrics, () => scheduler.report(), log);
    await scheduler.start();
    log.info('scheduler is up');
    const stop = async () => {
      await scheduler.stop();
      await metrics.close();
      await tracer.close();
      clock.stop();
      await redis.close();
      await store.close();
    };
    return { service: { stop }, log };
  },
});
