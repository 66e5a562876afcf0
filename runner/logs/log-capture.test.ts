// From bytes to kept lines, on the real log store of the disk; its being away is switched on in front of it.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDiskLogStore } from '../../shared/adapters/disk/log-store.ts';
import { AppError } from '../../shared/errors.ts';
import type { OwnProgress } from '../../shared/model/progress.ts';
import { systemClock } from '../../shared/platform/clock.ts';
import { silentLog } from '../../shared/platform/log.ts';
import type { LogStore } from '../../shared/ports/log-store.ts';
import { collectLive, type LiveCollector } from '../../test/support/live-collectors.ts';
import { tempDir } from '../../test/support/servers.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { LONG_LINE } from './line-splitter.ts';
import { LogCapture, type LogCaptureParts } from './log-capture.ts';
import { findKept } from './log-limit.ts';
import { createSecretMask } from './secret-mask.ts';

let folder: Awaited<ReturnType<typeof tempDir>>;
let disk: LogStore;
let fault: AppError | null;
let batches: number;
let live: LiveCollector;
let told: (OwnProgress & { isOld: boolean })[];

beforeEach(async () => {
  folder = await tempDir();
  disk = openDiskLogStore(folder.path);
  fault = null;
  batches = 0;
  live = collectLive();
  told = [];
});
afterEach(() => folder.remove());

async function open(over: Partial<LogCaptureParts> = {}): Promise<LogCapture> {
  const logs: LogStore = {
    append: async (...args) => {
      if (fault) throw fault;
      batches += 1;
      return disk.append(...args);
    },
    read: (...args) => disk.read(...args),
    position: (...args) => disk.position(...args),
    remove: (taskId) => disk.remove(taskId),
  };
  return new LogCapture({
    taskId: 'task-1',
    attempt: 1,
    logs,
    ...live.parts,
    mask: createSecretMask({ env: { KEY: 'hunter2' }, secrets: ['KEY'] }),
    kept: await findKept(disk, { taskId: 'task-1', attempt: 1 }),
    fromFirstByte: true,
    maxBytes: 1_000_000_000,
    onProgress: (progress, { isOld }) => told.push({ ...progress, isOld }),
    clock: systemClock,
    log: silentLog(),
    ...over,
  });
}
const kept = () => disk.read('task-1', 1, 1, 1_000_000);
const texts = async () => (await kept()).map(({ line }) => line);
const away = () => new AppError('store_unavailable', 'away', { retryable: true });

describe('capturing output', () => {
  it('numbers lines over both streams in order of arrival, masked, the last without an end too', async () => {
    const capture = await open();
    await capture.sink('stdout', Buffer.from('one\ntwo hun'));
    await capture.sink('stderr', Buffer.from('oops\n'));
    await capture.sink('stdout', Buffer.from('ter2\nhun'));
    await capture.sink('stdout', Buffer.from('ter2\rX\nend'));
    await capture.finish();
    expect(await kept()).toMatchObject([
      { seq: 1, stream: 'stdout', line: 'one' },
      { seq: 2, stream: 'stderr', line: 'oops' },
      { seq: 3, stream: 'stdout', line: 'two ********' },
      { seq: 4, stream: 'stdout', line: 'X*******' },
      { seq: 5, stream: 'stdout', line: 'end' },
    ]);
  });

  it('keeps a line soon, and many in few batches', async () => {
    const capture = await open();
    capture.sink('stdout', Buffer.from('soon\n'));
    // Though no other follows and the output goes on.
    await waitFor(async () => (await kept()).length === 1, { what: 'the line', everyMs: 5 });
    for (let n = 0; n < 5_000; n += 1) await capture.sink('stdout', Buffer.from(`line ${n}\n`));
    await capture.finish();
    expect(await kept()).toHaveLength(5_001);
    expect(batches).toBeLessThan(10);
  });

  it('goes on where an earlier reading was paused, without gap or repeat', async () => {
    const stdout = Array.from({ length: 100 }, (_, n) => `out ${n}\n`).join('');
    const stderr = Array.from({ length: 50 }, (_, n) => `err ${n}\n`).join('');
    const first = await open();
    await first.sink('stderr', Buffer.from(stderr.slice(0, 333)));
    await first.sink('stdout', Buffer.from(stdout.slice(0, 555)));
    await first.pause();
    const second = await open();
    await second.sink('stdout', Buffer.from(stdout));
    await second.sink('stderr', Buffer.from(stderr));
    await second.finish();
    const lines = await kept();
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, n) => n + 1));
    const of = (stream: string) => lines.filter((l) => l.stream === stream).map(({ line }) => `${line}\n`);
    expect(of('stdout').join('')).toBe(stdout);
    expect(of('stderr').join('')).toBe(stderr);
  });
});

