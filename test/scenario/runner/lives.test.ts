// One runner after another, and one beside another: who takes over, who leaves, what becomes of what an earlier life left.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScriptedEngine } from '../../../shared/adapters/scripted/open.ts';
import { AppError } from '../../../shared/errors.ts';
import { startTask, takeBackTask } from '../../../shared/model/task-life.ts';
import type { WorkerPresence } from '../../../shared/ports/coordination.ts';
import { gate } from '../../support/gate.ts';
import { makeTask } from '../../support/tasks.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openScriptedStage, type Stage, small } from './stage.ts';

const bound = (presence: WorkerPresence): WorkerPresence => ({
  beat: (...args) => presence.beat(...args),
  extend: (...args) => presence.extend(...args),
  present: () => presence.present(),
  leave: (...args) => presence.leave(...args),
});
let stage: Stage;
let engine: ScriptedEngine;

beforeEach(async () => {
  ({ stage, engine } = await openScriptedStage());
});
afterEach(() => stage?.close());

describe('two runners with one worker id', () => {
  it('on different machines: the second says so and stops', async () => {
    const first = await stage.start();
    const second = await stage.start({
      config: { ...stage.config, dataDir: `${stage.config.dataDir}/other` },
    });
    expect(second.fatal).toMatchObject([
      { code: 'worker_id_taken', message: expect.stringContaining(stage.workerId) },
    ]);
    expect(second.runner.status().phase).toBe('stopped');
    expect(first.runner.status().phase).toBe('up');
    const task = await stage.submit({ resources: small, command: 'print fine' });
    expect(await stage.ended(task)).toMatchObject({ state: 'completed' });
  });

  it('on one machine: the newer takes over, the older leaves containers alone', async () => {
    const older = await stage.start();
    const task = await stage.submit({ resources: small, command: 'print up; sleep 4000; print end' });
    await stage.untilPrinted(task, 'up');
    const newer = await stage.start();
    await waitFor(() => older.fatal.length > 0, { what: 'the older to notice', deadlineMs: 5_000 });
    expect(older.fatal).toMatchObject([{ code: 'superseded' }]);
    expect(older.runner.status().phase).toBe('stopped');
    expect(await stage.ended(task)).toMatchObject({ state: 'completed', attempt: 1 });
    expect(await stage.output(task)).toEqual(['up', 'end']);
    expect(newer.fatal).toEqual([]);
  });
});

describe('an older life that was replaced', () => {
  it('leaves containers alone also when it was frozen or cut off, and its lease is over by its own clock', async () => {
    const isCut = { older: false };
    const { presence } = stage.redis;
    const older = await stage.start({
      presence: {
        ...bound(presence),
        beat: async (...args) => {
          if (isCut.older) throw new AppError('queue_unavailable', 'cut off', { retryable: true });
          return presence.beat(...args);
        },
      },
    });
    const task = await stage.submit({ resources: small, command: 'print up; forever' });
    await stage.untilPrinted(task, 'up');
    isCut.older = true;
    const newer = await stage.start();
    await waitFor(() => older.fatal.length > 0, { what: 'the older to notice', deadlineMs: 10_000 });
    expect(older.fatal).toMatchObject([{ code: 'superseded' }]);
    expect(await stage.runtime.inspect((await stage.task(task.id)).attempts[0]!.containerId!)).toMatchObject({
      state: 'running',
    });
    expect(newer.runner.status().phase).toBe('up');
    await stage.cancel(task, { force: true });
    expect(await stage.ended(task)).toMatchObject({ state: 'cancelled', attempt: 1 });
  });

  it('gives nothing back that the newer one has, though it was told to hand over', async () => {
    const closing = gate();
    const toOpen = gate();
    const { inbox } = stage.redis;
    const older = await stage.start({
      config: { ...stage.config, shutdown: { mode: 'hand-over', deadlineMs: 20_000, handOverMs: 5_000 } },
      inbox: {
        open: async (...args) => {
          const session = await inbox.open(...args);
          return {
            close: async () => {
              closing.open();
              await toOpen.opened;
              await session.close();
            },
          };
        },
      },
    });
    const task = await stage.submit({ resources: small, command: 'print up; sleep 1500; print end' });
    await stage.untilPrinted(task, 'up');
    await stage.start();
    await closing.opened;
    const stopped = older.runner.stop();
    toOpen.open();
    await stopped;
    expect((await stage.ended(task)).attempts).toMatchObject([{ state: 'completed', eviction: null }]);
  });
});

