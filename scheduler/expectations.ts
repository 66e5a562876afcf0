// How long waiting tasks should run and when each should have ended, learned from the tasks that end. It learns while this
// process leads and keeps what it knows while it stands by, so that standing by costs nothing. A new leader waits for it
// a moment; what it learns later is told to the backlog a page at a time. It must never hold up a term.

import { RunLearner, type RunLearnerParts } from '../shared/learning/run-learner.ts';
import type { RunTime } from '../shared/model/run-times.ts';
import { withDeadline } from '../shared/platform/deadline.ts';
import type { QueuedTask } from '../shared/ports/task-store.ts';
import { type ClusterIndex, QUEUED_PAGE } from './cluster-index.ts';
import type { LoopParts } from './parts.ts';

/** Some hundred thousand ended tasks of the embedded store are read in it. */
const WAIT_MS = 2_000;
const STOP_DEADLINE_MS = 3_000;

export class Expectations {
  readonly #learner: RunLearner;
  #isOn = false;
  /** Looks of the learner when this term began and was not waited for any longer; null when all is known. */
  #lateSince: number | null = null;
  /** Where telling the backlog anew goes on; null when nothing is to be told. */
  #after: { id: string | undefined } | null = null;

  constructor(parts: RunLearnerParts) {
    this.#learner = new RunLearner(parts);
  }

  /** As of the submission, so that a promise does not move. */
  runTimeOf(task: Pick<QueuedTask, 'image' | 'tag' | 'submittedAt'>): RunTime {
    return this.#learner.runTimeAsOf(task, task.submittedAt);
  }

  /** Begins to learn. Resolves when it has caught up, or after a moment. */
  async begin(waitMs = WAIT_MS): Promise<void> {
    if (this.#isOn) return;
    this.#isOn = true;
    const before = this.#learner.looks;
    this.#after = null;
    this.#learner.start();
    await within(this.#learner.looked(), waitMs);
    this.#lateSince = this.#learner.looks > before ? null : before;
  }

  /** Resolves when it learns no more, or after some seconds. */
  async end(): Promise<void> {
    this.#isOn = false;
    await within(this.#learner.stop(), STOP_DEADLINE_MS);
  }

  /** Tells the index a page of what was learned too late. True when there is more to tell. Throws what the store throws. */
  async catchUp(index: ClusterIndex, store: LoopParts['store'], now: number): Promise<boolean> {
    if (this.#lateSince !== null && this.#learner.looks > this.#lateSince) {
      this.#lateSince = null;
      this.#after = { id: undefined };
    }
    if (!this.#after) return false;
    const page = await store.tasks.queued({ after: this.#after.id, limit: QUEUED_PAGE });
    for (const task of page) {
      // What is known of the same record would stay.
      if (index.backlog.revisionOf(task.id) === task.revision) index.backlog.remove(task.id);
      index.putQueued(task, now);
    }
    this.#after = page.length < QUEUED_PAGE ? null : { id: page.at(-1)?.id };
    return this.#after !== null;
  }
}

/** Resolves when `work` is over, or after `ms`. */
async function within(work: Promise<void>, ms: number): Promise<void> {
  await withDeadline(work, ms, () => new Error('late')).catch(() => undefined);
}
