// Files of attempts that are not wanted any more, or whose runner is replaced while it keeps them: none too many, none twice.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../shared/errors.ts';
import type { Task } from '../../../shared/model/task.ts';
import { takeBackTask } from '../../../shared/model/task-life.ts';
import { waitFor } from '../../support/wait-for.ts';
import { keptFiles } from './kept-files.ts';
import { openScriptedStage, type Stage, small } from './stage.ts';

let stage: Stage;

const open = async (env: Record<string, string> = {}) => {
  ({ stage } = await openScriptedStage(env));
};
beforeEach(() => open());
afterEach(() => stage?.close());

const submit = (spec: Parameters<Stage['submit']>[0]) => stage.submit({ resources: small, ...spec });
const run = async (spec: Parameters<Stage['submit']>[0]) => stage.ended(await submit(spec));

const { recordsOf, kept, blobs, upload, beforeWrites } = keptFiles(() => stage);
const away = () => new AppError('store_unavailable', 'the file store is away', { retryable: true });

describe('an attempt that is not wanted any more', () => {
  const takeBack = (task: Task) =>
    stage.write(task, (now) =>
      takeBackTask(now, { attempt: 1, workerId: stage.workerId, now: Date.now(), message: 'lost' }),
    );

  it('leaves no files when it was taken back while they were collected', async () => {
    await stage.start({
      files: beforeWrites((count) => {
        if (count > 2) throw away();
      }),
    });
    const task = await submit({ command: 'file-size a 100000; file-size b 100000; file-size c 100000' });
    await waitFor(async () => (await recordsOf(task)).length === 2, { what: 'two of three files' });
    const lost = await takeBack(task);
    await stage.untilNoContainers();
    await stage.untilNoDeliveries();
    expect(await recordsOf(task)).toEqual([]);
    expect(await blobs()).toBe(0);
    expect(await stage.task(task.id)).toEqual(lost);
  });

  it('leaves no files when its result is refused', async () => {
    const { runner } = await stage.start({
      files: beforeWrites(async (count) => {
        if (count !== 3) return;
        // From here on the runner hears of nothing until its result is refused.
        const [task] = (await stage.store.tasks.list({}, { limit: 1 })).tasks;
        await takeBack(task!);
      }),
    });
    const task = await submit({ command: 'file-size a 100000; file-size b 100000; file-size c 100000' });
    await stage.until(task, ['queued']);
    await stage.untilNoContainers();
    await stage.untilNoDeliveries();
    await waitFor(() => runner.status().running.length === 0, { what: 'the attempt to be over' });
    expect(await recordsOf(task)).toEqual([]);
    expect(await blobs()).toBe(0);
  });

  it('keeps its files when an earlier life has written how it ended', async () => {
    const { runner } = await stage.start();
    const done = await run({ command: 'file a kept' });
    await stage.untilNoContainers();
    await runner.stop();
    // As if that life had not lived to remove the container.
    const containerId = await stage.runtime.create({
      taskId: done.id,
      attempt: 1,
      workerId: stage.workerId,
      ownerId: done.ownerId,
      image: 'any',
      command: 'file a kept',
      env: {},
      resources: small,
      gpuIds: [],
      network: 'none',
      pidsLimit: 10,
      hasInput: false,
      mounts: [],
    });
    await stage.runtime.start(containerId);
    await stage.start();
    await stage.untilNoContainers();
    expect(await kept(done)).toEqual({ a: 'kept' });
  });
});

describe('a runner that is replaced while it collects', () => {
  it('leaves the rest to the next, and every file is kept once', async () => {
    const first = await stage.start({
      files: beforeWrites((count) => {
        if (count > 2) throw away();
      }),
    });
    const task = await submit({ command: 'file-size a 100000; file-size b 100000; file-size c 100000' });
    await waitFor(async () => (await recordsOf(task)).length === 2, { what: 'two of three files' });
    const asked = performance.now();
    await first.runner.stop();
    expect(performance.now() - asked).toBeLessThan(15_000);
    // Something that the next one will not find.
    const stray = await upload('stray', 'stray');
    await stage.store.files.remove([stray.id]);
    await stage.store.files.put([{ ...stray, taskId: task.id, attempt: 1 }]);
    await stage.start();
    const done = await stage.ended(task);
    expect(done).toMatchObject({
      state: 'completed',
      attempt: 1,
      attempts: [{ outputs: { files: 3, bytes: 300_000 } }],
    });
    expect((await recordsOf(done)).map(({ path }) => path)).toEqual(['a', 'b', 'c']);
    expect(await blobs()).toBe(3);
  });
});
