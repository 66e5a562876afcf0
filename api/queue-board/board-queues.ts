// Keeps the queues of a board in step with the cluster: the intake, and one for each worker. Nothing is opened before
// somebody looks, and what has gone from the cluster is let go at the next look.

import type { QueueView, QueueViews } from '../../shared/ports/queue.ts';
import type { ClusterView } from '../services/cluster-view.ts';

export interface Board {
  add(queue: QueueView): void;
  remove(name: string): void;
}

export interface BoardQueuesParts {
  readonly queueViews: QueueViews;
  readonly view: Pick<ClusterView, 'snapshot'>;
  readonly board: Board;
}

export class BoardQueues {
  readonly #parts: BoardQueuesParts;
  #intake: QueueView | null = null;
  readonly #ofWorkers = new Map<string, QueueView>();
  #closed = false;

  constructor(parts: BoardQueuesParts) {
    this.#parts = parts;
  }

  /** The board has the queues of now. @throws AppError `store_unavailable` */
  async renew(): Promise<void> {
    const { queueViews, view, board } = this.#parts;
    const { workers } = await view.snapshot();
    if (this.#closed) return;
    if (!this.#intake) {
      this.#intake = queueViews.openIntake();
      board.add(this.#intake);
    }
    const ids = new Set(workers.map(({ worker }) => worker.id));
    for (const [id, queue] of this.#ofWorkers) {
      if (ids.has(id)) continue;
      this.#ofWorkers.delete(id);
      board.remove(queue.name);
      // A handle on a lost connection may fail to close; it is of no use to anybody either way.
      queue.close().catch(() => undefined);
    }
    for (const id of ids) {
      if (this.#ofWorkers.has(id)) continue;
      const queue = queueViews.openWorker(id);
      this.#ofWorkers.set(id, queue);
      board.add(queue);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = [...(this.#intake ? [this.#intake] : []), ...this.#ofWorkers.values()];
    this.#intake = null;
    this.#ofWorkers.clear();
    await Promise.allSettled(open.map((queue) => queue.close()));
  }
}
