// The leader's picture of the cluster: what waits, what runs where, which workers there are. Built from the store
// and kept up by events; wrong at worst until the next reconcile. It reads and never writes.

import type { TaskChanged } from '../shared/model/event.ts';
import { heldGpuIds, isLeaving } from '../shared/model/held.ts';
import { demandOf } from '../shared/model/mounts.ts';
import type { RunTime } from '../shared/model/run-times.ts';
import type { Task } from '../shared/model/task.ts';
import { isPlaced, isTerminal } from '../shared/model/task-states.ts';
import type { QueuedTask } from '../shared/ports/task-store.ts';
import type { SchedulerStore } from './bounded-store.ts';
import { Backlog } from './core/backlog.ts';
import { Ledger } from './core/ledger.ts';
import type { Holding } from './core/snapshot.ts';
import { waitingTask } from './core/waiting.ts';
import { letOthersRun } from './pauses.ts';

/** Records of one read. A record may be some hundred kilobytes, so not too many at a time. */
export const READ_BATCH = 500;
export const QUEUED_PAGE = 1_000;
/** Of waiting tasks that are read before a new leader begins to place, and then between two turns: some 100 ms each. */
const PAGES_AT_ONCE = 10;
const TOP_PRIORITY = 9;

export class ClusterIndex {
  readonly backlog = new Backlog();
  readonly ledger = new Ledger();
  readonly #store: SchedulerStore;
  /** As of the submission of the task. */
  readonly #runTimeOf: (task: QueuedTask) => Pick<RunTime, 'medianMs'>;
  /** Hears of records of tasks that wait again, of some more than once. */
  readonly #onReturned: (task: Task) => void;
  /** Records read a moment ago, so that a task just submitted is not read twice. Emptied with each pass. */
  readonly #fresh = new Map<string, Task>();
  /** Where reading the waiting tasks goes on, the most urgent first; null when all were read. */
  #unread: { readonly priority: number; readonly after: string | undefined } | null = {
    priority: TOP_PRIORITY,
    after: undefined,
  };
  /** The greatest id ever put into the backlog. */
  #newestId = '';

  constructor(
    store: SchedulerStore,
    runTimeOf: (task: QueuedTask) => Pick<RunTime, 'medianMs'>,
    onReturned: (task: Task) => void = () => undefined,
  ) {
    this.#store = store;
    this.#runTimeOf = runTimeOf;
    this.#onReturned = onReturned;
  }

  get newestId(): string {
    return this.#newestId;
  }

  /**
   * Takes in what is there and what is placed, and the most urgent of what waits: without the rest nothing can be
   * over-committed, and a million waiting tasks must not hold up a new leader. `loadMore` takes in the rest.
   */
  async load(now: () => number, goOn: () => boolean): Promise<void> {
    for (const worker of await this.#store.workers.list()) this.ledger.setWorker(worker);
    for (const one of await this.#store.tasks.allocations()) this.ledger.hold(one);
    await this.loadMore(now, goOn);
  }

  /** True when there is more. Stops early when `goOn` says no. Throws what the store throws, and goes on there next time. */
  async loadMore(now: () => number, goOn: () => boolean): Promise<boolean> {
    for (let pages = 0; this.#unread && pages < PAGES_AT_ONCE && goOn(); pages += 1) {
      const { priority, after } = this.#unread;
      const page = await this.#store.tasks.queued({ priority, after, limit: QUEUED_PAGE });
      for (const task of page) this.putQueued(task, now());
      if (page.length === QUEUED_PAGE) this.#unread = { priority, after: page.at(-1)?.id };
      else this.#unread = priority === 0 ? null : { priority: priority - 1, after: undefined };
      await letOthersRun();
    }
    return this.#unread !== null;
  }

  putQueued(task: QueuedTask, now: number): void {
    if (task.id > this.#newestId) this.#newestId = task.id;
    this.backlog.put(waitingTask(task, this.#runTimeOf(task)), now);
  }

  /** Works an event in. True when the record must be read to know. */
  applyEvent(event: TaskChanged): boolean {
    const { taskId, attempt, revision, state, workerId } = event;
    if (isTerminal(state)) {
      this.backlog.remove(taskId);
      this.ledger.release(taskId, attempt);
      return false;
    }
    if (state === 'queued') {
      this.ledger.release(taskId, attempt - 1);
      return (this.backlog.revisionOf(taskId) ?? 0) < revision;
    }
    if ((this.backlog.revisionOf(taskId) ?? revision) < revision) this.backlog.remove(taskId);
    const held = this.ledger.holding(taskId);
    if (held?.attempt !== attempt || held.workerId !== workerId) return true;
    if (state === 'running' && held.state !== 'running') this.ledger.hold({ ...held, state });
    return false;
  }

  /** Reads records and works them in. Tasks that are not in the store are forgotten. */
  async read(ids: readonly string[], now: () => number): Promise<void> {
    for (let at = 0; at < ids.length; at += READ_BATCH) {
      const batch = ids.slice(at, at + READ_BATCH);
      const found = await this.#store.tasks.getMany(batch);
      for (const task of found) this.learn(task, now());
      const there = new Set(found.map(({ id }) => id));
      for (const id of batch) if (!there.has(id)) this.forget(id);
      if (at + READ_BATCH < ids.length) await letOthersRun();
    }
  }

  learn(task: Task, now: number): void {
    if (task.state === 'queued') {
      if (task.attempt > 1) this.#onReturned(task);
      this.ledger.release(task.id, task.attempt);
      this.putQueued(queuedTask(task), now);
      if (this.#fresh.size < READ_BATCH) this.#fresh.set(task.id, task);
      return;
    }
    this.backlog.remove(task.id);
    const holding = holdingOf(task);
    if (holding) this.ledger.hold(holding);
    else this.ledger.release(task.id, task.attempt);
  }

  forget(id: string): void {
    this.backlog.remove(id);
    this.ledger.release(id, Number.POSITIVE_INFINITY);
  }

  /** Full records, from what was read a moment ago or from the store. */
  async records(ids: readonly string[]): Promise<Map<string, Task>> {
    const records = new Map<string, Task>();
    const unknown: string[] = [];
    for (const id of ids) {
      const task = this.#fresh.get(id);
      if (task && task.revision === this.backlog.revisionOf(id)) records.set(id, task);
      else unknown.push(id);
    }
    for (const task of unknown.length > 0 ? await this.#store.tasks.getMany(unknown) : []) {
      records.set(task.id, task);
    }
    return records;
  }

  dropFresh(): void {
    this.#fresh.clear();
  }
}

export function holdingOf(task: Task): Holding | null {
  const { id, state, workerId, attempt, assignedAt } = task;
  if (!isPlaced(state) || workerId === null) return null;
  return {
    taskId: id,
    ownerId: task.ownerId,
    workerId,
    priority: task.spec.priority,
    attempt,
    state: state === 'running' ? 'running' : 'assigned',
    resources: task.spec.resources,
    gpuIds: heldGpuIds(task),
    assignedAt: assignedAt ?? 0,
    isLeaving: isLeaving(task),
  };
}

function queuedTask(task: Task): QueuedTask {
  return {
    id: task.id,
    ownerId: task.ownerId,
    attempt: task.attempt,
    revision: task.revision,
    priority: task.spec.priority,
    resources: task.spec.resources,
    worker: task.spec.worker,
    labels: demandOf(task.spec),
    image: task.spec.image,
    tag: task.spec.tag,
    kValue: task.spec.kValue,
    notBefore: task.notBefore,
    submittedAt: task.submittedAt,
    queuedAt: task.queuedAt,
    queueTimeoutSeconds: task.spec.queueTimeoutSeconds,
  };
}
