import { describe, expect, it } from 'vitest';
import type { TaskChanged } from '../shared/model/event.ts';
import { Changes } from './changes.ts';

const event = (taskId: string, revision: number): TaskChanged => ({
  type: 'task',
  taskId,
  ownerId: 'user-1',
  state: 'running',
  attempt: 1,
  revision,
  workerId: 'w1',
  at: 0,
  hasWebhook: false,
});

describe('changes', () => {
  it('wake, are given out once, and only the newest of each task', () => {
    let woken = 0;
    const changes = new Changes(() => {
      woken += 1;
    });
    expect(changes.isEmpty).toBe(true);
    changes.addEvent(event('a', 3));
    changes.addEvent(event('a', 2));
    changes.addEvent(event('b', 1));
    changes.addEvent({ type: 'worker', workerId: 'w1' });
    changes.addEvent({ type: 'quota', userId: 'user-1' });
    changes.addIds(['c', 'c']);
    expect(woken).toBe(6);
    expect(changes.isEmpty).toBe(false);
    expect(changes.take()).toEqual({
      tasks: [event('a', 3), event('b', 1)],
      ids: ['c'],
      workers: ['w1'],
      quotas: true,
    });
    expect(changes.isEmpty).toBe(true);
    expect(changes.take()).toEqual({ tasks: [], ids: [], workers: [], quotas: false });
  });

  it('are bounded and count what they drop', () => {
    const changes = new Changes(() => undefined, 2);
    for (const id of ['a', 'b', 'c']) changes.addEvent(event(id, 1));
    changes.addEvent(event('a', 2));
    changes.addIds(['a', 'b', 'c', 'd']);
    changes.addWorkers(['w1', 'w2', 'w3']);
    expect(changes.takeDropped()).toBe(4);
    expect(changes.takeDropped()).toBe(0);
    const { tasks, ids, workers } = changes.take();
    expect([tasks.length, ids.length, workers.length]).toEqual([2, 2, 2]);
    expect(tasks[0]).toEqual(event('a', 2));
  });
});
