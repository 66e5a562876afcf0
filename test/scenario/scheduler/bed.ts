// A cluster in one process: real store file, real Redis, any number of schedulers, workers played by the test.

import { Redis } from 'ioredis';
import { createScheduler, type Scheduler, type SchedulerParts } from '../../../scheduler/scheduler.ts';
import { openRedis, type RedisParts } from '../../../shared/adapters/redis/open.ts';
import { openSqliteStore } from '../../../shared/adapters/sqlite/open.ts';
import { taskChanged } from '../../../shared/model/event.ts';
import { resourceShape } from '../../../shared/model/resources.ts';
import type { PlanRules } from '../../../shared/model/scheduling.ts';
import type { Task, TaskSpec } from '../../../shared/model/task.ts';
import { systemClock } from '../../../shared/platform/clock.ts';
import { loadSchedulerConfig } from '../../../shared/platform/config/scheduler.ts';
import { createLog, silentLog } from '../../../shared/platform/log.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { EventBus, LeaderLease } from '../../../shared/ports/coordination.ts';
import type { ImageBoard } from '../../../shared/ports/image-board.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { redisUrl, tempDir, uniqueName } from '../../support/servers.ts';
import { makeTask } from '../../support/tasks.ts';
import { waitFor } from '../../support/wait-for.ts';
import { PlayedWorker, type PlayedWorkerOptions } from './played-worker.ts';

export interface BedOptions {
  readonly url?: string;
  readonly workerLeaseSeconds?: number;
  readonly leaderLeaseSeconds?: number;
  readonly reconcileSeconds?: number;
  readonly unhealthyGraceSeconds?: number;
}

/** Longer than a busy machine holds up a heartbeat; who waits for one to run out asks for less. */
const LEASE_SECONDS = 20;

export const log = process.env.TEST_LOG ? createLog('test', 'debug') : silentLog();

export class Bed {
  readonly store: Store;
  readonly redis: RedisParts;
  readonly #options: BedOptions;
  readonly #prefix: string;
  readonly #path: string;
  readonly #ends: (() => Promise<unknown>)[] = [];

  private constructor(of: {
    store: Store;
    redis: RedisParts;
    options: BedOptions;
    prefix: string;
    path: string;
  }) {
    this.store = of.store;
    this.redis = of.redis;
    this.#options = of.options;
    this.#prefix = of.prefix;
    this.#path = of.path;
  }

