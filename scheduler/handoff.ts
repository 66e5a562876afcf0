// Sends placed attempts to their workers' queues. What does not get through is delivered again by reconcile.

import { messageOf } from '../shared/errors.ts';
import { taskChanged } from '../shared/model/event.ts';
import type { Task } from '../shared/model/task.ts';
import type { Delivery } from '../shared/ports/queue.ts';
import type { Holding } from './core/snapshot.ts';
import type { LoopParts } from './parts.ts';

export class Handoff {
  readonly #parts: Pick<LoopParts, 'deliveries' | 'intake' | 'bus' | 'clock' | 'log'>;
  /** Task id → attempt and monotonic time of its last delivery by this leader. */
  readonly #delivered = new Map<string, { attempt: number; at: number }>();
  #under: Promise<void> = Promise.resolve();

  constructor(parts: Pick<LoopParts, 'deliveries' | 'intake' | 'bus' | 'clock' | 'log'>) {
    this.#parts = parts;
  }

  /**
   * Hands placed tasks over in the background, one batch at a time: resolves when this batch may begin, so the
   * store can take the next batch while the queues take this one. Never throws.
   */
  async begin(placed: readonly Task[]): Promise<void> {
    await this.#under;
    this.#under = this.#send(placed);
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#under;
  }

  /** Throws `queue_unavailable`. */
  async deliver(deliveries: readonly Delivery[]): Promise<void> {
    if (deliveries.length === 0) return;
    await this.#parts.deliveries.deliver(deliveries);
    const at = this.#parts.clock.monotonic();
    for (const { taskId, attempt } of deliveries) this.#delivered.set(taskId, { attempt, at });
  }

  deliveredAt(taskId: string, attempt: number): number | undefined {
    const known = this.#delivered.get(taskId);
    return known?.attempt === attempt ? known.at : undefined;
  }

  /** Forgets deliveries of attempts that are no longer assigned. */
  keepOnly(allocations: readonly Holding[]): void {
    const assigned = new Set(
      allocations.filter(({ state }) => state === 'assigned').map(({ taskId }) => taskId),
    );
    for (const id of this.#delivered.keys()) if (!assigned.has(id)) this.#delivered.delete(id);
  }

  async #send(placed: readonly Task[]): Promise<void> {
    const { intake, bus, log } = this.#parts;
    try {
      await this.deliver(
        placed.map(({ id, attempt, workerId }) => ({ taskId: id, attempt, workerId: workerId ?? '' })),
      );
      await Promise.all([
        intake.remove(placed.map(({ id }) => id)),
        bus.publishMany(placed.map(taskChanged)),
      ]);
    } catch (error) {
      log.warn(
        { fault: messageOf(error), tasks: placed.length },
        'could not hand tasks over; it is repeated',
      );
    }
  }
}
