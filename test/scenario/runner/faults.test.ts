// A runner whose world breaks: the store, the log store, Redis, the runner itself. Nothing is lost, nothing doubled.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScriptedEngine } from '../../../shared/adapters/scripted/open.ts';
import { takeBackTask } from '../../../shared/model/task-life.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openScriptedStage, type Stage, small } from './stage.ts';

let stage: Stage;
let engine: ScriptedEngine;

beforeEach(async () => {
  ({ stage, engine } = await openScriptedStage());
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