  static async open(options: BedOptions = {}): Promise<Bed> {
    const dir = await tempDir();
    const path = `${dir.path}/store.db`;
    const prefix = uniqueName('sched-');
    const store = await openSqliteStore(path);
    const redis = await openRedis({ url: options.url ?? redisUrl, prefix, patience: 'patient', log });
    const bed = new Bed({ store, redis, options, prefix, path });
    bed.#ends.push(
      dir.remove,
      () => store.close(),
      () => dropKeys(bed),
      () => redis.close(),
    );
    return bed;
  }

  get url(): string {
    return this.#options.url ?? redisUrl;
  }

  get prefix(): string {
    return this.#prefix;
  }

  /** A scheduler like another process: own connections to store and Redis. */
  async addScheduler(
    over: {
      lease?: (real: LeaderLease) => LeaderLease;
      store?: (real: Store) => Store;
      images?: (real: ImageBoard) => ImageBoard;
      bus?: (real: EventBus) => EventBus;
      clock?: Clock;
      rules?: Partial<PlanRules>;
    } = {},
  ): Promise<Scheduler> {
    const ownStore = await openSqliteStore(this.#path);
    const store = over.store?.(ownStore) ?? ownStore;
    const redis = await openRedis({ url: this.url, prefix: this.#prefix, patience: 'patient', log });
    const {
      workerLeaseSeconds = LEASE_SECONDS,
      leaderLeaseSeconds = 10,
      reconcileSeconds = 1,
    } = this.#options;
    const { unhealthyGraceSeconds = 30 } = this.#options;
    const defaults = loadSchedulerConfig({});
    const config: SchedulerParts['config'] = {
      ...defaults,
      rules: { ...defaults.rules, ...over.rules },
      workerLeaseSeconds,
      leaderLeaseSeconds,
      reconcileSeconds,
      unhealthyGraceSeconds,
    };
    const { intake, deliveries, presence, schedulerBoard: board, decisions: decisionLog } = redis;
    const images = over.images?.(redis.images) ?? redis.images;
    const lease = over.lease?.(redis.lease) ?? redis.lease;
    const bus = over.bus?.(redis.bus) ?? redis.bus;
    const scheduler = createScheduler({
      config,
      store,
      intake,
      deliveries,
      lease,
      presence,
      bus,
      images,
      board,
      decisionLog,
      clock: over.clock ?? systemClock,
      log,
    });
    this.#ends.push(
      () => ownStore.close(),
      () => redis.close(),
      () => scheduler.stop(),
    );
    await scheduler.start();
    return scheduler;
  }

  async addWorker(id: string, options: PlayedWorkerOptions = {}): Promise<PlayedWorker> {
    const redis = await openRedis({ url: this.url, prefix: this.#prefix, patience: 'patient', log });
    const leaseMs = (this.#options.workerLeaseSeconds ?? LEASE_SECONDS) * 1_000;
    const worker = new PlayedWorker(id, { store: this.store, redis, leaseMs, ...options });
    this.#ends.push(
      () => redis.close(),
      () => worker.die(),
    );
    await worker.start();
    return worker;
  }

  /** As the API does it: the record first, then the queue. */
  async submit(
    specs: readonly Partial<TaskSpec>[],
    options: { quietly?: boolean; over?: Partial<Task> } = {},
  ): Promise<Task[]> {
    const now = Date.now();
    const tasks = specs.map((spec) => makeTask(spec, { submittedAt: now, queuedAt: now, ...options.over }));
    await this.store.tasks.insert(tasks);
    if (options.quietly) return tasks;
    await this.redis.intake.add(
      tasks.map(({ id, spec }) => ({
        taskId: id,
        priority: spec.priority,
        shape: resourceShape(spec.resources),
      })),
    );
    await this.redis.bus.publishMany(tasks.map(taskChanged));
    return tasks;
  }

  async task(id: string): Promise<Task> {
    const task = await this.store.tasks.get(id);
    if (!task) throw new Error(`no task ${id}`);
    return task;
  }

  async until(
    ids: readonly string[],
    states: readonly Task['state'][],
    deadlineMs = 60_000,
  ): Promise<Task[]> {
    return waitFor(
      async () => {
        const tasks = await this.store.tasks.getMany(ids);
        const there = tasks.filter(({ state }) => states.includes(state));
        return there.length === ids.length ? there : null;
      },
      { what: `${ids.length} tasks to be ${states.join(' or ')}`, deadlineMs },
    );
  }

  async close(): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
  }
}

async function dropKeys({ url, prefix }: Bed): Promise<void> {
  const client = new Redis(url, { retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    for await (const keys of client.scanStream({ match: `${prefix}:*`, count: 1_000 })) {
      if ((keys as string[]).length > 0) await client.unlink(...(keys as string[]));
    }
  } finally {
    client.disconnect();
  }
}

/** Resolves when the scheduler serves a term. */
export async function leading(scheduler: Scheduler): Promise<void> {
  await waitFor(() => scheduler.status().leading, { what: 'the scheduler to lead' });
}

/** A lease whose answers can be cut off, as a network would. */
export function cuttable(real: LeaderLease): LeaderLease & { cut: boolean } {
  return {
    cut: false,
    async hold(holder, ttlMs) {
      if (this.cut) return new Promise<boolean>(() => undefined);
      return real.hold(holder, ttlMs);
    },
    async release(holder) {
      if (!this.cut) await real.release(holder);
    },
    holder: () => real.holder(),
  };
}
