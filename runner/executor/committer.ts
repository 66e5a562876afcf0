// The runner's one way to write a task: decide on the newest record, commit over its revision, and after a lost race
// read and decide again. Holds on while the store is away. Must never force a write.

import { type ClusterEvent, taskChanged } from '../../shared/model/event.ts';
import { resourceShape } from '../../shared/model/resources.ts';
import type { Task } from '../../shared/model/task.ts';
import type { Refusal, Step } from '../../shared/model/task-life.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { EventBus } from '../../shared/ports/coordination.ts';
import type { IntakeQueue } from '../../shared/ports/queue.ts';
import type { TaskStore } from '../../shared/ports/task-store.ts';
import { keepTrying, type Patience } from './patience.ts';

/** A store that does not answer for so long may stay away. */
const HELD_AFTER_MS = 1_000;

export type CommitOutcome =
  | { readonly kind: 'committed'; readonly task: Task }
  /** `task` is the record that refused it; null when there is none. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly task: Task | null };

export interface Write {
  /** The record as known; the first decision is made on it. */
  readonly known: Task;
  readonly decide: (task: Task) => Step;
  /** Whether a record that refuses it shows that this very write is there: its answer was lost on the way. */
  readonly isThere: (task: Task) => boolean;
  /** It does not work now, or takes long. Called once; after a fault the next try waits for it. Must not reject. */
  readonly onHeld?: () => Promise<void>;
  /** For the log: "commit the result". */
  readonly what: string;
}

export interface CommitterParts {
  readonly tasks: TaskStore;
  readonly bus: EventBus;
  readonly intake: IntakeQueue;
  readonly log: Log;
}

export class Committer {
  readonly #parts: CommitterParts;
  #events: ClusterEvent[] = [];

  constructor(parts: CommitterParts) {
    this.#parts = parts;
  }

  /** Throws only `Abandoned`. */
  async commit(write: Write, patience: Patience): Promise<CommitOutcome> {
    const { tasks } = this.#parts;
    let task: Task | null = write.known;
    let isHeld = false;
    const hold = async () => {
      if (isHeld) return;
      isHeld = true;
      await write.onHeld?.();
    };
    const late = write.onHeld && setTimeout(() => void hold(), HELD_AFTER_MS);
    const attempt = async (): Promise<CommitOutcome> => {
      for (;;) {
        // Null after a lost race or a fault: what is known may be old.
        task ??= await tasks.get(write.known.id);
        if (!task) return { kind: 'refused', refusal: 'stale_attempt', task: null };
        const step = write.decide(task);
        if (!step.ok) {
          if (!write.isThere(task)) return { kind: 'refused', refusal: step.refusal, task };
          this.#announce(task);
          return { kind: 'committed', task };
        }
        const known: Task = task;
        task = null;
        if (await tasks.commit(step.task)) {
          this.#announce(step.task);
          return { kind: 'committed', task: step.task };
        }
        this.#parts.log.debug({ taskId: known.id, revision: known.revision }, 'lost a race for the record');
      }
    };
    return keepTrying({ ...patience, what: write.what }, () =>
      attempt().catch(async (error) => {
        await hold();
        throw error;
      }),
    ).finally(() => clearTimeout(late));
  }

  /** Tells others. What gets lost is found by readers of the store and by the scheduler's reconciler. */
  #announce(task: Task): void {
    const { bus, intake, log } = this.#parts;
    if (this.#events.push(taskChanged(task)) === 1) {
      // One message for all that is committed in this turn of the loop.
      setImmediate(() => {
        const events = this.#events;
        this.#events = [];
        bus.publishMany(events).catch((error) => log.debug({ err: error }, 'events were not published'));
      });
    }
    if (task.state !== 'queued') return;
    const entry = {
      taskId: task.id,
      priority: task.spec.priority,
      shape: resourceShape(task.spec.resources),
    };
    intake.add([entry]).catch((error) => log.debug({ err: error, taskId: task.id }, 'not added to intake'));
  }
}
