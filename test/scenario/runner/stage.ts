// A runner on a real store, log store, Redis and container runtime, with the test in the part of the scheduler. Faults
// of the store, the log store and the lease are switched on and off in front of the real thing.

import { createRunner, type Runner, type RunnerParts } from '../../../runner/runner.ts';
import { openDiskFileStore } from '../../../shared/adapters/disk/file-store.ts';
import { openDiskLogStore } from '../../../shared/adapters/disk/log-store.ts';
import { openRedis } from '../../../shared/adapters/redis/open.ts';
import {
  createScriptedEngine,
  openScriptedRuntime,
  type ScriptedEngine,
} from '../../../shared/adapters/scripted/open.ts';
import { openSqliteStore } from '../../../shared/adapters/sqlite/open.ts';
import { AppError } from '../../../shared/errors.ts';
import type { ClusterEvent } from '../../../shared/model/event.ts';
import type { LogLine } from '../../../shared/model/log-line.ts';
import type { Eviction, Task, TaskSpec, TaskState } from '../../../shared/model/task.ts';
import { assignTask, evictTask, requestCancel, type Step } from '../../../shared/model/task-life.ts';
import { systemClock } from '../../../shared/platform/clock.ts';
import { loadRunnerConfig, type RunnerConfig } from '../../../shared/platform/config/runner.ts';
import { createLog, silentLog } from '../../../shared/platform/log.ts';
import type { ContainerRuntime } from '../../../shared/ports/container-runtime.ts';
import type { FileStore } from '../../../shared/ports/file-store.ts';
import type { LogStore } from '../../../shared/ports/log-store.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { collectLive } from '../../support/live-collectors.ts';
import { redisUrl, tempDir, uniqueName } from '../../support/servers.ts';
import { makeTask, taken } from '../../support/tasks.ts';
import { waitFor } from '../../support/wait-for.ts';

export interface StageOptions {
  openRuntime(workerId: string): Promise<ContainerRuntime> | ContainerRuntime;
  readonly env?: Record<string, string>;
}

export interface StartedRunner {
  readonly runner: Runner;
  readonly fatal: AppError[];
}

export type Stage = Awaited<ReturnType<typeof openStage>>;

export async function openStage(options: StageOptions) {
  const { path: dataDir, remove } = await tempDir();
  const log = process.env.TEST_LOG ? createLog('test', 'trace') : silentLog();
  const workerId = uniqueName('w-');
  const store = await openSqliteStore(`${dataDir}/cloudai.db`);
  const logs = openDiskLogStore(`${dataDir}/files`);
  const files = await openDiskFileStore(`${dataDir}/files`);
  const prefix = uniqueName('t-runner-');
  const redis = await openRedis({ url: redisUrl, prefix, patience: 'patient', log });
  const runtime = await options.openRuntime(workerId);
  const term = await store.nextTerm();
  const away = { store: false, logs: false, files: false, lease: false };
  const runners: Runner[] = [];
  const live = collectLive();
  const events: ClusterEvent[] = [];
  await redis.bus.subscribe((event) => events.push(event));

  const config: RunnerConfig = loadRunnerConfig({
    DATA_DIR: dataDir,
    WORKER_ID: workerId,
    WORKER_CPUS: '4',
    WORKER_MEMORY_MB: '2048',
    WORKER_STORAGE_MB: '1000',
    WORKER_GPUS: '2',
    STOP_GRACE_SECONDS: '1',
    WORKER_LEASE_SECONDS: '3',
    NETWORK_SLOTS: '0',
    ...options.env,
  });

  async function write(task: Task, decide: (task: Task) => Step): Promise<Task> {
    return waitFor(
      async () => {
        const current = (await store.tasks.get(task.id)) ?? task;
        const next = taken(decide(current));
        return (await store.tasks.commit(next)) ? next : null;
      },
      { what: 'a write of the test' },
    );
  }

  const stage = {
    workerId,
    prefix,
    store,
    logs,
    files,
    redis,
    runtime,
    config,
    away,
    events,
    live,
    write,

    async start(over: Partial<RunnerParts> = {}): Promise<StartedRunner> {
      const fatal: AppError[] = [];
      const { inbox, presence, bus, intake } = redis;
      const runner = createRunner({
        config,
        store: mayBeAway(store, away),
        inbox,
        presence: {
          beat: async (...args) => {
            if (away.lease) throw new AppError('queue_unavailable', 'cut off', { retryable: true });
            return presence.beat(...args);
          },
          present: () => presence.present(),
          leave: (...args) => presence.leave(...args),
          extend: (...args) => presence.extend(...args),
        },
        bus,
        intake,
        logs: logsMayBeAway(logs, away),
        ...live.parts,
        images: redis.images,
        files: filesMayBeAway(files, away),
        runtime,
        clock: systemClock,
        log,
        onFatal: (error) => fatal.push(error),
        ...over,
      });
      runners.push(runner);
      await runner.start();
      return { runner, fatal };
    },

    async insert(spec: Partial<TaskSpec> = {}): Promise<Task> {
      const task = makeTask(spec);
      await store.tasks.insert([task]);
      return task;
    },

    async submit(spec: Partial<TaskSpec> = {}, over: { gpuIds?: readonly string[] } = {}): Promise<Task> {
      return stage.place(await stage.insert(spec), over);
    },

    /** The runner started last, also while it starts. */
    lastRunner: (): Runner | undefined => runners.at(-1),

    /** What the scheduler does: assign, place, deliver. */
    async place(task: Task, over: { deliver?: boolean; gpuIds?: readonly string[] } = {}): Promise<Task> {
      const { gpuIds = [] } = over;
      const assigned = taken(assignTask(task, { workerId, gpuIds, term, now: Date.now() }));
      const placed = await store.tasks.place([assigned], term);
      if (!placed.has(task.id)) throw new Error('the placement was refused');
      if (over.deliver ?? true) await stage.deliver(assigned);
      return assigned;
    },

    deliver: (task: Task) => redis.deliveries.deliver([{ workerId, taskId: task.id, attempt: task.attempt }]),

    async cancel(task: Task, over: { force?: boolean; nudge?: boolean } = {}): Promise<void> {
      const by = { force: over.force ?? false, requestedBy: 'alice', now: Date.now() };
      await write(task, (current) => requestCancel(current, by));
      if (over.nudge ?? true) await redis.bus.nudge(workerId, { type: 'cancel', taskId: task.id });
    },

    /** What the scheduler does to have an attempt leave. */
    async evict(task: Task, over: { nudge?: boolean; cause?: Eviction['cause'] } = {}): Promise<Task> {
      const { nudge = true, cause = 'preempted' } = over;
      const wish = { requestedAt: Date.now(), cause, message: 'makes room for another' };
      const written = await write(task, (current) =>
        evictTask(current, { ...wish, attempt: current.attempt, workerId }),
      );
      if (nudge) await redis.bus.nudge(workerId, { type: 'evict', taskId: task.id });
      return written;
    },

    async task(id: string): Promise<Task> {
      const task = await store.tasks.get(id);
      if (!task) throw new Error(`${id} is not there`);
      return task;
    },

    until(task: Task, states: readonly TaskState[], deadlineMs = 30_000): Promise<Task> {
      return waitFor(
        async () => {
          const now = await stage.task(task.id);
          return states.includes(now.state) ? now : null;
        },
        { what: `${task.id} to be ${states.join(' or ')}`, deadlineMs },
      );
    },

    ended: (task: Task, deadlineMs = 30_000) =>
      stage.until(task, ['completed', 'failed', 'cancelled'], deadlineMs),

    lines: (task: Task): Promise<LogLine[]> => logs.read(task.id, task.attempt, 1, 1_000_000),

    async output(task: Task): Promise<string[]> {
      return (await stage.lines(task)).map(({ line }) => line);
    },

    untilPrinted(task: Task, text: string): Promise<string[]> {
      return waitFor(
        async () => {
          const output = await stage.output(task);
          return output.includes(text) ? output : null;
        },
        { what: `the line "${text}"`, deadlineMs: 30_000 },
      );
    },

    /** The container goes after the result is committed. */
    untilNoContainers(): Promise<unknown> {
      return waitFor(async () => (await runtime.list(workerId)).length === 0, {
        what: 'all containers to be gone',
        deadlineMs: 20_000,
      });
    },

    untilNoDeliveries(): Promise<unknown> {
      return waitFor(async () => (await redis.deliveries.depth(workerId)) === 0, {
        what: 'all deliveries to be done',
      });
    },

    async close(): Promise<void> {
      Object.assign(away, { store: false, logs: false, files: false, lease: false });
      await Promise.all(runners.map((runner) => runner.stop()));
      for (const { id } of await runtime.list(workerId)) await runtime.remove(id);
      await runtime.close();
      await redis.deliveries.clear(workerId);
      await redis.close();
      await store.close();
      await remove();
    },
  };
  return stage;
}

