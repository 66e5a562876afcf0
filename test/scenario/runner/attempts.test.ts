// What becomes of attempts on a runner with a scripted container runtime: outcomes, retries, cancels, room.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScriptedEngine } from '../../../shared/adapters/scripted/open.ts';
import type { Task } from '../../../shared/model/task.ts';
import { takeBackTask } from '../../../shared/model/task-life.ts';
import { makeTask } from '../../support/tasks.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openScriptedStage, type Stage, type StartedRunner, small } from './stage.ts';

let stage: Stage;
let engine: ScriptedEngine;
let started: StartedRunner;

const run = async (spec: Parameters<Stage['submit']>[0]): Promise<Task> =>
  stage.ended(await stage.submit({ resources: small, ...spec }));

beforeAll(async () => {
  ({ stage, engine } = await openScriptedStage());
  started = await stage.start();
});
afterAll(() => stage?.close());

describe('an attempt', () => {
  it('runs once, is committed, told about, and leaves nothing behind', async () => {
    const done = await run({ command: 'print hello; warn careful; exit 0' });
    expect(done).toMatchObject({ state: 'completed', exitCode: 0, attempt: 1, reason: null, message: null });
    expect(done.attempts).toMatchObject([
      { state: 'completed', containerId: expect.any(String), imageId: expect.stringContaining('scripted:') },
    ]);
    expect(await stage.lines(done)).toMatchObject([
      { seq: 1, stream: 'stdout', line: 'hello' },
      { seq: 2, stream: 'stderr', line: 'careful' },
    ]);
    await stage.untilNoContainers();
    await stage.untilNoDeliveries();
    const told = () =>
      stage.events.flatMap((e) => (e.type === 'task' && e.taskId === done.id ? [e.state] : []));
    await waitFor(() => told().length === 2, { what: 'both events' });
    expect(told()).toEqual(['running', 'completed']);
  });

  it('tells which images its machine has, also the one it brought', async () => {
    await run({ command: 'exit 0', image: 'team/app' });
    const told = async () =>
      (await stage.redis.images.all()).find(({ workerId }) => workerId === stage.workerId)?.images ?? [];
    await waitFor(async () => (await told()).some(({ name }) => name === 'team/app:latest'), {
      what: 'the image to be told',
    });
  });

  it('that is delivered twice runs once', async () => {
    const task = await stage.submit({ resources: small, command: 'print once; sleep 300' });
    await stage.until(task, ['running']);
    await stage.deliver(task);
    const done = await stage.ended(task);
    await stage.deliver(task);
    await stage.untilNoDeliveries();
    expect(await stage.output(done)).toEqual(['once']);
    expect((await stage.task(task.id)).revision).toBe(done.revision);
  });

  it('that fails says why', async () => {
    expect(await run({ command: 'exit 7' })).toMatchObject({ reason: 'exit_code', exitCode: 7 });
    expect(await run({ command: 'oom' })).toMatchObject({ reason: 'oom_killed', exitCode: 137 });
    expect(await run({ command: 'start-error no such file' })).toMatchObject({
      reason: 'start_error',
      message: expect.stringContaining('no such file'),
    });
    expect(await run({ image: 'cloudai/missing:1' })).toMatchObject({ reason: 'image_error' });
    expect(await run({ image: 'cloudai/broken:1' })).toMatchObject({ reason: 'image_error' });
    await stage.untilNoContainers();
  });

  it('that fails with a retry left goes back to the queue and to intake', async () => {
    const task = await stage.submit({ resources: small, command: 'exit 1', maxRetries: 1 });
    const queued = await stage.until(task, ['queued']);
    expect(queued).toMatchObject({ attempt: 2, failures: 1, workerId: null });
    expect(queued.notBefore).toBeGreaterThan(0);
    await waitFor(async () => (await stage.redis.intake.page(0, 100)).includes(task.id), { what: 'intake' });
    await stage.untilNoContainers();
    expect(await stage.ended(await stage.place(queued))).toMatchObject({ state: 'failed', attempt: 2 });
  });

  it('masks secrets in output', async () => {
    const done = await run({
      command: 'env KEY; env OPEN',
      env: { KEY: 'hunter2-hunter2', OPEN: 'open' },
      secrets: ['KEY'],
    });
    expect(await stage.output(done)).toEqual(['********', 'open']);
  });

  it('that runs too long is stopped, in the end by force', async () => {
    expect(await run({ command: 'print up; forever', timeoutSeconds: 1 })).toMatchObject({
      reason: 'timed_out',
      exitCode: 143,
    });
    const begun = performance.now();
    expect(await run({ command: 'ignore-term; forever', timeoutSeconds: 1 })).toMatchObject({
      reason: 'timed_out',
      exitCode: 137,
    });
    expect(performance.now() - begun).toBeGreaterThan(1_950);
  });

  it('whose container vanishes is tried again by the platform', async () => {
    const task = await stage.submit({ resources: small, command: 'forever' });
    const running = await stage.until(task, ['running']);
    // As when the engine loses it in a crash: nobody sees an end.
    engine.setReachable(false);
    engine.lose(running.attempts[0]!.containerId!);
    engine.setReachable(true);
    const queued = await stage.until(task, ['queued']);
    expect(queued).toMatchObject({ attempt: 2, failures: 0, losses: 1 });
    expect(queued.attempts[0]).toMatchObject({ state: 'failed', reason: 'runtime_error' });
  });

  it('that was taken from the worker is dropped, and nothing of it is committed', async () => {
    const task = await stage.submit({ resources: small, command: 'forever' });
    await stage.until(task, ['running']);
    const lost = await stage.write(task, (now) =>
      takeBackTask(now, { attempt: 1, workerId: stage.workerId, now: Date.now(), message: 'lost' }),
    );
    await stage.untilNoContainers();
    await stage.untilNoDeliveries();
    expect(await stage.task(task.id)).toEqual(lost);
  });

  it('goes on when the engine was away for a moment', async () => {
    const task = await stage.submit({ resources: small, command: 'lines 5; sleep 800; print after' });
    await stage.until(task, ['running']);
    engine.setReachable(false);
    const next = await stage.submit({ resources: small, command: 'print next' });
    await waitFor(() => started.runner.status().running.length === 1, { what: 'one container' });
    engine.setReachable(true);
    expect(await stage.ended(task)).toMatchObject({ state: 'completed' });
    expect(await stage.output(task)).toEqual(['line 1', 'line 2', 'line 3', 'line 4', 'line 5', 'after']);
    expect(await stage.ended(next)).toMatchObject({ state: 'completed' });
  });
});

