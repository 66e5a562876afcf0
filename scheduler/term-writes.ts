// Writes of the leader that move placed tasks: each over the revision it was decided on, and all under the leader's term, so
// that a leader that was paused and wakes in a later term moves nothing.

import type { Task } from '../shared/model/task.ts';
import { Deposed, type LoopParts, type Mandate } from './parts.ts';

export interface Written {
  /** As they stand in the store now. */
  readonly written: readonly Task[];
  /** Those that somebody else has changed, as they are now; one that is gone is missing. */
  readonly refused: readonly Task[];
}

/** Throws `Deposed` when the mandate has ended or the store refuses the term, and what the store throws. */
export async function writeUnderTerm(
  { store }: Pick<LoopParts, 'store'>,
  next: readonly Task[],
  mandate: Mandate,
): Promise<Written> {
  if (next.length === 0) return { written: [], refused: [] };
  if (!mandate.stands()) throw new Deposed('the lease is not held any more');
  const accepted = await store.tasks.place(next, mandate.term);
  const written = next.filter(({ id }) => accepted.has(id));
  if (written.length === next.length) return { written, refused: [] };
  const before = new Map(
    next.filter(({ id }) => !accepted.has(id)).map(({ id, revision }) => [id, revision - 1]),
  );
  const refused = await store.tasks.getMany([...before.keys()]);
  // Unchanged and yet refused: nothing but the term can be the reason.
  if (refused.some(({ id, revision }) => before.get(id) === revision)) {
    throw new Deposed(`the store refuses term ${mandate.term}`);
  }
  return { written, refused };
}
