import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { TasksWatch } from '../../client/live.ts';
import type { TaskEvent } from '../../shared/contracts/live.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { afterEvent, byWorker, type PlacedTask, PlacedTasks } from './placed-tasks.ts';
import type { Session } from './session.ts';

const task = (task_id: string, worker_id: string, status: PlacedTask['status'] = 'running') =>
  ({ task_id, worker_id, status }) as PlacedTask;
const event = (task_id: string, status: TaskEvent['status'], worker_id: string | null) =>
  ({ task_id, status, worker_id, attempt: 1, revision: 2, at: '' }) satisfies TaskEvent;

describe('the tasks on workers', () => {
  const tasks = [task('task-2', 'a'), task('task-1', 'a', 'assigned'), task('task-3', 'b')];

  it('are grouped, the oldest first', () => {
    const groups = byWorker(tasks);
    expect(groups.get('a')?.map(({ task_id }) => task_id)).toEqual(['task-1', 'task-2']);
    expect(groups.get('b')).toHaveLength(1);
  });

  it('lose one that has ended or waits again', () => {
    expect(afterEvent(tasks, event('task-2', 'completed', 'a'))).toEqual([tasks[1], tasks[2]]);
    expect(afterEvent(tasks, event('task-2', 'queued', null))).toHaveLength(2);
    expect(afterEvent(tasks, event('task-9', 'failed', 'a'))).toBe(tasks);
  });

  it('take a new state, and are asked for again when one is not known or has moved', () => {
    expect(afterEvent(tasks, event('task-1', 'running', 'a'))?.[1]?.status).toBe('running');
    expect(afterEvent(tasks, event('task-1', 'assigned', 'a'))).toBe(tasks);
    expect(afterEvent(tasks, event('task-9', 'assigned', 'a'))).toBeNull();
    expect(afterEvent(tasks, event('task-1', 'assigned', 'b'))).toBeNull();
  });
});

describe('a list that is read while its tasks change', () => {
  /** What the API answers is let go by the test. */
  function open() {
    const page = Object.assign(new EventTarget(), { hidden: false });
    vi.stubGlobal('document', page);
    const controllers: ReactiveController[] = [];
    const answers: ((tasks: readonly PlacedTask[]) => void)[] = [];
    let watch: TasksWatch = {};
    const live = {
      state: 'connected',
      subscribe: (_room: 'tasks', given: TasksWatch) => {
        watch = given;
        return () => undefined;
      },
    };
    const listTaskSummaries = () =>
      new Promise((done) => answers.push((tasks) => done({ tasks, next_cursor: null })));
    const session = Object.assign(new EventTarget(), { live, client: { listTaskSummaries } });
    const host = {
      addController: (one: ReactiveController) => void controllers.push(one),
      requestUpdate: () => undefined,
    } as unknown as ReactiveControllerHost;
    const placed = new PlacedTasks(host, () => session as unknown as Session);
    for (const one of controllers) one.hostConnected?.();
    onTestFinished(() => {
      for (const one of controllers) one.hostDisconnected?.();
      vi.unstubAllGlobals();
    });
    return { placed, answers, watch };
  }
  const old = [task('task-1', 'a')];
  const asked = (answers: readonly unknown[], count: number) =>
    waitFor(() => answers.length === count, { what: `request ${count}`, deadlineMs: 5_000 });

  it.each([0, 1])('is read again when a task ends before answer %i is there', async (before) => {
    const { placed, answers, watch } = open();
    if (before > 0) {
      answers[0]?.(old);
      await waitFor(() => placed.byWorker !== null, { what: 'the first answer' });
      placed.refresh();
    }
    watch.task?.(event('task-1', 'cancelled', 'a'));
    answers[before]?.(old);
    await asked(answers, before + 2);
    answers[before + 1]?.([]);
    await waitFor(() => placed.byWorker?.size === 0, { what: 'an empty worker' });
  });

  it('is read again once the subscription stands', async () => {
    const { answers, watch } = open();
    answers[0]?.(old);
    watch.standing?.();
    await asked(answers, 2);
  });
});
