// Attempts that are to leave their worker, on a runner with a scripted container runtime: while they run, before they
// run, over a change of runners; and what the same worker makes of the next attempt.

import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScriptedEngine } from '../../../shared/adapters/scripted/open.ts';
import type { Task } from '../../../shared/model/task.ts';
import { newId } from '../../../shared/platform/ids.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openScriptedStage, type Stage, type StartedRunner, small } from './stage.ts';

let stage: Stage;
let engine: ScriptedEngine;
let started: StartedRunner;

beforeEach(async () => {
  ({ stage, engine } = await openScriptedStage());
  started = await stage.start();
});
afterEach(() => stage?.close());

const fileOf = async (task: Task, attempt: number, path: string): Promise<string | null> => {
  const record = await stage.store.files.find({ ownerId: task.ownerId, taskId: task.id, attempt, path });
  return record ? (await buffer(await stage.files.read(record.id))).toString() : null;
};
const printedBy = async ({ id }: Task, attempt: number) =>
  (await stage.logs.read(id, attempt, 1, 1_000)).map(({ line }) => line);

describe('an attempt that runs', () => {
  it('is stopped, keeps its output and files, and the task goes back to the queue at no cost', async () => {
    const task = await stage.submit({
      resources: small,
      command: 'file half some text; on-term 0 0 bye; print up; forever',
      maxRetries: 1,
    });
    await stage.untilPrinted(task, 'up');
    await stage.evict(task);
    const back = await stage.until(task, ['queued']);
    // `queued` means that it has left: nothing of it holds the machine any more.
    expect(engine.size).toBe(0);
    expect(back).toMatchObject({ attempt: 2, failures: 0, losses: 0, notBefore: 0, workerId: null });
    expect(back.attempts).toMatchObject([
      {
        state: 'evicted',
        reason: null,
        exitCode: 0,
        message: 'makes room for another',
        eviction: { cause: 'preempted' },
        outputs: { files: 1, bytes: 9, note: null },
      },
    ]);
    expect(await printedBy(task, 1)).toEqual(['up', 'bye']);
    await waitFor(async () => (await stage.redis.intake.page(0, 100)).includes(task.id), { what: 'intake' });
    await stage.untilNoDeliveries();

    // The same worker gets it again.
    const again = await stage.place(back);
    await waitFor(async () => (await printedBy(task, 2)).includes('up'), { what: 'the second attempt' });
    await stage.evict(again, { cause: 'drained' });
    const third = await stage.until(task, ['queued']);
    expect(third.attempts).toMatchObject([{ state: 'evicted' }, { state: 'evicted' }]);
    expect(await printedBy(task, 1)).toEqual(['up', 'bye']);
    expect([await fileOf(task, 1, 'half'), await fileOf(task, 2, 'half')]).toEqual([
      'some text',
      'some text',
    ]);
  });

  it('is stopped when the nudge is lost', async () => {
    const task = await stage.submit({ resources: small, command: 'print up; forever' });
    await stage.untilPrinted(task, 'up');
    await stage.evict(task, { nudge: false });
    const back = await stage.until(task, ['queued']);
    expect(back.attempts).toMatchObject([{ state: 'evicted', exitCode: 143 }]);
  });

  it('is killed when it does not listen', async () => {
    const task = await stage.submit({ resources: small, command: 'ignore-term; print up; forever' });
    await stage.untilPrinted(task, 'up');
    const asked = performance.now();
    await stage.evict(task);
    const back = await stage.until(task, ['queued']);
    expect(performance.now() - asked).toBeGreaterThan(950);
    expect(back.attempts).toMatchObject([
      { state: 'evicted', exitCode: 137, message: 'makes room for another; killed' },
    ]);
  });

  it('is cancelled when that is asked for meanwhile', async () => {
    const task = await stage.submit({ resources: small, command: 'on-term 0 600000; print up; forever' });
    await stage.untilPrinted(task, 'up');
    await stage.evict(task);
    await stage.cancel(task, { force: true });
    expect(await stage.ended(task)).toMatchObject({
      state: 'cancelled',
      attempt: 1,
      message: 'cancelled by alice; killed',
    });
    expect(engine.size).toBe(0);
  });

  it('keeps its own end when it came before the stop', async () => {
    const task = await stage.submit({ resources: small, command: 'print up; sleep 300; exit 5' });
    const { attempts } = await stage.until(task, ['running']);
    // Its end is known, its output is still being kept when the wish comes.
    stage.away.logs = true;
    await stage.runtime.wait(attempts[0]!.containerId!);
    await stage.evict(task);
    stage.away.logs = false;
    expect(await stage.ended(task)).toMatchObject({ state: 'failed', exitCode: 5, attempt: 1 });
  });

  it('is stopped by the next runner when the first is gone', async () => {
    const polite = await stage.submit({ resources: small, command: 'on-term 0 0 bye; print up; forever' });
    const ends = await stage.submit({ resources: small, command: 'print up; on-term 7; forever' });
    const lost = await stage.submit({ resources: small, command: 'print up; forever' });
    for (const task of [polite, ends, lost]) await stage.untilPrinted(task, 'up');
    await started.runner.stop();
    for (const task of [polite, ends, lost]) await stage.evict(task);
    const containerOf = async ({ id }: Task) => (await stage.task(id)).attempts[0]!.containerId!;
    // As when the first runner had sent the signal, or had removed the container, and did not live to write so.
    await stage.runtime.kill(await containerOf(ends), 'SIGTERM');
    await stage.runtime.remove(await containerOf(lost));
    await stage.start();
    const states = await Promise.all([polite, ends, lost].map((task) => stage.until(task, ['queued'])));
    expect(states.map(({ attempt, failures, losses }) => [attempt, failures, losses])).toEqual(
      Array(3).fill([2, 0, 0]),
    );
    expect(states.map(({ attempts: [one] }) => [one!.state, one!.exitCode])).toEqual([
      ['evicted', 0],
      ['evicted', 7],
      ['evicted', null],
    ]);
    expect(await printedBy(polite, 1)).toEqual(['up', 'bye']);
    await stage.untilNoContainers();
  });
});

