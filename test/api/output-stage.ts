// Tasks that run and print without a runner: the record moves as a runner moves it, lines are kept and told.

import { taskChanged } from '../../shared/model/event.ts';
import type { LogLine } from '../../shared/model/log-line.ts';
import type { Task } from '../../shared/model/task.ts';
import { assignTask, finishTask, type Step, startTask, takeBackTask } from '../../shared/model/task-life.ts';
import { makeTask, taken } from '../support/tasks.ts';
import type { Person, TestApi } from './harness.ts';

export const lines = (from: number, to: number, text = 'line'): LogLine[] =>
  Array.from({ length: to - from + 1 }, (_, n) => ({
    seq: from + n,
    ts: 1_700_000_000_000 + n,
    stream: (from + n) % 2 === 0 ? 'stderr' : 'stdout',
    line: `${text} ${from + n}`,
  }));

export const textOf = (some: readonly LogLine[]) => some.map(({ line }) => `${line}\n`).join('');

export class OutputStage {
  readonly #test: TestApi;
  readonly #owner: Person;

  constructor(test: TestApi, owner: Person) {
    this.#test = test;
    this.#owner = owner;
  }

  async queued(): Promise<Task> {
    const { id, username } = this.#owner;
    const task = makeTask({ maxRetries: 1 }, { ownerId: id, ownerName: username });
    await this.#test.store.tasks.insert([task]);
    return task;
  }

  async started(task?: Task): Promise<Task> {
    const waiting = task ?? (await this.queued());
    const placed = await this.#commit(assignTask(waiting, { workerId: 'w1', term: 1, now: 1 }));
    return this.#commit(startTask(placed, { ...ref(placed), containerId: 'c', imageId: null, gpuIds: [] }));
  }

  async ended(task: Task): Promise<Task> {
    const outcome = { kind: 'completed', exitCode: 0, message: null } as const;
    return this.#commit(finishTask(task, { ...ref(task), dice: 0, outcome }));
  }

  async takenBack(task: Task): Promise<Task> {
    return this.#commit(takeBackTask(task, { ...ref(task), message: 'lost' }));
  }

  /** Kept, and told with their text, by their numbers alone, or not at all. */
  async print(task: Task, some: readonly LogLine[], told: 'lines' | 'numbers' | 'nothing' = 'lines') {
    await this.#test.logs.append(task.id, task.attempt, some);
    const [firstSeq = 0, lastSeq = 0] = [some[0]?.seq, some.at(-1)?.seq];
    if (told === 'nothing') return;
    const batch = { firstSeq, lastSeq, lines: told === 'lines' ? some : null };
    await this.#test.redis.liveLogs.publish(task.id, task.attempt, batch);
  }

  async #commit(step: Step): Promise<Task> {
    const task = taken(step);
    if (!(await this.#test.store.tasks.commit(task))) throw new Error('another one was faster');
    await this.#test.redis.bus.publish(taskChanged(task));
    return task;
  }
}

const ref = (task: Task) => ({ attempt: task.attempt, workerId: 'w1', now: 2 });
