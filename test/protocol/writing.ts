// How a write gets into the store, or does not, and what must be true of every one that does.

import type { Task } from '../../shared/model/task.ts';
import { isPlaced, isTerminal } from '../../shared/model/task-states.ts';
import type { Rules } from './rules.ts';
import { replaced, type Tables, type World, type Write, workerName } from './world.ts';

/** A promise was broken. */
export class Broken extends Error {}

/** The store as it is after the write, or null when it refuses. Throws `Broken` when what it takes must not be. */
export function applied(world: World, write: Write, rules: Rules, tables: Tables): World | null {
  const before = tables.records.get(world.store[write.task] as number);
  const next = tables.records.get(write.next);
  const { by } = write;
  if (by.kind === 'scheduler' && rules.comparesTerm && by.term < world.newestTerm) return null;
  if (rules.comparesRevision && before.revision !== next.revision - 1) return null;
  check(before, next, write, world, rules);
  return { ...world, store: replaced(world.store, write.task, write.next) };
}

function check(before: Task, next: Task, { by }: Write, world: World, rules: Rules): void {
  if (isTerminal(before.state)) throw new Broken('a task that had ended was changed');
  if (next.revision !== before.revision + 1) throw new Broken('a revision did not grow by one');
  if (by.kind === 'scheduler' && rules.comparesAtOnce && by.term < world.newestTerm) {
    throw new Broken('a scheduler wrote under a term that is over');
  }
  if (by.kind === 'runner') {
    if (!isPlaced(before.state) || before.attempt !== by.attempt) {
      throw new Broken('a runner wrote for an attempt that is not the current one');
    }
    if (before.workerId !== workerName(by.worker)) {
      throw new Broken('a runner wrote for an attempt of another worker');
    }
  }
}