describe('what an earlier life left', () => {
  /** Makes the container of an attempt as a runner would that died right after. */
  const leave = async (command: string, how: { started: boolean; announced: boolean }) => {
    const task = await stage.place(await queued(command), { deliver: false });
    const containerId = await stage.runtime.create({
      taskId: task.id,
      attempt: 1,
      workerId: stage.workerId,
      ownerId: task.ownerId,
      image: task.spec.image,
      command,
      env: {},
      resources: small,
      gpuIds: [],
      network: 'none',
      hasInput: false,
      mounts: [],
      pidsLimit: 10,
    });
    if (how.started) await stage.runtime.start(containerId);
    if (how.announced) {
      await stage.write(task, (now) =>
        startTask(now, {
          attempt: 1,
          workerId: stage.workerId,
          now: Date.now(),
          containerId,
          imageId: null,
          gpuIds: [],
        }),
      );
    }
    return { task, containerId };
  };
  const queued = async (command: string) => {
    const task = makeTask({ resources: small, command });
    await stage.store.tasks.insert([task]);
    return task;
  };

  it('is taken over at every point of its life, without a delivery', async () => {
    const text = 'print a; sleep 500; print b';
    const left = [
      await leave(text, { started: false, announced: false }),
      await leave(text, { started: true, announced: false }),
      await leave(text, { started: true, announced: true }),
      await leave('print a; print b', { started: true, announced: false }),
      await leave('print a; print b', { started: true, announced: true }),
    ];
    const assigned = await stage.place(await queued(text), { deliver: false });
    await stage.start();
    for (const { task, containerId } of left) {
      const done = await stage.ended(task);
      expect(done).toMatchObject({ state: 'completed', attempt: 1 });
      expect(done.attempts[0]?.containerId).toBe(containerId);
      expect(await stage.output(done)).toEqual(['a', 'b']);
    }
    expect(await stage.ended(assigned)).toMatchObject({ state: 'completed' });
    await stage.untilNoContainers();
  });

  it('counts in the ledger', async () => {
    await leave('forever', { started: true, announced: true });
    const { runner } = await stage.start();
    expect(runner.status().free?.cpuMillis).toBe(3_900);
  });

  it('goes when its record says it is over, before new work is taken', async () => {
    const { task } = await leave('forever', { started: true, announced: true });
    await stage.write(task, (now) =>
      takeBackTask(now, { attempt: 1, workerId: stage.workerId, now: Date.now(), message: 'lost' }),
    );
    await stage.start();
    expect(engine.size).toBe(0);
  });

  it('stays for a while when nobody knows its task', async () => {
    await stage.runtime.create({
      taskId: 'task-unknown',
      attempt: 1,
      workerId: stage.workerId,
      ownerId: 'user-1',
      image: 'any',
      command: 'forever',
      env: {},
      resources: small,
      gpuIds: [],
      network: 'none',
      hasInput: false,
      mounts: [],
      pidsLimit: 10,
    });
    await stage.start();
    expect(engine.size).toBe(1);
  });

  it('without its container is tried again by the platform', async () => {
    const { task, containerId } = await leave('forever', { started: true, announced: true });
    engine.lose(containerId);
    await stage.start();
    expect((await stage.until(task, ['queued'])).attempts[0]).toMatchObject({ reason: 'runtime_error' });
  });

  it('is complete in its output however often runners change', async () => {
    const steps = Array.from({ length: 12 }, (_, n) => `lines 50; print part ${n}; sleep 100`).join('; ');
    let { runner } = await stage.start();
    const task = await stage.submit({ resources: small, command: steps });
    for (const n of [1, 4, 7]) {
      await stage.untilPrinted(task, `part ${n}`);
      await runner.stop();
      ({ runner } = await stage.start());
    }
    expect(await stage.ended(task)).toMatchObject({ state: 'completed', attempt: 1 });
    const lines = await stage.lines(task);
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, n) => n + 1));
    expect(lines).toHaveLength(12 * 51);
    expect(lines.filter(({ line }) => line.startsWith('part')).map(({ line }) => line)).toEqual(
      Array.from({ length: 12 }, (_, n) => `part ${n}`),
    );
    await stage.untilNoDeliveries();
  });
});

describe('a runner that is told to stop', () => {
  it('does so within seconds, even with store and log store away', async () => {
    const { runner } = await stage.start();
    const task = await stage.submit({ resources: small, command: 'lines 10; forever' });
    await stage.untilPrinted(task, 'line 10');
    stage.away.store = true;
    stage.away.logs = true;
    const asked = performance.now();
    await runner.stop();
    expect(performance.now() - asked).toBeLessThan(15_000);
    expect(engine.size).toBe(1);
    expect(await stage.redis.presence.present()).toMatchObject([{ workerId: stage.workerId }]);
  });

  it('keeps no lease that it took while it was told so', async () => {
    const asked = gate();
    const answered = gate();
    const { presence } = stage.redis;
    let kept = 0;
    const starting = stage.start({
      presence: {
        ...bound(presence),
        beat: async (...args) => {
          const answer = await presence.beat(...args);
          asked.open();
          await answered.opened;
          return answer;
        },
      },
      keeper: {
        keep: () => {
          kept += 1;
          return { signOfLife: () => {}, sinceRenewedMs: () => 0, stop: async () => {} };
        },
      },
    });
    await asked.opened;
    await stage.lastRunner()?.stop();
    answered.open();
    await starting;
    expect(kept).toBe(0);
    expect(await stage.store.workers.get(stage.workerId)).toBeNull();
  });

  it('does so while it still waits for the engine', async () => {
    engine.setReachable(false);
    const starting = stage.start();
    await waitFor(() => stage.lastRunner()?.status().phase === 'starting', { what: 'a start' });
    await stage.lastRunner()?.stop();
    await starting;
    expect(stage.lastRunner()?.status().phase).toBe('stopped');
    engine.setReachable(true);
  });
});