export const small = { cpuMillis: 100, memoryMb: 10, gpus: 0, storageMb: 0 };

/** Its containers are played by the engine, which tests may break. */
export async function openScriptedStage(
  env: Record<string, string> = {},
): Promise<{ stage: Stage; engine: ScriptedEngine }> {
  const engine = createScriptedEngine();
  const stage = await openStage({ openRuntime: () => openScriptedRuntime({ engine }), env });
  return { stage, engine };
}

interface Away {
  readonly store: boolean;
  readonly logs: boolean;
  readonly files: boolean;
}

function filesMayBeAway(files: FileStore, away: Away): FileStore {
  const check = () => {
    if (away.files) throw new AppError('store_unavailable', 'the file store is away', { retryable: true });
  };
  return {
    write: async (id, content, options) => {
      try {
        check();
      } catch (error) {
        content.destroy();
        throw error;
      }
      return files.write(id, content, options);
    },
    read: async (...args) => {
      check();
      return files.read(...args);
    },
    remove: async (ids) => {
      check();
      return files.remove(ids);
    },
  };
}

function mayBeAway(store: Store, away: Away): Store {
  const gate = <T extends object>(part: T): T =>
    new Proxy(part, {
      get: (target, name) => {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          if (away.store) throw new AppError('store_unavailable', 'the store is away', { retryable: true });
          return value.apply(target, args);
        };
      },
    });
  return {
    tasks: gate(store.tasks),
    workers: gate(store.workers),
    registrations: gate(store.registrations),
    users: gate(store.users),
    files: gate(store.files),
    uploads: gate(store.uploads),
    history: gate(store.history),
    webhooks: gate(store.webhooks),
    audit: gate(store.audit),
    nextTerm: () => store.nextTerm(),
    copies: store.copies,
    generation: () => store.generation(),
    ping: () => store.ping(),
    close: () => store.close(),
  };
}

function logsMayBeAway(logs: LogStore, away: Away): LogStore {
  const check = () => {
    if (away.logs) throw new AppError('store_unavailable', 'the log store is away', { retryable: true });
  };
  return {
    append: async (...args) => {
      check();
      return logs.append(...args);
    },
    read: (...args) => logs.read(...args),
    position: async (...args) => {
      check();
      return logs.position(...args);
    },
    remove: (taskId) => logs.remove(taskId),
  };
}
