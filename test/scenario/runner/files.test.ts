// Files given to attempts and files they leave, on a runner with a scripted container runtime: what is kept of
// attempts of every end, within limits, while stores, engine and runners come and go.

import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createScriptedEngine,
  openScriptedRuntime,
  type ScriptedEngine,
} from '../../../shared/adapters/scripted/open.ts';
import { AppError } from '../../../shared/errors.ts';
import type { FileRecord } from '../../../shared/model/file.ts';
import type { Task } from '../../../shared/model/task.ts';
import { takeBackTask } from '../../../shared/model/task-life.ts';
import { newId } from '../../../shared/platform/ids.ts';
import type { FileStore } from '../../../shared/ports/file-store.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openStage, type Stage } from './stage.ts';

const small = { cpuMillis: 100, memoryMb: 10, gpus: 0, storageMb: 0 };
let stage: Stage;
let engine: ScriptedEngine;

const open = async (env: Record<string, string> = {}) => {
  engine = createScriptedEngine();
  stage = await openStage({ openRuntime: () => openScriptedRuntime({ engine }), env });
};
beforeEach(() => open());
afterEach(() => stage?.close());

const submit = (spec: Parameters<Stage['submit']>[0]) => stage.submit({ resources: small, ...spec });
const run = async (spec: Parameters<Stage['submit']>[0]) => stage.ended(await submit(spec));

const recordsOf = async ({ ownerId, id }: Task): Promise<FileRecord[]> => [
  ...(await stage.store.files.list({ ownerId, taskId: id }, { limit: 1_000 })).files,
];
const kept = async (task: Task): Promise<Record<string, string>> => {
  const records = await recordsOf(task);
  const texts = records.map(
    async ({ id, path }) => [path, (await buffer(await stage.files.read(id))).toString()] as const,
  );
  return Object.fromEntries(await Promise.all(texts));
};
/** How many files there are in the file store, whoever knows of them. */
const blobs = async (): Promise<number> => {
  const names = await readdir(`${stage.config.dataDir}/files/blobs`, { recursive: true }).catch(() => []);
  return names.filter((name) => /^..\/file-/.test(name)).length;
};
const upload = async (path: string, text: string): Promise<FileRecord> => {
  const id = newId('file');
  const written = await stage.files.write(id, Readable.from([Buffer.from(text)]), { maxBytes: 1e9 });
  const place = { ownerId: 'user-1', taskId: null, attempt: null, path };
  const record = { ...written, ...place, id, contentType: 'text/plain', createdAt: 1 };
  await stage.store.files.put([record]);
  return record;
};
/** The file store with something in front of each write. */
const beforeWrites = (before: (count: number) => Promise<void> | void): FileStore => {
  let count = 0;
  return {
    write: async (id, content, options) => {
      count += 1;
      try {
        await before(count);
      } catch (error) {
        content.destroy();
        throw error;
      }
      return stage.files.write(id, content, options);
    },
    read: (...args) => stage.files.read(...args),
    remove: (ids) => stage.files.remove(ids),
  };
};
const away = () => new AppError('store_unavailable', 'the file store is away', { retryable: true });