describe('an attempt that has not started', () => {
  /** The task is the scheduler's again at once; the runner must find out and hold nothing of it. */
  const leaves = async (task: Task) => {
    const back = await stage.evict(task);
    expect(back).toMatchObject({ state: 'queued', attempt: 2 });
    expect(back.attempts).toMatchObject([{ state: 'evicted', startedAt: null }]);
    await waitFor(() => started.runner.status().free?.memoryMb === 2_048, { what: 'the room back' });
    await stage.untilNoContainers();
    await stage.untilNoDeliveries();
    expect(started.runner.status().waiting).toBe(0);
    expect(await stage.task(task.id)).toEqual(back);
  };

  it('gives up its place in the line', async () => {
    const all = { ...small, cpuMillis: 4_000 };
    const first = await stage.submit({ resources: all, command: 'forever' });
    await stage.until(first, ['running']);
    const second = await stage.submit({ resources: all, command: 'print second' });
    await waitFor(() => started.runner.status().waiting === 1, { what: 'the second to wait' });
    await stage.evict(second);
    await waitFor(() => started.runner.status().waiting === 0, { what: 'an empty line' });
    await stage.evict(first);
    await stage.until(first, ['queued']);
    await stage.untilNoDeliveries();
  });

  it('gives up its pull, and the next attempt here does not wait for that', async () => {
    const task = await stage.submit({ resources: small, image: 'cloudai/slow-600000:1', command: 'exit 0' });
    await waitFor(() => started.runner.status().free?.memoryMb === 2_038, { what: 'it to be admitted' });
    await leaves(task);
  });

  it('gives up the files it is given', async () => {
    const id = newId('file');
    const content = Readable.from([Buffer.from('x')]);
    const written = await stage.files.write(id, content, { maxBytes: 10 });
    const place = { ownerId: 'user-1', taskId: null, attempt: null, path: 'in/x' };
    await stage.store.files.put([{ ...written, ...place, id, contentType: 'text/plain', createdAt: 1 }]);
    stage.away.files = true;
    const task = await stage.submit({ resources: small, files: ['in/x'], command: 'exit 0' });
    await waitFor(() => started.runner.status().free?.memoryMb === 2_038, { what: 'it to be admitted' });
    await leaves(task);
    stage.away.files = false;
    await waitFor(() => engine.inputCount === 0, { what: 'its input to be gone' });
  });

  it('has its container removed before that starts', async () => {
    // The log store is asked before the start.
    stage.away.logs = true;
    const task = await stage.submit({ resources: small, command: 'print up; forever' });
    await waitFor(() => engine.size === 1, { what: 'a container' });
    await leaves(task);
    stage.away.logs = false;
    expect(await printedBy(task, 1)).toEqual([]);
  });

  it('has its container removed also when that runs and the record does not say so yet', async () => {
    stage.away.logs = true;
    const task = await stage.submit({ resources: small, command: 'ignore-term; print up; forever' });
    await waitFor(() => engine.size === 1, { what: 'a container' });
    stage.away.store = true;
    stage.away.logs = false;
    const isRunning = async () => (await stage.runtime.list(stage.workerId))[0]?.state === 'running';
    await waitFor(isRunning, { what: 'the start' });
    const back = await stage.evict(task);
    expect(back).toMatchObject({ state: 'queued', attempts: [{ state: 'evicted', startedAt: null }] });
    stage.away.store = false;
    await stage.untilNoContainers();
    await stage.untilNoDeliveries();
    expect(await stage.task(task.id)).toEqual(back);
  });

  it('is not run when its delivery comes late, and the next attempt on the same worker is', async () => {
    const task = await stage.place(await stage.insert({ resources: small, command: 'print once' }), {
      deliver: false,
    });
    const back = await stage.evict(task, { nudge: false });
    const next = await stage.place(back, { deliver: false });
    await stage.deliver(task);
    await stage.deliver(next);
    expect(await stage.ended(task)).toMatchObject({ state: 'completed', attempt: 2 });
    expect(await printedBy(task, 1)).toEqual([]);
    expect(await printedBy(task, 2)).toEqual(['once']);
    await stage.untilNoDeliveries();
  });

  it('goes while the next attempt comes to the same worker, over and over', async () => {
    let task = await stage.submit({ resources: small, command: 'print up; forever' });
    for (let n = 0; n < 15; n += 1) {
      const back = await stage.evict(task);
      const queued = back.state === 'queued' ? back : await stage.until(task, ['queued']);
      task = await stage.place(queued);
    }
    await waitFor(async () => (await printedBy(task, task.attempt)).includes('up'), { what: 'the last' });
    await waitFor(() => engine.size === 1, { what: 'only one container' });
    const now = await stage.task(task.id);
    expect(now).toMatchObject({ attempt: 16, failures: 0, losses: 0 });
    await waitFor(() => started.runner.status().free?.memoryMb === 2_038, {
      what: 'room for one to be held',
    });
  });
});

