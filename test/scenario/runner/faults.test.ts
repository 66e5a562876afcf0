// A runner whose world breaks: the store, the log store, Redis, the runner itself. Nothing is lost, nothing doubled.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createScriptedEngine,
  openScriptedRuntime,
  type ScriptedEngine,
} from '../../../shared/adapters/scripted/open.ts';
import { AppError } from '../../../shared/errors.ts';
import { startTask, takeBackTask } from '../../../shared/model/task-life.ts';
import type { WorkerPresence } from '../../../shared/ports/coordination.ts';
import { makeTask } from '../../support/tasks.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openStage, type Stage } from './stage.ts';

const small = { cpuMillis: 100, memoryMb: 10, gpus: 0, storageMb: 0 };
const bound = (presence: WorkerPresence): WorkerPresence => ({
  beat: (...args) => presence.beat(...args),
  extend: (...args) => presence.extend(...args),
  present: () => presence.present(),
  leave: (...args) => presence.leave(...args),
});
const gate = () => {
  let open: () => void = () => {};
  const opened = new Promise<void>((done) => {
    open = done;
  });
  return { open: () => open(), opened };
};
let stage: Stage;
let engine: ScriptedEngine;

beforeEach(async () => {
  engine = createScriptedEngine();
  stage = await openStage({ openRuntime: () => openScriptedRuntime({ engine }) });
});
afterEach(() => stage?.close());

describe('while the store is away', () => {
  it('the result is held and committed when it is back', async () => {
    await stage.start();
    const task = await stage.submit({ resources: small, command: 'print one; sleep 200; print two; exit 4' });
    const running = await stage.until(task, ['running']);
    stage.away.store = true;
    const { containerId } = running.attempts[0]!;
    expect(await stage.runtime.wait(containerId!)).toMatchObject({ exitCode: 4 });
    await stage.untilPrinted(task, 'two');
    expect((await stage.task(task.id)).state).toBe('running');
    stage.away.store = false;
    expect(await stage.ended(task)).toMatchObject({ state: 'failed', exitCode: 4, attempt: 1 });
    await stage.untilNoContainers();
  });

  it('the time limit is enforced all the same', async () => {
    await stage.start();
    const task = await stage.submit({ resources: small, command: 'forever', timeoutSeconds: 1 });
    const running = await stage.until(task, ['running']);
    stage.away.store = true;
    expect(await stage.runtime.wait(running.attempts[0]!.containerId!)).toMatchObject({ exitCode: 143 });
    stage.away.store = false;
    expect(await stage.ended(task)).toMatchObject({ reason: 'timed_out' });
  });

  it('a runner that starts waits for it', async () => {
    stage.away.store = true;
    const starting = stage.start();
    await waitFor(async () => (await stage.redis.presence.present()).length === 1, { what: 'the lease' });
    expect(await stage.store.workers.get(stage.workerId)).toBeNull();
    stage.away.store = false;
    await starting;
    expect(await stage.store.workers.get(stage.workerId)).toMatchObject({
      id: stage.workerId,
      capacity: { cpuMillis: 4_000, memoryMb: 2_048, gpus: 2, storageMb: 1_000 },
      gpuIds: ['gpu-0', 'gpu-1'],
      liveness: 'up',
    });
  });
});

describe('while the log store is away', () => {
  it('no line is lost, and the result waits for the output', async () => {
    await stage.start();
    const task = await stage.submit({
      resources: small,
      command: 'print up; sleep 500; lines 60000; print end',
    });
    await stage.untilPrinted(task, 'up');
    stage.away.logs = true;
    const { containerId } = (await stage.task(task.id)).attempts[0]!;
    await stage.runtime.wait(containerId!);
    expect((await stage.output(task)).length).toBeLessThan(60_002);
    expect((await stage.task(task.id)).state).toBe('running');
    stage.away.logs = false;
    expect(await stage.ended(task)).toMatchObject({ state: 'completed' });
    const lines = await stage.lines(task);
    expect(lines).toHaveLength(60_002);
    expect(lines.every(({ seq }, n) => seq === n + 1)).toBe(true);
    expect(lines.slice(1, -1).every(({ line }, n) => line === `line ${n + 1}`)).toBe(true);
  });

  it('a cancel does not wait for it', async () => {
    await stage.start();
    stage.away.logs = true;
    const task = await stage.submit({ resources: small, command: 'forever' });
    await waitFor(async () => (await stage.runtime.list(stage.workerId)).length === 1, {
      what: 'a container',
    });
    await stage.cancel(task);
    expect(await stage.ended(task)).toMatchObject({ state: 'cancelled' });
  });
});

