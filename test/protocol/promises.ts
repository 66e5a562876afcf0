// What is true of every world, whatever happened on the way to it. What must be true of each write stands in writing.ts.

import type { Attempt, Task } from '../../shared/model/task.ts';
import { isPlaced, isTerminal } from '../../shared/model/task-states.ts';
import type { Rules } from './rules.ts';
import { type Tables, type World, workerName } from './world.ts';

const verdicts = new WeakMap<Task, string | null>();

/** The promise that is broken, or null. */
export function brokenIn(world: World, rules: Rules, tables: Tables): string | null {
  const records = world.store.map((number) => tables.records.get(number));
  for (const task of records) {
    let verdict = verdicts.get(task);
    if (verdict === undefined) {
      verdict = brokenStory(task);
      verdicts.set(task, verdict);
    }
    if (verdict !== null) return verdict;
  }
  if (rules.comparesAtOnce && isOverbooked(records)) return 'a worker was given more than it has';
  for (const [worker, engine] of world.engines.entries()) {
    const there = engine.map(({ task, attempt }) => `${task}-${attempt}`);
    if (new Set(there).size < there.length) return 'two containers of one attempt';
    for (const { task, attempt } of engine) {
      const placed = records[task]?.attempts.find((one) => one.number === attempt);
      if (placed && placed.workerId !== workerName(worker))
        return 'a container of an attempt of another worker';
    }
  }
  return null;
}

/** Everything has ended, and nothing is left of it. */
export function isOver({ store, engines, queues, runners, late }: World, tables: Tables): boolean {
  return (
    late === null &&
    store.every((number) => isTerminal(tables.records.get(number).state)) &&
    engines.every((engine) => engine.length === 0) &&
    queues.every((queue) => queue.length === 0) &&
    runners.every(({ runs }) => runs.length === 0)
  );
}

/** Each worker has room for one task. */
function isOverbooked(records: readonly Task[]): boolean {
  const held = records.flatMap(({ state, workerId }) => (isPlaced(state) ? [workerId] : []));
  return new Set(held).size < held.length;
}

/** What a record tells of its attempts must be the whole story. */
function brokenStory(task: Task): string | null {
  const { attempts, attempt, state } = task;
  const last = attempts.at(-1);
  if (attempts.some(({ number }, n) => number !== n + 1)) return 'numbers of attempts are not 1, 2, 3, …';
  if (attempts.slice(0, -1).some((one) => !isWhole(one))) return 'an attempt that is over does not tell all';
  if (isPlaced(state)) {
    if (last?.number !== attempt || last.state !== state || last.workerId !== task.workerId) {
      return 'a task that is placed has no attempt that says so';
    }
  } else if (last && !isWhole(last)) return 'an attempt that is over does not tell all';
  if (state === 'queued' && attempt !== attempts.length + 1) return 'a task that waits has no next attempt';
  if (attempts.filter((one) => one.state === 'completed').length !== (state === 'completed' ? 1 : 0)) {
    return 'a task has not one result';
  }
  const isEnded = isTerminal(state);
  if (isEnded !== (task.finishedAt !== null))
    return 'a task has an end and is not over, or the other way round';
  if (state === 'failed' && task.reason === null) return 'a task failed for no reason';
  return null;
}

/** Worker, times, and why it ended. */
function isWhole({ workerId, assignedAt, finishedAt, state, reason, message }: Attempt): boolean {
  if (workerId === '' || assignedAt === null || finishedAt === null) return false;
  if (state === 'failed' || state === 'lost') return reason !== null && message !== null;
  return state === 'completed' || ((state === 'evicted' || state === 'cancelled') && message !== null);
}
