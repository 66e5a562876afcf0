// Files given to attempts and files they leave, on a runner with a scripted container runtime: what is kept of
// attempts of every end, within limits, while stores, engine and runners come and go.

import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScriptedEngine } from '../../../shared/adapters/scripted/open.ts';
import { AppError } from '../../../shared/errors.ts';
import { waitFor } from '../../support/wait-for.ts';
import { keptFiles } from './kept-files.ts';
import { openScriptedStage, type Stage, small } from './stage.ts';

let stage: Stage;
let engine: ScriptedEngine;

const open = async (env: Record<string, string> = {}) => {
  ({ stage, engine } = await openScriptedStage(env));
};
beforeEach(() => open());
afterEach(() => stage?.close());

const submit = (spec: Parameters<Stage['submit']>[0]) => stage.submit({ resources: small, ...spec });
const run = async (spec: Parameters<Stage['submit']>[0]) => stage.ended(await submit(spec));

const { recordsOf, kept, blobs, beforeWrites } = keptFiles(() => stage);
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
