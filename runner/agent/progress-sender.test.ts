// What watchers get of many reports, by a clock that the test moves.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TaskProgress } from '../../shared/model/progress.ts';
import { silentLog } from '../../shared/platform/log.ts';
import { collectLive, type LiveCollector } from '../../test/support/live-collectors.ts';
import { type ProgressNews, ProgressSender } from './progress-sender.ts';

const key = { taskId: 'task-1', attempt: 1, workerId: 'worker-1' };
let live: LiveCollector;
let sender: ProgressSender;

beforeEach(() => {
  vi.useFakeTimers({ now: 0, toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  live = collectLive();
  sender = make(live.parts.progress);
});
afterEach(() => vi.useRealTimers());

const make = (board: LiveCollector['parts']['progress']) =>
  new ProgressSender({
    rooms: live.parts.rooms,
    board,
    clock: { now: Date.now, monotonic: Date.now },
    log: silentLog(),
  });
const at = (percent: number): ProgressNews => ({
  phase: 'running',
  percent,
  message: 'm',
  layers: null,
  bytes: null,
});
const sent = () => live.progressOf('task-1').map(({ percent }) => percent);

describe('telling progress', () => {
  it('begins at once, to the room and the board', async () => {
    const layers = { done: 1, total: 2 };
    sender.report(key, { phase: 'pulling', percent: 50, message: '', layers, bytes: null });
    await vi.advanceTimersByTimeAsync(0);
    const common = { attempt: 1, phase: 'pulling', percent: 50, message: '', layers, bytes: null };
    expect(live.emitted).toEqual([
      {
        room: 'task:task-1',
        event: 'task:progress',
        body: { task_id: 'task-1', ...common, at: '1970-01-01T00:00:00.000Z' },
      },
    ]);
    expect(live.kept).toEqual([{ taskId: 'task-1', ...common, at: 0 }]);
  });

  it('happens five times a second at most, and the last always comes', async () => {
    for (let n = 0; n < 100; n += 1) {
      sender.report(key, at(n));
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(sent()).toEqual([0, 19, 39, 59, 79, 99]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent()).toHaveLength(6);
    expect(live.kept.at(-1)).toMatchObject({ percent: 99, at: 990 });
  });

  it('of one task does not wait for that of another', () => {
    sender.report(key, at(1));
    sender.report({ ...key, taskId: 'task-2' }, at(2));
    expect(live.emitted).toHaveLength(2);
  });

  it('that waits is sent before something else is told', () => {
    sender.report(key, at(1));
    sender.report(key, at(2));
    expect(sent()).toEqual([1]);
    sender.flush(key);
    sender.flush(key);
    expect(sent()).toEqual([1, 2]);
  });

  it('writes to a slow board once at a time, the newest', async () => {
    const begun: TaskProgress[] = [];
    let finish = () => {};
    sender = make({
      set: (one) => {
        begun.push(one);
        return new Promise((done) => {
          finish = done;
        });
      },
      get: async () => [],
    });
    for (let n = 0; n < 10; n += 1) {
      sender.report(key, at(n));
      await vi.advanceTimersByTimeAsync(200);
    }
    expect(sent()).toHaveLength(10);
    expect(begun.map(({ percent }) => percent)).toEqual([0]);
    finish();
    await vi.advanceTimersByTimeAsync(0);
    expect(begun.map(({ percent }) => percent)).toEqual([0, 9]);
  });

  it('goes on after a board that breaks its promise', async () => {
    sender = make({ set: () => Promise.reject(new Error('broken')), get: async () => [] });
    sender.report(key, at(1));
    await vi.advanceTimersByTimeAsync(200);
    sender.report(key, at(2));
    await vi.advanceTimersByTimeAsync(200);
    expect(sent()).toEqual([1, 2]);
  });
});