describe('cancelling', () => {
  it('before the container is there ends at once', async () => {
    const task = await stage.submit({ resources: small, image: 'cloudai/slow-60000:1' });
    await waitFor(() => stage.task(task.id).then(({ state }) => state === 'assigned'), {
      what: 'assignment',
    });
    await stage.cancel(task);
    expect(await stage.ended(task)).toMatchObject({
      state: 'cancelled',
      message: 'cancelled by alice before it started',
    });
    await stage.untilNoDeliveries();
  });

  it('is felt without a nudge, and the task is cancelled only when its container is gone', async () => {
    const task = await stage.submit({ resources: small, command: 'on-term 0; print up; forever' });
    await stage.untilPrinted(task, 'up');
    await stage.cancel(task, { nudge: false });
    expect(await stage.ended(task)).toMatchObject({ state: 'cancelled', exitCode: 0 });
    expect(await stage.runtime.list(stage.workerId)).toEqual([]);
  });

  it('by force does not wait for the grace', async () => {
    const task = await stage.submit({ resources: small, command: 'on-term 0; print up; forever' });
    await stage.untilPrinted(task, 'up');
    await stage.cancel(task, { force: true });
    // It was not even asked to end.
    expect(await stage.ended(task)).toMatchObject({ state: 'cancelled', exitCode: 137 });
  });

  it('of what ended before it was signalled leaves its result', async () => {
    const task = await stage.submit({ resources: small, command: 'print up; sleep 700; exit 5' });
    await stage.untilPrinted(task, 'up');
    // Without a nudge it is found within two seconds, here most likely after the end.
    await stage.cancel(task, { nudge: false });
    const done = await stage.ended(task);
    if (done.state === 'failed') expect(done).toMatchObject({ exitCode: 5, attempt: 1 });
    else expect(done).toMatchObject({ state: 'cancelled', exitCode: 143 });
  });
});

