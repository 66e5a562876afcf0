// A worker that the test plays: it registers, beats, takes deliveries and commits as a runner does, and watches
// that it is never given more than it has.

import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import { taskChanged } from '../../../shared/model/event.ts';
import {
  addResources,
  fits,
  NO_RESOURCES,
  type Resources,
  subtractResources,
} from '../../../shared/model/resources.ts';
import type { Task } from '../../../shared/model/task.ts';
import { finishTask, type Step, startTask } from '../../../shared/model/task-life.ts';
import { NO_USAGE, type WorkerUsage } from '../../../shared/model/worker.ts';
import type { Delivery, InboxSession } from '../../../shared/ports/queue.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { makeRegistration } from '../../support/tasks.ts';

export interface PlayedWorkerOptions {
  readonly capacity?: Partial<Resources>;
  /** Called when a task has started; the task ends when it resolves. Ends at once by default. */
  readonly run?: (task: Task) => Promise<void>;
  /** False: deliveries are seen and left alone. */
  readonly works?: boolean;
  /** What it says it was measured to use. */
  readonly usage?: Partial<WorkerUsage>;
}

interface Around {
  readonly store: Store;
  readonly redis: RedisParts;
  readonly leaseMs: number;
}

export class PlayedWorker {
  readonly id: string;
  readonly incarnation = `life-${Math.random().toString(36).slice(2)}`;
  /** In order of arrival, repeats included. */
  readonly deliveries: Delivery[] = [];
  readonly started: string[] = [];
  /** When each delivery came, by the monotonic clock. */
  readonly arrivedAt = new Map<string, number>();
  readonly capacity: Resources;
  /** The most that was in use at one time. */
  peak: Resources = NO_RESOURCES;
  overCommitted = false;
  readonly #around: Around & PlayedWorkerOptions;
  #used: Resources = NO_RESOURCES;
  #session: InboxSession | null = null;
  #beating: NodeJS.Timeout | undefined;

  constructor(id: string, around: Around & PlayedWorkerOptions) {
    this.id = id;
    this.#around = around;
    this.capacity = { cpuMillis: 4000, memoryMb: 8192, gpus: 0, storageMb: 100_000, ...around.capacity };
  }

  async start(): Promise<void> {
    const { store, redis } = this.#around;
    await store.workers.register(
      makeRegistration({ id: this.id, incarnation: this.incarnation, capacity: this.capacity }),
    );
    await this.#beat(true);
    this.#beating = setInterval(
      () => void this.#beat(false).catch(() => undefined),
      this.#around.leaseMs / 3,
    );
    this.#session = await redis.inbox.open(this.id, (delivery) => this.#take(delivery));
    await redis.bus.publish({ type: 'worker', workerId: this.id });
  }

  /** Silent from now on, as after a power cut. */
  async die(): Promise<void> {
    clearInterval(this.#beating);
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  async #beat(first: boolean): Promise<void> {
    const { redis, leaseMs } = this.#around;
    const usage = { ...NO_USAGE, ...this.#around.usage };
    const { id: workerId, incarnation } = this;
    await redis.presence.beat(
      { workerId, identity: workerId, incarnation, usage, running: [] },
      leaseMs,
      first,
    );
  }

  async #take(delivery: Delivery): Promise<void> {
    this.deliveries.push(delivery);
    this.arrivedAt.set(delivery.taskId, performance.now());
    if (this.#around.works === false) return;
    const { attempt } = delivery;
    const started = await this.#commit(delivery.taskId, (task) =>
      startTask(task, {
        attempt,
        workerId: this.id,
        now: Date.now(),
        containerId: `c-${task.id}`,
        imageId: null,
        gpuIds: [],
      }),
    );
    if (!started) return;
    this.started.push(started.id);
    const need = started.spec.resources;
    this.#used = addResources(this.#used, need);
    this.peak = {
      cpuMillis: Math.max(this.peak.cpuMillis, this.#used.cpuMillis),
      memoryMb: Math.max(this.peak.memoryMb, this.#used.memoryMb),
      gpus: Math.max(this.peak.gpus, this.#used.gpus),
      storageMb: Math.max(this.peak.storageMb, this.#used.storageMb),
    };
    if (!fits(this.#used, this.capacity)) this.overCommitted = true;
    await this.#around.run?.(started);
    // Nothing runs on a dead machine.
    if (!this.#session) return;
    this.#used = subtractResources(this.#used, need);
    await this.finish(started.id, attempt);
  }

  async finish(taskId: string, attempt: number): Promise<Task | null> {
    return this.#commit(taskId, (task) =>
      finishTask(task, {
        attempt,
        workerId: this.id,
        now: Date.now(),
        dice: 0,
        outcome: { kind: 'completed', exitCode: 0, message: null },
      }),
    );
  }

  async #commit(taskId: string, step: (task: Task) => Step): Promise<Task | null> {
    const { store, redis } = this.#around;
    for (;;) {
      const task = await store.tasks.get(taskId);
      const next = task && step(task);
      if (!next?.ok) return null;
      if (!(await store.tasks.commit(next.task))) continue;
      await redis.bus.publish(taskChanged(next.task)).catch(() => undefined);
      return next.task;
    }
  }
}
