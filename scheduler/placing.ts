// Makes a plan true: compare-and-set in the store under the leader's term, then delivery. It books before it
// writes, so that an event that comes early finds the booking; what the store refuses is read again.

import type { Task } from '../shared/model/task.ts';
import { assignTask } from '../shared/model/task-life.ts';
import { taskAttributes } from '../shared/model/trace.ts';
import { type ClusterIndex, holdingOf, READ_BATCH } from './cluster-index.ts';
import type { Placement } from './core/snapshot.ts';
import type { Handoff } from './handoff.ts';
import { Deposed, type LoopParts, type Mandate } from './parts.ts';
import { letOthersRun } from './pauses.ts';

export interface PlacingParts extends Pick<LoopParts, 'store' | 'clock' | 'tally' | 'tracer' | 'log'> {
  readonly index: ClusterIndex;
  readonly handoff: Handoff;
  /** Takes ids whose records are to be read again. */
  readonly reread: (ids: Iterable<string>) => void;
}

/**
 * Returns how many were placed. Throws `Deposed` when the mandate has ended or the store refuses the term, and
 * what the store throws.
 */
export async function applyPlacements(
  parts: PlacingParts,
  placements: readonly Placement[],
  mandate: Mandate,
): Promise<number> {
  let placed = 0;
  for (let at = 0; at < placements.length; at += READ_BATCH) {
    if (!mandate.stands()) throw new Deposed('the lease is not held any more');
    placed += await placeBatch(parts, placements.slice(at, at + READ_BATCH), mandate);
    if (at + READ_BATCH < placements.length) await letOthersRun();
  }
  return placed;
}

async function placeBatch(
  parts: PlacingParts,
  placements: readonly Placement[],
  mandate: Mandate,
): Promise<number> {
  const { index, store, clock, handoff, reread } = parts;
  const beganAt = clock.now();
  const next = await book(parts, placements, mandate.term);
  if (next.length === 0) return 0;
  let accepted: ReadonlySet<string>;
  try {
    if (!mandate.stands()) throw new Deposed('the lease is not held any more');
    accepted = await store.tasks.place(next, mandate.term);
  } catch (error) {
    // Written or not: the store will say.
    reread(next.map(({ id }) => id));
    throw error;
  }
  const refused = next.filter(({ id }) => !accepted.has(id));
  if (refused.length > 0) {
    await index.read(
      refused.map(({ id }) => id),
      () => clock.now(),
    );
    // Unchanged and yet refused: nothing but the term can be the reason.
    if (refused.some(({ id, revision }) => index.backlog.revisionOf(id) === revision - 1)) {
      throw new Deposed(`the store refuses term ${mandate.term}`);
    }
  }
  const taken = next.filter(({ id }) => accepted.has(id));
  if (taken.length > 0) await handoff.begin(taken);
  for (const task of taken) noted(parts, task, beganAt);
  return taken.length;
}

/** For whoever watches; nothing depends on it. */
function noted({ tally, tracer, clock, log }: PlacingParts, task: Task, beganAt: number): void {
  const { id, attempt, workerId, spec, queuedAt, notBefore, assignedAt } = task;
  const waitsSince = Math.max(queuedAt, notBefore);
  tally.placed(spec.tag, (assignedAt ?? beganAt) - waitsSince);
  log.debug({ taskId: id, attempt, workerId }, 'placed');
  const { traceparent: parent } = spec;
  if (parent === undefined || !tracer.isOn) return;
  const attributes = { ...taskAttributes(task), 'cloudai.worker_id': workerId ?? '' };
  tracer.start('task.wait', { parent, at: waitsSince, attributes }).end(beganAt);
  tracer.start('task.place', { parent, at: beganAt, attributes }).end(clock.now());
}

/** The next records of the tasks that may still be placed, booked on their workers. */
async function book(
  { index, clock }: PlacingParts,
  placements: readonly Placement[],
  term: number,
): Promise<Task[]> {
  const now = clock.now();
  const records = await index.records(placements.map(({ taskId }) => taskId));
  const next: Task[] = [];
  for (const { taskId, workerId, gpuIds } of placements) {
    const task = records.get(taskId);
    if (!task) {
      index.forget(taskId);
      continue;
    }
    const step = assignTask(task, { workerId, gpuIds, term, now });
    if (!step.ok) {
      index.learn(task, now);
      continue;
    }
    const holding = holdingOf(step.task);
    index.backlog.take(taskId, now);
    if (holding) index.ledger.hold(holding);
    next.push(step.task);
  }
  return next;
}