/** What the scheduler writes before it takes anything from a worker. */
const callDown = () => stage.store.workers.setLiveness(stage.workerId, 'down', Date.now());

describe('a worker that cannot renew its lease', () => {
  it('goes on as long as the record has it as up, and stops its containers once it cannot read that', async () => {
    const { runner } = await stage.start();
    const [task, other] = [
      await stage.submit({ resources: small, command: 'print up; sleep 6500; print end' }),
      await stage.submit({ resources: small, command: 'print up; forever' }),
    ];
    await stage.untilPrinted(task, 'up');
    await stage.untilPrinted(other, 'up');
    const { containerId } = (await stage.until(other, ['running'])).attempts[0]!;
    stage.away.lease = true;
    // More than two leases.
    expect(await stage.ended(task)).toMatchObject({ state: 'completed', attempt: 1 });
    expect(runner.status().phase).toBe('up');
    stage.away.store = true;
    await waitFor(() => runner.status().phase === 'fenced', { what: 'the fence', deadlineMs: 10_000 });
    // It ends at once; what became of it is committed when the store is back.
    expect(await stage.runtime.wait(containerId!)).toMatchObject({ exitCode: 143 });
    stage.away.lease = false;
    stage.away.store = false;
    expect(await stage.until(other, ['queued'])).toMatchObject({ attempt: 2, losses: 1 });
    await waitFor(() => runner.status().phase === 'up', { what: 'it to be back', deadlineMs: 10_000 });
  });
});

describe('a worker that is cut off', () => {
  it('stops its containers, takes no work, and goes on when it is back', async () => {
    const { runner, fatal } = await stage.start();
    const task = await stage.submit({ resources: small, command: 'print up; forever' });
    await stage.untilPrinted(task, 'up');
    stage.away.lease = true;
    await callDown();
    const cut = performance.now();
    await waitFor(() => runner.status().phase === 'fenced', { what: 'the fence', deadlineMs: 10_000 });
    expect(performance.now() - cut).toBeGreaterThan(1_500);
    const queued = await stage.until(task, ['queued']);
    expect(queued).toMatchObject({ attempt: 2, failures: 0, losses: 1 });
    expect(queued.attempts[0]).toMatchObject({ state: 'failed', reason: 'worker_lost' });
    await stage.untilNoContainers();

    const meanwhile = await stage.submit({ resources: small, command: 'print late' });
    // Two more beats fail.
    const later = performance.now() + 2_500;
    await waitFor(() => performance.now() > later, { what: 'time to pass' });
    expect(engine.size).toBe(0);
    stage.away.lease = false;
    expect(await stage.ended(meanwhile)).toMatchObject({ state: 'completed' });
    expect(runner.status().phase).toBe('up');
    expect(fatal).toEqual([]);
  });

  it('commits nothing for what was given to another meanwhile', async () => {
    const { runner } = await stage.start();
    const task = await stage.submit({ resources: small, command: 'ignore-term; print up; forever' });
    await stage.untilPrinted(task, 'up');
    stage.away.lease = true;
    await callDown();
    await waitFor(() => runner.status().phase === 'fenced', { what: 'the fence', deadlineMs: 10_000 });
    const lost = await stage.write(task, (now) =>
      takeBackTask(now, { attempt: 1, workerId: stage.workerId, now: Date.now(), message: 'lost' }),
    );
    await stage.untilNoContainers();
    stage.away.lease = false;
    await waitFor(() => runner.status().phase === 'up', {
      what: 'the worker to be back',
      deadlineMs: 10_000,
    });
    expect(await stage.task(task.id)).toEqual(lost);
  });
});

describe('a worker that an admin removed', () => {
  it('takes no more work until it is started again', async () => {
    const { runner } = await stage.start();
    stage.away.lease = true;
    await callDown();
    await waitFor(() => runner.status().phase === 'fenced', { what: 'the fence', deadlineMs: 10_000 });
    await stage.store.workers.remove(stage.workerId);
    stage.away.lease = false;
    await waitFor(() => runner.status().phase === 'removed', { what: 'the removal to be seen' });
    expect(await stage.store.workers.get(stage.workerId)).toBeNull();
    const task = await stage.submit({ resources: small, command: 'print hello' });
    await runner.stop();
    await stage.start();
    expect(await stage.ended(task)).toMatchObject({ state: 'completed' });
    expect(await stage.store.workers.get(stage.workerId)).not.toBeNull();
  });
});

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
