// Composition root of the runner, the daemon on each worker machine.

import { systemClock } from '../shared/platform/clock.ts';
import { loadRunnerConfig } from '../shared/platform/config.ts';
import { createLog } from '../shared/platform/log.ts';
import { EXIT_FAULT, runService } from '../shared/platform/service.ts';
import { openRedis } from '../shared/wiring/open-redis.ts';
import { openRuntime } from '../shared/wiring/open-runtime.ts';
import { openRecords } from '../shared/wiring/open-store.ts';
import { createRunner } from './runner.ts';

await runService({
  name: 'runner',
  start: async () => {
    const config = loadRunnerConfig(process.env);
    const log = createLog('runner', config.logLevel);
    const { store, logs, files } = await openRecords(config);
    const redis = await openRedis({
      url: config.redisUrl,
      prefix: config.redisPrefix,
      patience: 'patient',
      log,
    });
    const runtime = await openRuntime(config, log);
    const { inbox, presence, bus, intake, liveLogs, rooms, progress } = redis;
    const stop = async () => {
      await runner.stop();
      await runtime.close();
      await redis.close();
      await store.close();
    };
    const runner = createRunner({
      config,
      store,
      inbox,
      presence,
      bus,
      intake,
      logs,
      liveLogs,
      rooms,
      progress,
      files,
      runtime,
      clock: systemClock,
      log,
      onFatal: (error) => {
        log.fatal({ err: error }, error.message);
        process.stderr.write(`runner: ${error.message}\n`);
        stop().finally(() => process.exit(EXIT_FAULT));
      },
    });
    await runner.start();
    log.info({ workerId: config.workerId }, 'runner is up');
    return { service: { stop }, log };
  },
});
