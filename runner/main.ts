// Composition root of the runner, the daemon on each worker machine. It belongs to the cluster its settings name, or,
// started with --wait, to the one that adds it.

import { messageOf } from '../shared/errors.ts';
import { NO_DOOR, openMetricsDoor } from '../shared/metrics/serve.ts';
import { systemClock } from '../shared/platform/clock.ts';
import { openClusterClock } from '../shared/platform/cluster-clock.ts';
import { loadRunnerConfig } from '../shared/platform/config/runner.ts';
import { loadWaitingConfig } from '../shared/platform/config/waiting-runner.ts';
import { renewHealthFile } from '../shared/platform/health-file.ts';
import { createLog, type Log } from '../shared/platform/log.ts';
import { EXIT_FAULT, runService, tellSupervisor } from '../shared/platform/service.ts';
import { stopDeadlineOf } from '../shared/platform/shutdown.ts';
import { openRedis } from '../shared/wiring/open-redis.ts';
import { openRuntime, removeNetworks } from '../shared/wiring/open-runtime.ts';
import { openRecords } from '../shared/wiring/open-store.ts';
import { openTracing } from '../shared/wiring/open-tracing.ts';
import { tryCluster } from '../shared/wiring/try-cluster.ts';
import { RUNNER_USAGE, type RunnerArguments, readRunnerArguments } from './adopt/arguments.ts';
import type { MemberLife, MemberService } from './adopt/membership.ts';
import { inClusterTime } from './engine-time.ts';
import { createRunnerMetrics } from './metrics.ts';
import { createRunner, type Runner } from './runner.ts';

await runService({
  name: 'runner',
  start: async () => {
    const args = readRunnerArguments(process.argv.slice(2));
    if (!args) {
      process.stdout.write(`${RUNNER_USAGE}\n`);
      process.exit(0);
    }
    if (args.removeNetworks) {
      const { removed, used } = await removeNetworks(loadRunnerConfig(process.env).dockerHost);
      const lines = [
        removed.length > 0 ? `removed: ${removed.join(', ')}` : 'nothing was removed',
        ...(used.length > 0 ? [`in use by containers: ${used.join(', ')}`] : []),
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
      process.exit(0);
    }
    return args.wait ? startWaiting(args) : startMember();
  },
});

async function startMember() {
  const config = loadRunnerConfig(process.env);
  const log = createLog('runner', config.logLevel);
  renewHealthFile(config.healthFile, log);
  const service = await openRunner({ config }, log);
  await service.up;
  return { service, log, stopDeadlineMs: stopDeadlineOf(config.shutdown) };
}

async function startWaiting({ listen, forget }: RunnerArguments) {
  const env = listen === null ? process.env : { ...process.env, RUNNER_LISTEN: listen };
  const config = loadWaitingConfig(env);
  const log = createLog('runner', config.logLevel);
  renewHealthFile(config.healthFile, log);
  if (env.STORE_URL || env.REDIS_URL) log.warn('STORE_URL and REDIS_URL are not used with --wait');
  // Most runners never wait: what only waiting needs is loaded here.
  const { Membership } = await import('./adopt/membership.ts');
  const service = new Membership({
    config,
    env,
    forget,
    clock: systemClock,
    log,
    tryCluster,
    openRunner: (life) => openRunner(life, log),
    say: tellSupervisor,
    onFatal: (error) => die(error, log, () => service.stop()),
  });
  await service.start();
  return { service, log, stopDeadlineMs: stopDeadlineOf(loadRunnerConfig(env).shutdown) };
}

type Life = Pick<MemberLife, 'config'> & Partial<MemberLife>;

async function openRunner({ config, ...life }: Life, log: Log): Promise<MemberService> {
  const { host, port } = config.metrics;
  const metrics = port === null ? null : createRunnerMetrics(() => runner.status());
  const tracer = await openTracing({
    config: config.tracing,
    service: 'runner',
    instance: config.workerId,
    log,
  });
  const { store, logs, files } = await openRecords(config);
  const redis = await openRedis({
    url: config.redisUrl,
    prefix: config.redisPrefix,
    patience: 'patient',
    log,
  });
  const clock = await openClusterClock({ source: redis.time, log });
  const runtime = inClusterTime(await openRuntime(config, log), clock);
  const { inbox, presence, keeper, bus, intake, liveLogs, rooms, progress, usage, images } = redis;
  let stopping: Promise<void> | null = null;
  const stop = () => {
    stopping ??= runner
      .stop()
      .then(() => {
        clock.stop();
        return runtime.close();
      })
      .then(() => redis.close())
      .then(() => store.close())
      .then(() => Promise.all([door.close(), tracer.close()]))
      .then(() => undefined);
    return stopping;
  };
  const runner: Runner = createRunner({
    config,
    ...life,
    store,
    inbox,
    presence,
    keeper,
    bus,
    intake,
    logs,
    liveLogs,
    rooms,
    progress,
    usage,
    images,
    files,
    runtime,
    clock,
    clockOffsetMs: () => clock.offsetMs(),
    log,
    tracer,
    ...(metrics && { watch: metrics.watch }),
    onFatal: (error) => die(error, log, stop),
  });
  const door =
    metrics === null || port === null
      ? NO_DOOR
      : await openMetricsDoor({
          host,
          port,
          contentType: metrics.registry.contentType,
          render: () => metrics.registry.render(),
          log,
        });
  const up = runner.start().then(() => log.info({ workerId: config.workerId }, 'runner is up'));
  return { stop, hurry: (how) => runner.hurry(how), up };
}

function die(error: unknown, log: Log, stop: () => Promise<void>): void {
  log.fatal({ err: error }, messageOf(error));
  process.stderr.write(`runner: ${messageOf(error)}\n`);
  stop().finally(() => process.exit(EXIT_FAULT));
}
