// What has arrived from the bus and the intake queue and was not yet worked in. Bounded: what is one too many is
// dropped and remembered as a loss, which the next reconcile makes good.

import type { ClusterEvent, TaskChanged } from '../shared/model/event.ts';

/** Tasks that may be waiting to be looked at: some tens of megabytes. */
const MOST_CHANGES = 100_000;

export interface ChangeBatch {
  /** The newest event of each task. */
  readonly tasks: readonly TaskChanged[];
  /** Ids of tasks that were queued, or whose record is to be read for another reason. */
  readonly ids: readonly string[];
  readonly workers: readonly string[];
  /** The quota of an account has changed. */
  readonly quotas: boolean;
}

export class Changes {
  readonly #most: number;
  readonly #onArrival: () => void;
  #tasks = new Map<string, TaskChanged>();
  #ids = new Set<string>();
  #workers = new Set<string>();
  #quotas = false;
  #isRestored = false;
  #dropped = 0;

  constructor(onArrival: () => void, most = MOST_CHANGES) {
    this.#onArrival = onArrival;
    this.#most = most;
  }

  get isEmpty(): boolean {
    return this.#tasks.size === 0 && this.#ids.size === 0 && this.#workers.size === 0 && !this.#quotas;
  }

  /** A quota has changed. */
  get hasQuotas(): boolean {
    return this.#quotas;
  }

  /** The record was replaced: nothing that is known of it holds. Until `clear`. */
  get isRestored(): boolean {
    return this.#isRestored;
  }

  /** How many were dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  addEvent(event: ClusterEvent): void {
    if (event.type === 'restored') {
      this.#isRestored = true;
    } else if (event.type === 'quota') {
      this.#quotas = true;
    } else if (event.type === 'worker') {
      if (this.#workers.size < this.#most) this.#workers.add(event.workerId);
      else this.#dropped += 1;
    } else {
      const known = this.#tasks.get(event.taskId);
      if (!known && this.#tasks.size >= this.#most) this.#dropped += 1;
      else if (!known || known.revision < event.revision) this.#tasks.set(event.taskId, event);
    }
    this.#onArrival();
  }

  addIds(ids: Iterable<string>): void {
    for (const id of ids) {
      if (this.#ids.size < this.#most) this.#ids.add(id);
      else this.#dropped += 1;
    }
    this.#onArrival();
  }

  addWorkers(ids: Iterable<string>): void {
    for (const workerId of ids) this.addEvent({ type: 'worker', workerId });
  }

  /** What was taken and could not be worked in comes again, unless something newer has come meanwhile. */
  putBack({ tasks, ids, workers, quotas }: ChangeBatch): void {
    this.addIds(ids);
    this.addWorkers(workers);
    for (const event of tasks) this.addEvent(event);
    if (quotas) this.#quotas = true;
  }

  /** Everything that has arrived; empty afterwards. */
  take(): ChangeBatch {
    const batch = {
      tasks: [...this.#tasks.values()],
      ids: [...this.#ids],
      workers: [...this.#workers],
      quotas: this.#quotas,
    };
    this.clear();
    return batch;
  }

  clear(): void {
    this.#tasks = new Map();
    this.#ids = new Set();
    this.#workers = new Set();
    this.#quotas = false;
    this.#isRestored = false;
  }
}