describe('files that an attempt leaves', () => {
  it('are kept whatever became of it', async () => {
    await stage.start();
    const leave = 'file result.json {"a":1}; file sub/note.txt some words; file-size zero 0';
    const all = { 'result.json': '{"a":1}', 'sub/note.txt': 'some words', zero: '' };
    const outputs = { files: 3, bytes: 17, note: null };

    const completed = await run({ command: leave });
    expect(completed).toMatchObject({ state: 'completed', attempts: [{ outputs }] });
    expect(await kept(completed)).toEqual(all);
    expect((await recordsOf(completed))[0]).toEqual({
      id: expect.stringMatching(/^file-/),
      ownerId: 'user-1',
      taskId: completed.id,
      attempt: 1,
      path: 'result.json',
      sizeBytes: 7,
      contentType: 'application/json',
      sha256: createHash('sha256').update('{"a":1}').digest('hex'),
      createdAt: expect.any(Number),
    });
    expect((await recordsOf(completed)).map(({ contentType }) => contentType)).toEqual([
      'application/json',
      'text/plain',
      'application/octet-stream',
    ]);

    const failed = await run({ command: `${leave}; exit 3` });
    expect(failed).toMatchObject({ state: 'failed', reason: 'exit_code', attempts: [{ outputs }] });
    expect(await kept(failed)).toEqual(all);

    const late = await run({ command: `${leave}; forever`, timeoutSeconds: 1 });
    expect(late).toMatchObject({ reason: 'timed_out', attempts: [{ outputs }] });
    expect(await kept(late)).toEqual(all);

    const task = await submit({ command: `${leave}; print up; forever` });
    await stage.untilPrinted(task, 'up');
    await stage.cancel(task);
    const cancelled = await stage.ended(task);
    expect(cancelled).toMatchObject({ state: 'cancelled', attempts: [{ outputs }] });
    expect(await kept(cancelled)).toEqual(all);
    await stage.untilNoContainers();
  });

  it('are no files when it left none', async () => {
    await stage.start();
    const done = await run({ command: 'print nothing; folder hollow' });
    expect(done.attempts).toMatchObject([{ outputs: null }]);
    expect(await recordsOf(done)).toEqual([]);
  });

  it('belong to their attempt when there are several', async () => {
    await stage.start();
    const task = await submit({ command: 'file log.txt text; exit 1', maxRetries: 1 });
    const queued = await stage.until(task, ['queued']);
    await stage.untilNoContainers();
    const done = await stage.ended(await stage.place(queued));
    expect(done).toMatchObject({ state: 'failed', attempt: 2 });
    expect((await recordsOf(done)).map(({ attempt, path }) => [attempt, path])).toEqual([
      [1, 'log.txt'],
      [2, 'log.txt'],
    ]);
    expect(await blobs()).toBe(2);
  });

  it('are copied where they have several names, and left out where they could lead elsewhere', async () => {
    await stage.start();
    const command = [
      'file real text',
      'hardlink again real',
      'symlink out /etc/passwd',
      'fifo pipe',
      'file ..%2F..%2Fescape x',
      'file line%0Aend x',
      'hardlink stray nowhere',
    ].join('; ');
    const done = await run({ command });
    expect(done).toMatchObject({ state: 'completed', reason: null });
    expect(await kept(done)).toEqual({ real: 'text', again: 'text' });
    expect(done.attempts[0]?.outputs).toEqual({
      files: 2,
      bytes: 8,
      note: 'left out: 1 symbolic link; 1 pipe, socket or device; 2 files with names that cannot be kept; 1 further name of a file that is not kept',
    });
    expect(await blobs()).toBe(2);
  });

  it('are many and large as well', async () => {
    await stage.start();
    const files = Array.from({ length: 1_200 }, (_, n) => `file many/${n} ${n}`);
    const done = await run({ command: [...files, 'file-size large 9000000'].join('\n') });
    expect(done.attempts).toMatchObject([{ outputs: { files: 1_201, note: null } }]);
    const { ownerId, id: taskId } = done;
    expect(await stage.store.files.total({ ownerId, taskId })).toMatchObject({ files: 1_201 });
    const large = await stage.store.files.find({ ownerId, taskId, attempt: 1, path: 'large' });
    const zeros = createHash('sha256').update(Buffer.alloc(9_000_000)).digest('hex');
    expect(large).toMatchObject({ sizeBytes: 9_000_000, sha256: zeros });
    const one = await stage.store.files.find({ ownerId, taskId, attempt: 1, path: 'many/777' });
    expect((await buffer(await stage.files.read(one!.id))).toString()).toBe('777');
  });

  it('are told of while they are collected', async () => {
    await stage.start();
    const done = await run({ command: 'file a a; file b b' });
    const told = stage.live.progressOf(done.id).filter(({ phase }) => phase === 'collecting');
    expect(told[0]).toMatchObject({ attempt: 1, percent: null, message: 'keeping file 1' });
  });
});

