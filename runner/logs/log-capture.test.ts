// From bytes to kept lines, on the real log store of the disk; its being away is switched on in front of it.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDiskLogStore } from '../../shared/adapters/disk/log-store.ts';
import { AppError } from '../../shared/errors.ts';
import { systemClock } from '../../shared/platform/clock.ts';
import { silentLog } from '../../shared/platform/log.ts';
import type { LogStore } from '../../shared/ports/log-store.ts';
import { tempDir } from '../../test/support/servers.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { LogCapture, type LogCaptureParts } from './log-capture.ts';
import { createSecretMask } from './secret-mask.ts';

let folder: Awaited<ReturnType<typeof tempDir>>;
let disk: LogStore;
let fault: AppError | null;
let batches: number;

beforeEach(async () => {
  folder = await tempDir();
  disk = openDiskLogStore(folder.path);
  fault = null;
  batches = 0;
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
    mask: createSecretMask({ env: { KEY: 'hunter2' }, secrets: ['KEY'] }),
    position: await disk.position('task-1', 1),
    fromFirstByte: true,
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
    await capture.sink('stdout', Buffer.from('ter2\nend'));
    await capture.finish();
    expect(await kept()).toMatchObject([
      { seq: 1, stream: 'stdout', line: 'one' },
      { seq: 2, stream: 'stderr', line: 'oops' },
      { seq: 3, stream: 'stdout', line: 'two ********' },
      { seq: 4, stream: 'stdout', line: 'end' },
    ]);
  });

  it('keeps a line soon, and many in few batches', async () => {
    const capture = await open();
    capture.sink('stdout', Buffer.from('soon\n'));
    const begun = performance.now();
    await waitFor(async () => (await kept()).length === 1, { what: 'the line', everyMs: 5 });
    expect(performance.now() - begun).toBeLessThan(1_000);
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
