// What the workers have and when waiting tasks should start, put together from the store and what was learned of run
// times. Kept for a moment and made once for all who ask meanwhile, so that many dashboards cost as much as one. It
// must never write.

import { setImmediate as othersTurn } from 'node:timers/promises';
import { forecast, type Running, restOf, type StartEstimate } from '../../../scheduler/core/forecast.ts';
import type { Scene } from '../../../scheduler/core/scene.ts';
import { waitingTask } from '../../../scheduler/core/waiting.ts';
import type { RunLearner } from '../../../shared/learning/run-learner.ts';
import type { Allocation } from '../../../shared/model/held.ts';
import type { Kind } from '../../../shared/model/run-times.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Store } from '../../../shared/ports/store.ts';
import type { QueueEntry, QueuePlace } from '../../../shared/ports/task-store.ts';
import { type ClusterFacts, sceneFrom } from './cluster-facts.ts';

export interface ForecastParts {
  readonly store: Pick<Store, 'tasks'>;
  readonly facts: Pick<ClusterFacts, 'read'>;
  readonly learner: Pick<RunLearner, 'runTimeOf'>;
  readonly clock: Clock;
}

export interface QueuePicture {
  readonly at: number;
  readonly scene: Scene;
  /** By task id. */
  readonly estimates: ReadonlyMap<string, StartEstimate>;
}

const FRESH_MS = 1_000;
/** Of a large cluster a picture is kept longer, so that making them takes a sixth of the time at most. */
const FRESH_PER_MADE = 5;
/** Nobody waits longer than that for a picture while there is one that is not older than OLDEST_MS. */
const WAIT_MS = 250;
const OLDEST_MS = 30_000;
/** Tasks from the head of the queue whose start is foretold. */
const LOOK_AHEAD = 5_000;
/** The embedded store answers a page in some 5 ms, in which this process does nothing else. */
const PAGE = 500;

interface Made {
  readonly picture: Promise<QueuePicture>;
  /** Monotonic; endless while it is being made. */
  until: number;
  readonly madeAt: number;
  tookMs: number;
}

export class Forecasts {
  readonly #parts: ForecastParts;
  /** Of tasks that are placed; what a task is never changes. */
  #kinds = new Map<string, Kind>();
  #last: Made | null = null;
  /** What is handed out while the last one is still being made. */
  #before: Made | null = null;

  constructor(parts: ForecastParts) {
    this.#parts = parts;
  }

  /** At most a second old; where it takes long to make, as old as half a minute. */
  picture(): Promise<QueuePicture> {
    const { clock } = this.#parts;
    const begin = clock.monotonic();
    const last = this.#last && begin < this.#last.until ? this.#last : this.#begin(begin);
    const before = this.#before;
    const mayBeOld = before !== null && before.tookMs > WAIT_MS && begin - before.madeAt < OLDEST_MS;
    return mayBeOld && last.until === Number.POSITIVE_INFINITY ? before.picture : last.picture;
  }

  #begin(begin: number): Made {
    const { clock } = this.#parts;
    const made: Made = {
      picture: this.#make(),
      until: Number.POSITIVE_INFINITY,
      madeAt: begin,
      tookMs: 0,
    };
    this.#last = made;
    made.picture.then(
      () => {
        const end = clock.monotonic();
        made.tookMs = end - begin;
        made.until = end + Math.max(FRESH_MS, FRESH_PER_MADE * made.tookMs);
        this.#before = made;
      },
      () => {
        // A fault is not kept for the next one to ask.
        if (this.#last === made) this.#last = null;
      },
    );
    return made;
  }

  async #make(): Promise<QueuePicture> {
    const { facts, learner, clock } = this.#parts;
    const known = await facts.read();
    const { allocations, rules, memory } = known;
    const line = await this.#line();
    await this.#learnKinds(allocations);
    const now = clock.now();
    const scene = sceneFrom(known, now);
    const running = allocations.map(({ taskId, ownerId, workerId, resources, assignedAt }): Running => {
      const kind = this.#kinds.get(taskId) ?? NO_KIND;
      const rest = restOf(learner.runTimeOf(kind), Math.max(0, now - assignedAt));
      return { ownerId, workerId, resources, rest };
    });
    const queue = line.map((entry) => {
      const run = learner.runTimeOf(entry);
      return { ...waitingTask({ ...entry, revision: 1 }, run), run };
    });
    const { workers, owners } = scene;
    const steps = forecast({ workers, owners, running, queue, rules, memory }, now);
    let step = steps.next();
    for (; !step.done; step = steps.next()) await othersTurn();
    return { at: now, scene, estimates: step.value };
  }

  async #line(): Promise<QueueEntry[]> {
    const found: QueueEntry[] = [];
    for (let after: QueuePlace | undefined; found.length < LOOK_AHEAD; ) {
      const page = await this.#parts.store.tasks.inLine({ after, limit: PAGE });
      found.push(...page);
      if (page.length < PAGE) break;
      after = page.at(-1);
      await othersTurn();
    }
    return found;
  }

  async #learnKinds(allocations: readonly Allocation[]): Promise<void> {
    const kinds = new Map<string, Kind>();
    const unknown: string[] = [];
    for (const { taskId } of allocations) {
      const kind = this.#kinds.get(taskId);
      if (kind) kinds.set(taskId, kind);
      else unknown.push(taskId);
    }
    for (let at = 0; at < unknown.length; at += PAGE) {
      const found = await this.#parts.store.tasks.kinds(unknown.slice(at, at + PAGE));
      for (const { id, image, tag } of found) kinds.set(id, { image, tag });
      await othersTurn();
    }
    this.#kinds = kinds;
  }
}

/** Of a task that is gone from the store: the default. */
const NO_KIND: Kind = { image: '', tag: '' };
