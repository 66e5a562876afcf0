// What workers that are no more have left on this engine: containers, volumes and network slots that no runner of their
// name will ever look for again, mostly because this very machine was that worker. Looks now and then, and removes what the
// record has given up (see core/strays.ts). Must never hold up work, nor touch anything of a worker that may come back.

import type { Stray } from '../../shared/model/stray.ts';
import type { Task } from '../../shared/model/task.ts';
import type { Worker } from '../../shared/model/worker.ts';
import type { Log } from '../../shared/platform/log.ts';
import { Pulse } from '../../shared/platform/pulse.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { ContainerRuntime } from '../../shared/ports/container-runtime.ts';
import type { Store } from '../../shared/ports/store.ts';
import { type Gone, goneWorkers, judgeStrays, type WhyLeft } from '../core/strays.ts';

/** Two questions to the engine, and one to the store for each other worker on it: too much for every sweep of its own. */
const EVERY_MS = 120_000;
/**
 * So long a worker must be gone. Far longer than a restart of its machine, a new release or an outage of the scheduler
 * takes, and an engine can bear what is left there for so long.
 */
const GRACE_MS = 600_000;
/** A removal by an admin is among the newest of what was asked for a worker. */
const AUDIT_PAGE = 20;
/** In one line of the log. */
const NAMED_MOST = 10;

const WHY: Readonly<Record<WhyLeft, string>> = {
  unknown_task: 'their tasks are not in this record: they may be of another cluster on this engine',
  unknown_worker: 'another cluster on this engine may have a worker of that name',
};

export interface StraySweepParts {
  readonly workerId: string;
  readonly store: Pick<Store, 'tasks' | 'workers' | 'audit'>;
  readonly runtime: Pick<ContainerRuntime, 'strays' | 'removeStray'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Not while the worker is cut off, leaves or was removed. */
  mayLook(): boolean;
  readonly everyMs?: number;
  readonly graceMs?: number;
}

export class StraySweep {
  readonly #parts: StraySweepParts;
  readonly #pulse: Pulse;
  #isStopped = false;
  #gone: ReadonlyMap<string, Gone> = new Map();
  /** What was said of things that stay, of workers seen in the last look. */
  #said: ReadonlySet<string> = new Set();

  constructor(parts: StraySweepParts) {
    this.#parts = parts;
    this.#pulse = new Pulse({
      everyMs: parts.everyMs ?? EVERY_MS,
      work: () => this.look(),
      onFault: (error) => parts.log.debug({ err: error }, 'the look at things of other workers failed'),
    });
  }

  start(): void {
    if (!this.#isStopped) this.#pulse.start();
  }

  /** Nothing more is removed but what is being removed now, for which nobody need wait. */
  stop(): void {
    this.#isStopped = true;
    void this.#pulse.stop();
  }

  /** Looks once. Throws when the engine or the store does not answer. */
  async look(): Promise<void> {
    const { runtime, store, workerId, clock, graceMs = GRACE_MS } = this.#parts;
    if (!this.#parts.mayLook()) return;
    const seen = await runtime.strays(workerId);
    // Read after the engine: a worker is on record before it makes anything, and an attempt before its container.
    const records = await this.#records(seen);
    const now = clock.monotonic();
    this.#gone = goneWorkers(seen, records, this.#gone, now);
    const strays = seen.filter(({ workerId: of }) => {
      const gone = this.#gone.get(of);
      return gone !== undefined && now - gone.since >= graceMs;
    });
    const ids = new Set(strays.flatMap(({ of }) => (of ? [of.taskId] : [])));
    const found = ids.size === 0 ? [] : await store.tasks.getMany([...ids]);
    const tasks = new Map(found.map((task) => [task.id, task]));
    const { remove, left } = judgeStrays(strays, tasks, await this.#known(strays, tasks, records));
    this.#say(left);
    for (const stray of remove) {
      if (this.#isStopped || !this.#parts.mayLook()) return;
      await this.#remove(stray);
    }
  }

  async #records(strays: readonly Stray[]): Promise<Map<string, Worker>> {
    const records = new Map<string, Worker>();
    for (const id of new Set(strays.map(({ workerId }) => workerId))) {
      const record = await this.#parts.store.workers.get(id);
      if (record) records.set(id, record);
    }
    return records;
  }

  /** Asked only for slots: what is of a task is judged by that. */
  async #known(
    strays: readonly Stray[],
    tasks: ReadonlyMap<string, Task>,
    records: ReadonlyMap<string, Worker>,
  ): Promise<Set<string>> {
    const known = new Set<string>();
    for (const { kind, workerId } of strays) {
      if (kind !== 'slot' || known.has(workerId)) continue;
      const ranHere = [...tasks.values()].some(({ attempts }) =>
        attempts.some((attempt) => attempt.workerId === workerId),
      );
      if (records.has(workerId) || ranHere || (await this.#wasOnRecord(workerId))) known.add(workerId);
    }
    return known;
  }

  /** A task ended there, or an admin removed it. */
  async #wasOnRecord(workerId: string): Promise<boolean> {
    const { tasks, audit } = this.#parts.store;
    if ((await tasks.summaries({ workerId }, { limit: 1 })).tasks.length > 0) return true;
    const removals = await audit.list(
      { actions: ['worker.remove'], target: workerId },
      { limit: AUDIT_PAGE },
    );
    return removals.some(({ outcome }) => outcome === 'done');
  }

  async #remove(stray: Stray): Promise<void> {
    const { runtime, log } = this.#parts;
    const { kind, id, workerId, of } = stray;
    const what = { kind, id, ofWorker: workerId, ...of };
    log.info(what, 'removing what a worker left that is no more');
    try {
      await runtime.removeStray(stray);
    } catch (error) {
      log.debug({ err: error, ...what }, 'not removed; the next look tries again');
    }
  }

  /** Once for each worker and reason. */
  #say(left: readonly { readonly stray: Stray; readonly why: WhyLeft }[]): void {
    const said = new Set<string>();
    for (const { stray, why } of left) {
      const key = `${stray.workerId} ${why}`;
      if (said.has(key)) continue;
      said.add(key);
      if (this.#said.has(key)) continue;
      const those = left.filter((one) => one.why === why && one.stray.workerId === stray.workerId);
      const things = those.slice(0, NAMED_MOST).map((one) => `${one.stray.kind} ${one.stray.id}`);
      this.#parts.log.warn(
        { ofWorker: stray.workerId, count: those.length, things },
        `things of another worker stay on this engine: ${WHY[why]}`,
      );
    }
    this.#said = said;
  }
}