describe('devices', () => {
  const oneGpu = { ...small, gpus: 1 };

  it('are those the scheduler chose', async () => {
    const command = 'env NVIDIA_VISIBLE_DEVICES; forever';
    const task = await stage.submit({ resources: oneGpu, command }, { gpuIds: ['gpu-1'] });
    await stage.untilPrinted(task, 'gpu-1');
    const running = await stage.until(task, ['running']);
    expect(running.attempts).toMatchObject([{ gpuIds: ['gpu-1'] }]);
  });

  it('are waited for when something else has them, though others are free', async () => {
    const command = 'env NVIDIA_VISIBLE_DEVICES; forever';
    const first = await stage.submit({ resources: oneGpu, command }, { gpuIds: ['gpu-1'] });
    await stage.untilPrinted(first, 'gpu-1');
    const second = await stage.submit({ resources: oneGpu, command }, { gpuIds: ['gpu-1'] });
    await waitFor(() => started.runner.status().waiting === 1, { what: 'the second to wait' });
    // Nobody waits behind it who fits beside it.
    expect(await stage.ended(await stage.submit({ resources: small, command: 'exit 0' }))).toMatchObject({
      state: 'completed',
    });
    const other = await stage.submit({ resources: oneGpu, command }, { gpuIds: ['gpu-0'] });
    await stage.untilPrinted(other, 'gpu-0');
    expect((await stage.task(second.id)).state).toBe('assigned');
    await stage.evict(first);
    await stage.untilPrinted(second, 'gpu-1');
  });

  it('are any that are free when the machine has changed, and the record says which', async () => {
    const command = 'env NVIDIA_VISIBLE_DEVICES; forever';
    const task = await stage.submit({ resources: oneGpu, command }, { gpuIds: ['GPU-of-old'] });
    await stage.untilPrinted(task, 'gpu-0');
    expect((await stage.until(task, ['running'])).attempts).toMatchObject([{ gpuIds: ['gpu-0'] }]);
  });
});