describe('room on the machine', () => {
  it('is never over-committed, whatever is placed', async () => {
    const cores = { ...small, cpuMillis: 1_500 };
    const tasks = await Promise.all(
      Array.from({ length: 8 }, () => stage.submit({ resources: cores, command: 'sleep 150' })),
    );
    let most = 0;
    await waitFor(
      async () => {
        most = Math.max(most, 4_000 - (started.runner.status().free?.cpuMillis ?? 0));
        const now = await stage.store.tasks.getMany(tasks.map(({ id }) => id));
        return now.every(({ state }) => state === 'completed');
      },
      { what: 'all eight', deadlineMs: 20_000, everyMs: 5 },
    );
    expect(most).toBe(3_000);
    await waitFor(() => started.runner.status().free?.cpuMillis === 4_000, { what: 'all room back' });
  });

  it('never gives one device to two', async () => {
    const tasks = await Promise.all(
      [1, 1, 2, 1].map((gpus) => stage.submit({ resources: { ...small, gpus }, command: 'sleep 150' })),
    );
    const done = await Promise.all(tasks.map((task) => stage.ended(task)));
    const uses = done.map(({ attempts: [attempt] }) => attempt!);
    expect(uses.map(({ gpuIds }) => gpuIds.length)).toEqual([1, 1, 2, 1]);
    for (const [n, a] of uses.entries()) {
      for (const b of uses.slice(n + 1)) {
        const overlap = a.startedAt! < b.finishedAt! && b.startedAt! < a.finishedAt!;
        if (overlap) expect(a.gpuIds.some((id) => b.gpuIds.includes(id))).toBe(false);
      }
    }
  });

  it('that could never be is refused in words, and costs the task nothing of its own', async () => {
    const task = await stage.submit({ resources: { ...small, cpuMillis: 9_000, gpus: 3 } });
    const queued = await stage.until(task, ['queued']);
    expect(queued).toMatchObject({ attempt: 2, failures: 0 });
    expect(queued.attempts[0]?.message).toBe(
      `${stage.workerId} gave it back: it asks for 9 cores where it has 4 cores, 3 GPUs where it has 2 GPUs`,
    );
    await stage.untilNoDeliveries();
  });

  it('that is waited for can be given up by a cancel', async () => {
    const all = { ...small, cpuMillis: 4_000 };
    const first = await stage.submit({ resources: all, command: 'forever' });
    await stage.until(first, ['running']);
    const second = await stage.submit({ resources: all, command: 'print second' });
    await waitFor(() => started.runner.status().waiting === 1, { what: 'the second to wait' });
    await stage.cancel(second);
    expect(await stage.ended(second)).toMatchObject({ state: 'cancelled' });
    expect(started.runner.status().waiting).toBe(0);
    await stage.cancel(first);
    await stage.ended(first);
  });
});

describe('many at once', () => {
  it('three hundred attempts all end, with their own output', async () => {
    const tasks = Array.from({ length: 300 }, (_, n) =>
      makeTask({ resources: { ...small, cpuMillis: 40 }, command: `print number ${n}; sleep ${n % 20}` }),
    );
    await stage.store.tasks.insert(tasks);
    const placed = await Promise.all(tasks.map((task) => stage.place(task)));
    await waitFor(async () => (await stage.store.tasks.allocations(stage.workerId)).length === 0, {
      what: 'all to end',
      deadlineMs: 60_000,
    });
    const ended = await stage.store.tasks.getMany(placed.map(({ id }) => id));
    expect(ended.filter(({ state }) => state !== 'completed')).toEqual([]);
    for (const [n, task] of placed.entries()) expect(await stage.output(task)).toEqual([`number ${n}`]);
    await stage.untilNoContainers();
    await stage.untilNoDeliveries();
  });
});
