// Tells the queue and the other processes about changes that already stand in the store. Callers do not wait:
// what is lost here (Redis is away, this process dies) the scheduler's reconciler finds in the store.
// Collects what arrives while one round is on its way, so that a flood costs few round trips.

import { taskChanged } from '../../shared/model/event.ts';
import { resourceShape } from '../../shared/model/resources.ts';
import type { Task } from '../../shared/model/task.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { EventBus } from '../../shared/ports/coordination.ts';
import type { IntakeQueue } from '../../shared/ports/queue.ts';
import { answerWithin } from './deadline.ts';

/** Kept while the queue is slow; beyond that the reconciler has to find them. */
const MAX_WAITING = 20_000;
const ROUND_SIZE = 1_000;
const ROUND_DEADLINE_MS = 5_000;

export interface AnnouncerParts {
  readonly intake: IntakeQueue;
  readonly bus: EventBus;
  readonly log: Log;
}

export class Announcer {
  readonly #parts: AnnouncerParts;
  #waiting: Task[] = [];
  #dropped = 0;
  #round: Promise<void> | null = null;
  #isAway = false;

  constructor(parts: AnnouncerParts) {
    this.#parts = parts;
  }

  /** New tasks: into the intake queue and onto the bus, soon. */
  submitted(tasks: readonly Task[]): void {
    const room = MAX_WAITING - this.#waiting.length;
    for (const task of room >= tasks.length ? tasks : tasks.slice(0, room)) this.#waiting.push(task);
    this.#dropped += Math.max(0, tasks.length - room);
    this.#round ??= this.#run();
  }

  /** The task moved on while it waited or ran: others look again, and its worker at once. */
  cancelRequested(task: Task): void {
    const { intake, bus } = this.#parts;
    this.#try('event of a cancel', bus.publish(taskChanged(task)));
    if (task.state === 'cancelled') this.#try('removal from intake', intake.remove([task.id]));
    else if (task.workerId !== null) {
      this.#try('nudge', bus.nudge(task.workerId, { type: 'cancel', taskId: task.id }));
    }
  }

  /** The same of many in as few words. */
  cancelsRequested(tasks: readonly Task[]): void {
    if (tasks.length === 0) return;
    const { intake, bus } = this.#parts;
    this.#try('events of cancels', bus.publishMany(tasks.map(taskChanged)));
    const over = tasks.filter(({ state }) => state === 'cancelled').map(({ id }) => id);
    if (over.length > 0) this.#try('removal from intake', intake.remove(over));
    for (const { id, state, workerId } of tasks) {
      if (state === 'cancelled' || workerId === null) continue;
      this.#try('nudge', bus.nudge(workerId, { type: 'cancel', taskId: id }));
    }
  }

  /** The scheduler reads again what the account may hold. */
  quotaChanged(userId: string): void {
    this.#try('event of a quota', this.#parts.bus.publish({ type: 'quota', userId }));
  }

  workerChanged(workerId: string): void {
    this.#try('event of a worker', this.#parts.bus.publish({ type: 'worker', workerId }));
  }

  /** Its runner need not wait for its next look to notice. */
  workerRemoved(workerId: string): void {
    this.workerChanged(workerId);
    this.#try('nudge', this.#parts.bus.nudge(workerId, { type: 'removed' }));
  }

  /** Resolves when all that was handed in has been tried. */
  async settle(): Promise<void> {
    while (this.#round) await this.#round;
  }

  async #run(): Promise<void> {
    // One turn of the loop: requests that arrived together share the first round.
    await new Promise<void>((go) => setImmediate(go));
    const { intake, bus, log } = this.#parts;
    while (this.#waiting.length > 0) {
      const tasks = this.#waiting.slice(0, ROUND_SIZE);
      this.#waiting = this.#waiting.slice(ROUND_SIZE);
      const entries = tasks.map(({ id, spec }) => ({
        taskId: id,
        priority: spec.priority,
        shape: resourceShape(spec.resources),
      }));
      try {
        await answerWithin(intake.add(entries), ROUND_DEADLINE_MS, 'the intake queue');
        await answerWithin(bus.publishMany(tasks.map(taskChanged)), ROUND_DEADLINE_MS, 'the event bus');
        this.#isAway = false;
      } catch (error) {
        // All that waits would meet the same fault; the store has them.
        const count = tasks.length + this.#waiting.length;
        this.#waiting = [];
        // Once for an outage, which may see thousands of submissions.
        const level = this.#isAway ? 'debug' : 'warn';
        log[level]({ err: error, count }, 'new tasks not announced; they are queued once Redis is back');
        this.#isAway = true;
      }
      if (this.#dropped > 0) {
        log.warn({ count: this.#dropped }, 'new tasks not announced in a flood; they are queued soon');
        this.#dropped = 0;
      }
    }
    this.#round = null;
  }

  #try(what: string, work: Promise<void>): void {
    work.catch((error) => this.#parts.log.warn({ err: error }, `${what} not sent; the store has it`));
  }
}