describe('files over the limit', () => {
  it('are left out, what fits is kept, and a run that would have completed fails', async () => {
    await stage.close();
    await open({ OUTPUT_MAX_MB: '1', OUTPUT_MAX_FILES: '3' });
    await stage.start();
    const heavy = 'file-size large 900000; file-size larger 200000; file small text';
    const done = await run({ command: heavy });
    const why = '1 file over the limit of 1 MB in all';
    expect(done).toMatchObject({
      state: 'failed',
      reason: 'output_error',
      exitCode: 0,
      message: `it ended well, but not all of its files in /output could be kept: ${why}`,
    });
    expect(done.attempts[0]?.outputs).toEqual({ files: 2, bytes: 900_004, note: `left out: ${why}` });
    expect(Object.keys(await kept(done))).toEqual(['large', 'small']);

    const many = await run({ command: 'file a 1; file b 2; file c 3; file d 4; hardlink e a' });
    expect(many).toMatchObject({ state: 'failed', reason: 'output_error' });
    expect(Object.keys(await kept(many))).toEqual(['a', 'b', 'c']);
    expect(many.attempts[0]?.outputs?.note).toBe('left out: 2 files over the limit of 3 files');

    // A copy counts as much as what it is a copy of.
    const copied = await run({ command: 'file-size a 600000; hardlink b a' });
    expect(copied).toMatchObject({ reason: 'output_error' });
    expect(copied.attempts[0]?.outputs).toMatchObject({ files: 1, bytes: 600_000 });
  });

  it('change no other reason', async () => {
    await stage.close();
    await open({ OUTPUT_MAX_FILES: '0' });
    await stage.start();
    const done = await run({ command: 'file a a; exit 4' });
    expect(done).toMatchObject({ state: 'failed', reason: 'exit_code', message: 'exit code 4' });
    expect(done.attempts[0]?.outputs).toEqual({
      files: 0,
      bytes: 0,
      note: 'left out: 1 file over the limit of 0 files',
    });
    expect(await blobs()).toBe(0);
  });
});

describe('while something is away', () => {
  const files = 'file a 1; file b 2; file-size c 300000; file d 4; file-size e 300000; file f 6';

  it('in the middle, files are kept once and whole', async () => {
    let failures = 0;
    await stage.start({
      files: beforeWrites((count) => {
        if (count < 3 || failures >= 4) return;
        failures += 1;
        throw away();
      }),
    });
    const done = await run({ command: files });
    expect(done).toMatchObject({ state: 'completed', attempts: [{ outputs: { files: 6, bytes: 600_004 } }] });
    expect(failures).toBe(4);
    expect(Object.keys(await kept(done))).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(await blobs()).toBe(6);
  });

  it('for long, the result waits, a cancel changes nothing, and nobody else waits', async () => {
    await stage.start();
    stage.away.files = true;
    const task = await submit({ command: `${files}; print done` });
    await stage.untilPrinted(task, 'done');
    await stage.cancel(task);
    const other = await run({ command: 'print other' });
    expect(other.state).toBe('completed');
    expect((await stage.task(task.id)).state).toBe('running');
    stage.away.files = false;
    expect(await stage.ended(task)).toMatchObject({
      state: 'completed',
      attempts: [{ outputs: { files: 6 } }],
    });
    expect(await blobs()).toBe(6);
  });

  it('the store of records, nothing is lost', async () => {
    await stage.start({
      files: beforeWrites((count) => {
        if (count === 2) stage.away.store = true;
      }),
    });
    const task = await submit({ command: files });
    await waitFor(async () => (await blobs()) === 6, { what: 'all bytes to be kept' });
    expect(await recordsOf(task)).toEqual([]);
    stage.away.store = false;
    const done = await stage.ended(task);
    expect(done).toMatchObject({ state: 'completed', attempts: [{ outputs: { files: 6 } }] });
    expect(await recordsOf(done)).toHaveLength(6);
    expect(await blobs()).toBe(6);
  });

  it('the engine, it is asked again', async () => {
    await stage.start({
      files: beforeWrites((count) => {
        if (count !== 3) return;
        engine.setReachable(false);
        setTimeout(() => engine.setReachable(true), 300);
      }),
    });
    const done = await run({ command: files });
    expect(done).toMatchObject({ state: 'completed', attempts: [{ outputs: { files: 6, note: null } }] });
    expect(await blobs()).toBe(6);
  });

  it('for good, what came is kept and the run fails in words', async () => {
    await stage.start({
      files: beforeWrites((count) => {
        if (count === 3) throw new AppError('disk_full', 'the disk of the file store is full');
      }),
    });
    const done = await run({ command: 'file-size a 100000; file-size b 100000; file-size c 100000' });
    expect(done).toMatchObject({
      state: 'failed',
      reason: 'output_error',
      message: expect.stringContaining('the disk of the file store is full'),
      attempts: [{ outputs: { files: 2, bytes: 200_000, note: expect.stringContaining('disk') } }],
    });
    expect(Object.keys(await kept(done))).toEqual(['a', 'b']);
    await stage.untilNoContainers();
  });
});

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

