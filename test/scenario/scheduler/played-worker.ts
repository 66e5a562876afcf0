// A worker that the test plays: it registers, beats, takes deliveries and commits as a runner does, and watches
// that it is never given more than it has.

import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import { taskChanged, type WorkerNudge } from '../../../shared/model/event.ts';
import type { MountRule } from '../../../shared/model/mounts.ts';
import {
  addResources,
  fits,
  NO_RESOURCES,
  type Resources,
  subtractResources,
} from '../../../shared/model/resources.ts';
import { currentAttempt, type Task } from '../../../shared/model/task.ts';
import { type AttemptOutcome, finishTask, type Step, startTask } from '../../../shared/model/task-life.ts';
import { NO_USAGE, type WorkerUsage } from '../../../shared/model/worker.ts';
import { NO_TROUBLES, type Trouble } from '../../../shared/model/worker-health.ts';
import type { Delivery, InboxSession } from '../../../shared/ports/queue.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { makeRegistration } from '../../support/tasks.ts';

export interface PlayedWorkerOptions {
  readonly capacity?: Partial<Resources>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly mounts?: readonly MountRule[];
  readonly gpuIds?: readonly string[];
  /** Called when a task has started; the task ends when it resolves. Ends at once by default. */
  readonly run?: (task: Task) => Promise<void>;
  /** False: deliveries are seen and left alone. */
  readonly works?: boolean;
  /** False: nudges are heard and left alone until `obey` is called. */
  readonly obeys?: boolean;
  /** What it says is wrong with it, until `complain` says otherwise. */
  readonly troubles?: readonly Trouble[];
  /** What it says it was measured to use. */
  readonly usage?: Partial<WorkerUsage>;
}

const COMPLETED: AttemptOutcome = { kind: 'completed', exitCode: 0, message: null };

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
  readonly nudges: WorkerNudge[] = [];
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
  #stopListening: () => Promise<void> = async () => undefined;
  #obeys: boolean;
  #troubles: readonly Trouble[];
  /** Stops the run of a task; by its id. */
  readonly #stops = new Map<string, (outcome: AttemptOutcome) => void>();

  constructor(id: string, around: Around & PlayedWorkerOptions) {
    this.id = id;
    this.#around = around;
    this.#obeys = around.obeys ?? true;
    this.#troubles = around.troubles ?? NO_TROUBLES;
    this.capacity = { cpuMillis: 4000, memoryMb: 8192, gpus: 0, storageMb: 100_000, ...around.capacity };
  }

  async start(): Promise<void> {
    const { store, redis } = this.#around;
    await store.workers.register(
      makeRegistration({
        id: this.id,
        incarnation: this.incarnation,
        capacity: this.capacity,
        labels: this.#around.labels ?? {},
        ...(this.#around.mounts ? { mounts: this.#around.mounts } : {}),
        gpuIds: this.#around.gpuIds ?? [],
      }),
    );
    this.#stopListening = await redis.bus.onNudge(this.id, (nudge) => {
      this.nudges.push(nudge);
      if (nudge.type === 'evict' && this.#obeys) void this.#leave(nudge.taskId);
    });
    await this.#beat(true);
    this.#beating = setInterval(
      () => void this.#beat(false).catch(() => undefined),
      this.#around.leaseMs / 3,
    );
    this.#session = await redis.inbox.open(this.id, (delivery) => this.#take(delivery));
    await redis.bus.publish({ type: 'worker', workerId: this.id });
  }

  /** Does from now on what nudges say. */
  obey(): void {
    this.#obeys = true;
  }

  /** Says with this and each later heartbeat what is wrong with it. */
  async complain(...troubles: readonly Trouble[]): Promise<void> {
    this.#troubles = troubles;
    await this.#beat(false);
  }

  /** Silent from now on, as after a power cut. */
  async die(): Promise<void> {
    clearInterval(this.#beating);
    await this.#stopListening();
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  async #beat(first: boolean): Promise<void> {
    const { redis, leaseMs } = this.#around;
    const usage = { ...NO_USAGE, ...this.#around.usage };
    const { id: workerId, incarnation } = this;
    await redis.presence.beat(
      { workerId, identity: workerId, incarnation, usage, running: [], troubles: this.#troubles },
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
    const stopped = new Promise<AttemptOutcome>((stop) => this.#stops.set(started.id, stop));
    const ended = this.#around.run?.(started) ?? Promise.resolve();
    const outcome = await Promise.race([stopped, ended.then(() => COMPLETED)]);
    this.#stops.delete(started.id);
    // Nothing runs on a dead machine.
    if (!this.#session) return;
    this.#used = subtractResources(this.#used, need);
    await this.finish(started.id, attempt, outcome);
  }

  async finish(taskId: string, attempt: number, outcome = COMPLETED): Promise<Task | null> {
    return this.#commit(taskId, (task) =>
      finishTask(task, { attempt, workerId: this.id, now: Date.now(), dice: 0, outcome }),
    );
  }

  /** The wish stands in the record; a nudge alone says nothing. */
  async #leave(taskId: string): Promise<void> {
    const task = await this.#around.store.tasks.get(taskId);
    const eviction = task && task.workerId === this.id ? currentAttempt(task)?.eviction : null;
    if (eviction) this.#stops.get(taskId)?.({ kind: 'evicted', exitCode: 143, message: eviction.message });
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