const OPEN = createSecretMask({ env: {}, secrets: [] });
const NOTE = '[cloudai] the output is over 1 MB: the rest is not kept';
const MB = 2 ** 20;

describe('telling those who follow', () => {
  it('happens after the lines are kept, never before', async () => {
    let read: string[] = [];
    const capture = await open({
      liveLogs: {
        ...live.parts.liveLogs,
        publish: async (taskId, attempt, batch) => {
          read = await texts();
          await live.parts.liveLogs.publish(taskId, attempt, batch);
        },
      },
    });
    fault = away();
    capture.sink('stdout', Buffer.from('one\nmy hunter2\n'));
    const finishing = capture.finish();
    fault = null;
    await finishing;
    await waitFor(() => live.batches.length === 1, { what: 'the telling' });
    expect(read).toEqual(['one', 'my ********']);
    expect(live.batches[0]?.batch).toEqual({ firstSeq: 1, lastSeq: 2, lines: await kept() });
  });

  it('never holds the capture back', async () => {
    live.holdPublishing();
    const capture = await open();
    for (let n = 0; n < 100; n += 1) await capture.sink('stdout', Buffer.from('line\n'.repeat(1_000)));
    await capture.finish();
    expect(await kept()).toHaveLength(100_000);
    expect(live.batches).toHaveLength(1);
  });

  it('shows the unfinished line, unless the task has secrets', async () => {
    const capture = await open({ mask: OPEN });
    await capture.sink('stdout', Buffer.from('one\n10%\r20%'));
    await waitFor(() => live.partialsOf('task-1').length > 0, { what: 'the unfinished line' });
    expect(live.partialsOf('task-1')).toEqual([
      { task_id: 'task-1', attempt: 1, stream: 'stdout', after_seq: 1, text: '20%' },
    ]);
    const other = await open({ fromFirstByte: false });
    const third = await open({ fromFirstByte: false, mask: OPEN, taskId: 'task-3' });
    await other.sink('stdout', Buffer.from('hunt'));
    await third.sink('stdout', Buffer.from('shown'));
    await waitFor(() => live.partialsOf('task-3').length > 0, { what: 'that of a later capture' });
    expect(live.partialsOf('task-1')).toHaveLength(1);
    for (const one of [capture, other, third]) one.close();
  });
});

describe('progress of the program', () => {
  it('is told, not kept and not numbered, from either stream', async () => {
    const capture = await open();
    await capture.sink('stdout', Buffer.from('one\n::progress 10 load\ntwo\n::progress abc\n'));
    await capture.sink('stderr', Buffer.from('::progress 42.5\n'));
    await capture.finish();
    expect((await kept()).map(({ seq, line }) => [seq, line])).toEqual([
      [1, 'one'],
      [2, 'two'],
      [3, '::progress abc'],
    ]);
    expect(told).toMatchObject([
      { percent: 10, message: 'load', isOld: false },
      { percent: 42.5, message: '', isOld: false },
    ]);
  });

  it('hides secrets in its message, also those that control characters had hidden, and is cut after that', async () => {
    const capture = await open();
    await capture.sink('stdout', Buffer.from('::progress 1 a hunter2\n::progress 2 hun\u001b[0mter2\n'));
    await capture.sink('stdout', Buffer.from(`::progress 3 ${'x'.repeat(497)}hun\u001b[0mter2\n`));
    await capture.finish();
    expect(told.map(({ message }) => message)).toEqual(['a ********', '********', `${'x'.repeat(497)}***`]);
  });

  it('is not found in the piece of a longer line', async () => {
    const capture = await open();
    await capture.sink('stdout', Buffer.from(`${'x'.repeat(LONG_LINE)}::progress 5\n`));
    await capture.sink('stdout', Buffer.from(`::progress 5 ${'x'.repeat(LONG_LINE)}\n`));
    await capture.finish();
    expect(told).toEqual([]);
    expect((await kept()).map(({ more }) => more ?? false)).toEqual([true, false, true, false]);
  });

  it('does not count when the output is read again', async () => {
    const all = Array.from({ length: 60 }, (_, n) =>
      n % 3 === 0 ? `::progress ${n}\n` : `line ${n}\n`,
    ).join('');
    const first = await open();
    await first.sink('stdout', Buffer.from(all.slice(0, 250)));
    await first.pause();
    const before = await kept();
    const second = await open();
    told = [];
    await second.sink('stdout', Buffer.from(all));
    await second.finish();
    const lines = (await kept()).map(({ line }) => line);
    expect(lines).toEqual(all.split('\n').filter((line) => line.startsWith('line')));
    // All are known again, but only those after the kept lines are news.
    expect(told).toHaveLength(20);
    const last = Number(before.at(-1)?.line.slice(5));
    expect(told.filter(({ isOld }) => !isOld).map(({ percent }) => percent)).toEqual(
      told.map(({ percent }) => percent).filter((percent) => percent > last),
    );
  });
});