describe('files that an attempt is given', () => {
  it('are there, under their names', async () => {
    await stage.start();
    await upload('in/a b.txt', 'one');
    await upload('c', 'two');
    const done = await run({ command: 'cat-input in/a%20b.txt; cat-input c', files: ['in/a b.txt', 'c'] });
    expect(done.state).toBe('completed');
    expect(await stage.output(done)).toEqual(['one', 'two']);
    await stage.untilNoContainers();
    expect(engine.inputCount).toBe(0);
    const told = stage.live.progressOf(done.id).filter(({ phase }) => phase === 'preparing');
    expect(told[0]).toMatchObject({ message: 'providing 2 files', bytes: { total: 6 } });
  });

  it('and are gone keep it from starting, by name', async () => {
    await stage.start();
    await upload('there', 'x');
    const done = await run({ command: 'true', files: ['there', 'in/gone.csv'] });
    expect(done).toMatchObject({
      state: 'failed',
      reason: 'start_error',
      message: expect.stringContaining('"in/gone.csv"'),
    });
    const hollow = await upload('hollow', 'x');
    await stage.files.remove([hollow.id]);
    const broken = await run({ command: 'true', files: ['there', 'hollow'] });
    expect(broken).toMatchObject({ reason: 'start_error', message: expect.stringContaining('"hollow"') });
    await waitFor(() => engine.inputCount === 0, { what: 'the input to be dropped' });
    expect(engine.size).toBe(0);
  });

  it('that are written anew on their way come in their new form', async () => {
    let isFirst = true;
    await stage.start({
      files: {
        ...beforeWrites(() => undefined),
        read: async (id) => {
          if (isFirst) {
            isFirst = false;
            await upload('data', 'newer');
            await stage.files.remove([id]);
          }
          return stage.files.read(id);
        },
      },
    });
    await upload('data', 'old');
    const done = await run({ command: 'cat-input data', files: ['data'] });
    expect(await stage.output(done)).toEqual(['newer']);
  });

  it('are waited for while their store is away, and a cancel does not wait', async () => {
    await stage.start();
    await upload('data', 'text');
    stage.away.files = true;
    const patient = await submit({ command: 'cat-input data', files: ['data'] });
    const given = await submit({ command: 'cat-input data', files: ['data'] });
    await waitFor(async () => (await stage.task(given.id)).state === 'assigned', { what: 'assignment' });
    await stage.cancel(given);
    expect(await stage.ended(given)).toMatchObject({ state: 'cancelled', attempts: [{ outputs: null }] });
    stage.away.files = false;
    expect(await stage.ended(patient)).toMatchObject({ state: 'completed' });
    expect(await stage.output(patient)).toEqual(['text']);
    await stage.untilNoContainers();
    await waitFor(() => engine.inputCount === 0, { what: 'all input to be gone' });
  });

  it('are dropped when its container cannot be made, or does not start', async () => {
    const create = () =>
      Promise.reject(new AppError('container_start_failed', 'the engine does not want to'));
    const { runner } = await stage.start({ runtime: { ...stage.runtime, create } });
    await upload('data', 'text');
    const unmade = await run({ command: 'true', files: ['data'] });
    expect(unmade).toMatchObject({ reason: 'start_error', message: 'the engine does not want to' });
    await waitFor(() => engine.inputCount === 0, { what: 'the input to be gone' });
    await runner.stop();
    await stage.start();
    const unstarted = await run({ command: 'start-error no such thing', files: ['data'] });
    expect(unstarted).toMatchObject({ message: expect.stringContaining('no such thing') });
    await waitFor(() => engine.inputCount === 0, { what: 'the input to be gone' });
  });
});

describe('an image on its way', () => {
  it('is told of', async () => {
    await stage.start();
    const done = await run({ image: 'cloudai/slow-300:1', command: 'true' });
    const told = stage.live.progressOf(done.id).filter(({ phase }) => phase === 'pulling');
    expect(told[0]).toMatchObject({
      attempt: 1,
      percent: 0,
      message: 'pulling cloudai/slow-300:1',
      layers: { done: 0, total: 1 },
    });
  });
});
