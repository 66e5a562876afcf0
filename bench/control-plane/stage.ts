// What the benches of the control plane share: a store with waiting tasks, workers that are there but take nothing, and
// schedulers as processes of their own. Nothing here measures.

import { readFile } from 'node:fs/promises';
import { openRedis, type RedisParts } from '../../shared/adapters/redis/open.ts';
import { openSqliteStore } from '../../shared/adapters/sqlite/open.ts';
import { type Resources, resourceShape } from '../../shared/model/resources.ts';
import type { Task } from '../../shared/model/task.ts';
import { NO_USAGE } from '../../shared/model/worker.ts';
import { silentLog } from '../../shared/platform/log.ts';
import type { Store } from '../../shared/ports/store.ts';
import { Part } from '../../test/support/cluster.ts';
import { redisUrl, tempDir, uniqueName } from '../../test/support/servers.ts';
import { makeRegistration, makeTask } from '../../test/support/tasks.ts';
import { waitFor } from '../../test/support/wait-for.ts';

export const BATCH = 1_000;
const LEASE_MS = 60_000;
export const SMALL: Resources = { cpuMillis: 100, memoryMb: 64, gpus: 0, storageMb: 0 };
/** Larger than any worker here. */
export const HUGE: Resources = { ...SMALL, gpus: 512 };

export class Stage {
  readonly directory: string;
  readonly database: string;
  readonly prefix: string;
  readonly store: Store;
  readonly redis: RedisParts;
  readonly #ends: (() => unknown)[];

  private constructor(
    of: Pick<Stage, 'directory' | 'database' | 'prefix' | 'store' | 'redis'>,
    end: () => unknown,
  ) {
    this.directory = of.directory;
    this.database = of.database;
    this.prefix = of.prefix;
    this.store = of.store;
    this.redis = of.redis;
    this.#ends = [end, () => of.store.close(), () => of.redis.close()];
  }

  /** @param kept a database to go on with, which is left as it is then; a fresh one by default */
  static async open(kept?: string): Promise<Stage> {
    const dir = await tempDir();
    const database = kept ?? `${dir.path}/cloudai.db`;
    const prefix = uniqueName('bench-cp');
    const store = await openSqliteStore(database);
    const redis = await openRedis({ url: redisUrl, prefix, patience: 'patient', log: silentLog() });
    return new Stage({ directory: dir.path, database, prefix, store, redis }, () => dir.remove());
  }

  /** Waiting tasks, in the store and in the intake queue as the API leaves them. */
  async submit(count: number, resources: Resources): Promise<void> {
    await this.submitQuietly(count, resources, (tasks) => this.enqueue(tasks));
  }

  /** In the store alone. */
  async submitQuietly(
    count: number,
    resources: Resources,
    then: (tasks: readonly Task[]) => unknown = () => undefined,
  ): Promise<void> {
    for (let at = 0; at < count; at += BATCH) {
      const now = Date.now();
      const tasks = Array.from({ length: Math.min(BATCH, count - at) }, (_, n) =>
        makeTask(
          { resources, tag: `tag-${n % 5}` },
          { ownerId: `user-${n % 10}`, submittedAt: now, queuedAt: now },
        ),
      );
      await this.store.tasks.insert(tasks);
      await then(tasks);
    }
  }

  async enqueue(tasks: readonly Task[]): Promise<void> {
    await this.redis.intake.add(
      tasks.map(({ id, spec }) => ({
        taskId: id,
        priority: spec.priority,
        shape: resourceShape(spec.resources),
      })),
    );
  }

  /** They register and keep their leases, and take no delivery. */
  async addWorkers(count: number, cpuMillis: number): Promise<string[]> {
    const ids = Array.from({ length: count }, (_, n) => `w${n}`);
    for (const id of ids) {
      const capacity = { cpuMillis, memoryMb: cpuMillis, gpus: 0, storageMb: 1_000_000 };
      await this.store.workers.register(makeRegistration({ id, capacity }));
    }
    const beat = (first: boolean) =>
      Promise.all(
        ids.map((workerId) =>
          this.redis.presence.beat(
            {
              workerId,
              identity: workerId,
              incarnation: 'life-1',
              running: [],
              troubles: [],
              usage: NO_USAGE,
            },
            LEASE_MS,
            first,
          ),
        ),
      );
    await beat(true);
    const beating = setInterval(() => void beat(false).catch(() => undefined), LEASE_MS / 4);
    this.#ends.push(() => clearInterval(beating));
    return ids;
  }

  /** A scheduler from `dist`, in a process of its own; its log is at `logOf(name)`. */
  startScheduler(name: string, env: Record<string, string> = {}): Part {
    const part = new Part(
      'scheduler',
      {
        DATA_DIR: this.directory,
        STORE_URL: `sqlite:${this.database}`,
        REDIS_URL: redisUrl,
        REDIS_PREFIX: this.prefix,
        LOG_LEVEL: 'info',
        ...env,
      },
      this.#logOf(name),
    );
    part.start();
    this.#ends.push(() => part.end('SIGTERM'));
    return part;
  }

  /** What the scheduler logged when it began to lead. */
  async leading(
    name: string,
    deadlineMs = 120_000,
  ): Promise<{ waiting: number; tookMs: number; term: number }> {
    return waitFor(
      async () => {
        const lines = (await readFile(this.#logOf(name), 'utf8')).split('\n');
        const line = lines.find((text) => text.includes('"msg":"leading"'));
        return line === undefined ? null : JSON.parse(line);
      },
      { what: `${name} to lead`, deadlineMs, everyMs: 10 },
    );
  }

  #logOf(name: string): string {
    return `${this.directory}/${name}.log`;
  }

  async close(): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
  }
}