describe('the limit of what is kept', () => {
  const flood = (lines: number) => Buffer.from(`${'x'.repeat(959)}\n`.repeat(lines));

  it('takes a note in the place of the first line over it, and reading goes on', async () => {
    const capture = await open({ maxBytes: MB });
    for (let n = 0; n < 100; n += 1) await capture.sink('stdout', flood(100));
    await capture.sink('stdout', Buffer.from('::progress 99\n'));
    await capture.finish();
    const lines = await kept();
    expect(lines.length - 1).toBe(Math.floor(MB / (959 + 64)));
    expect(lines.filter(({ line }) => line === NOTE)).toEqual([lines.at(-1)]);
    expect(lines.at(-1)).toMatchObject({ seq: lines.length, stream: 'stderr' });
    expect(told).toMatchObject([{ percent: 99 }]);
    expect(capture.fault).toBeNull();
  });

  it('holds over readings: lines that are skipped count, and the note comes once', async () => {
    const first = await open({ maxBytes: MB });
    await first.sink('stdout', flood(600));
    await first.sink('stderr', Buffer.from('oops\n'));
    await first.pause();
    const second = await open({ maxBytes: MB });
    await second.sink('stdout', flood(1_100));
    await second.sink('stderr', Buffer.from('oops\n'));
    await second.pause();
    const before = await kept();
    expect(before.at(-1)?.line).toBe(NOTE);
    expect(before.length).toBeLessThanOrEqual(MB / (959 + 64) + 2);
    const third = await open({ maxBytes: 2 * MB });
    await third.sink('stdout', flood(1_200));
    await third.sink('stderr', Buffer.from('oops\n::progress 7\n'));
    await third.finish();
    expect(await kept()).toEqual(before);
    expect(told).toMatchObject([{ percent: 7, isOld: false }]);
  });
});

describe('while the log store is away', () => {
  it('holds a bounded amount, then holds the reader back, and drops nothing', async () => {
    const capture = await open();
    fault = away();
    const chunk = Buffer.from(`${'x'.repeat(99)}\n`.repeat(300));
    let held = undefined as void | Promise<void>;
    let given = 0;
    while (!held && given < 1_000) {
      held = capture.sink('stdout', chunk);
      given += 1;
    }
    expect(given * chunk.length).toBeLessThan(3 * 1_024 * 1_024);
    expect(capture.isHolding).toBe(true);
    fault = null;
    await held;
    expect(capture.isHolding).toBe(false);
    await capture.finish();
    expect(await kept()).toHaveLength(given * 300);
    expect(capture.fault).toBeNull();
  });

  it('gives up only what no waiting will mend, and says so', async () => {
    let now = 0;
    const capture = await open({ clock: { now: Date.now, monotonic: () => now } });
    fault = away();
    capture.sink('stdout', Buffer.from('one\n'));
    const finishing = capture.finish();
    now = 1_000_000;
    // Away for however long: still trying.
    fault = new AppError('disk_full', 'the disk is full');
    await finishing;
    expect(capture.fault).toBe('the disk is full');
    expect(await texts()).toEqual([]);
  });

  it('lets go of the reader when it is closed', async () => {
    const capture = await open();
    fault = away();
    let held = undefined as void | Promise<void>;
    while (!held) held = capture.sink('stdout', Buffer.from('\n'.repeat(10_000)));
    capture.close();
    await held;
  });
});
