// The hub on a store in memory: whatever way lines come, every reader gets each line once and in order.

import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../shared/errors.ts';
import type { LogLine } from '../../../shared/model/log-line.ts';
import type { Task } from '../../../shared/model/task.ts';
import { systemClock } from '../../../shared/platform/clock.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import type { LiveLogs, LogBatch } from '../../../shared/ports/live.ts';
import type { LogStore } from '../../../shared/ports/log-store.ts';
import { makeTask } from '../../../test/support/tasks.ts';
import { waitFor } from '../../../test/support/wait-for.ts';
import type { TaskWatch } from '../task-watch.ts';
import { LogTail, type TailParts } from './log-tail.ts';
import { LogTails } from './log-tails.ts';
import { SharedPages } from './shared-pages.ts';

/** One attempt's world: its store, its live stream, its record. */
class Stage {
  readonly lines: LogLine[] = [];
  readonly task = makeTask({}, { state: 'running' });
  record: Task | null = this.task;
  reads = 0;
  answerMs = 0;
  positions = 0;
  looks = 0;
  readFault: AppError | null = null;
  readonly tails = new Map<(batch: LogBatch) => void, number>();
  #wake: (() => void) | null = null;

  readonly logs: LogStore = {
    append: async () => undefined,
    remove: async () => undefined,
    read: async (_task, _attempt, from, limit) => {
      this.reads += 1;
      if (this.readFault) throw this.readFault;
      const found = this.lines.slice(from - 1, from - 1 + limit);
      // An answer is as old as its question.
      await delay(this.answerMs);
      return found;
    },
    position: async () => {
      this.positions += 1;
      return { lastSeq: this.lines.length, stdoutLines: this.lines.length, stderrLines: 0 };
    },
  };
  readonly liveLogs: LiveLogs = {
    publish: async () => undefined,
    tail: async (_task, _attempt, after, handler) => {
      this.tails.set(handler, after);
      return async () => void this.tails.delete(handler);
    },
  };
  readonly watch = {
    on: (_id: string, wake: () => void) => {
      this.#wake = wake;
      return () => undefined;
    },
  } as unknown as TaskWatch;
  readonly parts: TailParts = {
    logs: this.logs,
    liveLogs: this.liveLogs,
    tasks: {
      get: async () => {
        this.looks += 1;
        return this.record;
      },
    },
    watch: this.watch,
    clock: systemClock,
    log: silentLog(),
  };

  append(count: number): { firstSeq: number; lastSeq: number; lines: LogLine[] } {
    const firstSeq = this.lines.length + 1;
    const lines = Array.from(
      { length: count },
      (_, n): LogLine => ({
        seq: firstSeq + n,
        ts: 1,
        stream: 'stdout',
        line: `line ${firstSeq + n}`,
      }),
    );
    this.lines.push(...lines);
    return { firstSeq, lastSeq: this.lines.length, lines };
  }

  announce(batch: LogBatch): void {
    for (const [handler, after] of this.tails) if (batch.lastSeq > after) handler(batch);
  }

  end(): void {
    this.record = { ...this.task, state: 'completed' };
    this.#wake?.();
  }
}

const hubs: LogTails[] = [];
afterEach(() => {
  for (const hub of hubs.splice(0)) hub.close();
});
function hubOn(stage: Stage, lingerMs = 1_000): LogTails {
  const hub = new LogTails({ ...stage.parts, pages: new SharedPages(stage.parts.logs) }, { lingerMs });
  hubs.push(hub);
  return hub;
}
const never = new AbortController().signal;
setMaxListeners(0, never);

/** Reads to the end; numbers of the lines. */
async function readAll(hub: LogTails, from: number, pause: () => Promise<void> = async () => undefined) {
  const seen: number[] = [];
  const reader = hub.open('task', 1, from);
  try {
    for (let next = from; ; ) {
      const page = await reader.next(next, never);
      if (!page) return seen;
      for (const { seq } of page.lines) seen.push(seq);
      next = page.lastSeq + 1;
      await pause();
    }
  } finally {
    reader.release();
  }
}
const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => from + n);
const turn = () => new Promise<void>((done) => setImmediate(done));

describe('a tail', () => {
  it('gives every reader each line once, however they come and however slow it is', async () => {
    const step = fc.record({
      count: fc.integer({ min: 1, max: 900 }),
      how: fc.constantFrom('lines', 'number', 'unheard', 'late'),
      turns: fc.integer({ min: 0, max: 3 }),
    });
    const readers = fc.array(
      fc.record({ from: fc.integer({ min: 1, max: 4_000 }), turns: fc.integer({ min: 0, max: 9 }) }),
      {
        minLength: 1,
        maxLength: 5,
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), readers, async (steps, wanted) => {
        const stage = new Stage();
        const hub = hubOn(stage);
        const readings = wanted.map(({ from, turns }) =>
          readAll(hub, from, async () => {
            for (let n = 0; n < turns; n += 1) await turn();
          }),
        );
        const late: LogBatch[] = [];
        for (const { count, how, turns } of steps) {
          const batch = stage.append(count);
          if (how === 'lines') stage.announce(batch);
          if (how === 'number') stage.announce({ ...batch, lines: null });
          if (how === 'late') late.push(batch);
          else for (const one of late.splice(0)) stage.announce(one);
          for (let n = 0; n < turns; n += 1) await turn();
        }
        stage.end();
        const seen = await Promise.all(readings);
        expect(seen).toEqual(wanted.map(({ from }) => range(from, stage.lines.length)));
        hub.close();
      }),
      { numRuns: 60 },
    );
  });

  it('serves readers in step from memory alone', async () => {
    const stage = new Stage();
    const hub = hubOn(stage);
    const readings = Array.from({ length: 50 }, () => readAll(hub, 1));
    await waitFor(() => stage.tails.size === 1 && stage.reads === 1, { what: 'the tail to stand' });
    for (let n = 0; n < 20; n += 1) {
      stage.announce(stage.append(10));
      await turn();
    }
    expect(stage.reads).toBe(1);
    stage.end();
    expect(await Promise.all(readings)).toEqual(Array.from({ length: 50 }, () => range(1, 200)));
    // The last read, which finds that there is no more.
    expect(stage.reads).toBe(2);
  });

  it('holds nothing up and reads nothing for a reader that does not read', async () => {
    const stage = new Stage();
    const hub = hubOn(stage);
    const idle = hub.open('task', 1);
    stage.append(5);
    expect((await idle.next(1, never))?.lastSeq).toBe(5);
    const before = stage.reads;
    for (let n = 0; n < 30; n += 1) {
      const batch = stage.append(1_000);
      stage.announce(n % 2 === 0 ? batch : { ...batch, lines: null });
      await turn();
    }
    expect(stage.reads).toBe(before);
    // Later it is served whole.
    stage.end();
    const seen: number[] = [];
    for (let next = 6; ; ) {
      const page = await idle.next(next, never);
      if (!page) break;
      for (const { seq } of page.lines) seen.push(seq);
      next = page.lastSeq + 1;
    }
    expect(seen).toEqual(range(6, 30_005));
    idle.release();
  });

  it('goes to where its readers are, with one question to the store', async () => {
    const stage = new Stage();
    stage.append(100_000);
    const hub = hubOn(stage);
    const slow = hub.open('task', 1);
    await slow.next(1, never);
    const readings = [100_001, 100_001, 99_990].map((from) => readAll(hub, from));
    await waitFor(() => stage.positions > 0 || stage.reads > 3, { what: 'the tail to jump' });
    stage.announce(stage.append(1));
    stage.end();
    expect(await Promise.all(readings)).toEqual([[100_001], [100_001], range(99_990, 100_001)]);
    expect(stage.reads).toBeLessThan(12);
    slow.release();
  });

  it('is not led astray by a reader that wants what will never be', async () => {
    const stage = new Stage();
    const hub = hubOn(stage);
    const astray = readAll(hub, 1_000_000_000);
    await waitFor(() => stage.positions === 1, { what: 'the end to be looked for' });
    const reading = readAll(hub, 1);
    stage.announce(stage.append(10));
    await turn();
    stage.announce(stage.append(10));
    stage.end();
    expect(await Promise.all([astray, reading])).toEqual([[], range(1, 20)]);
    expect(stage.positions).toBe(1);
  });

  it('finds lines and the end without a word from anybody', async () => {
    const stage = new Stage();
    const hub = hubOn(stage);
    const reading = readAll(hub, 1);
    await waitFor(() => stage.looks > 0, { what: 'the first look' });
    stage.append(3_000);
    stage.record = { ...stage.task, attempt: 2 };
    expect(await reading).toEqual(range(1, 3_000));
  });

  it('does not take an answer from before the end for the last word', async () => {
    const stage = new Stage();
    stage.answerMs = 100;
    const reading = readAll(hubOn(stage), 1);
    // The store has been asked and has found nothing, but its answer is still on its way.
    await waitFor(() => stage.reads === 1, { what: 'the first read', everyMs: 0 });
    stage.append(3);
    stage.end();
    expect(await reading).toEqual([1, 2, 3]);
  });

  it('bears a store that is away for a moment, and tells all its readers of one that stays away', async () => {
    const stage = new Stage();
    const hub = hubOn(stage);
    stage.readFault = new AppError('store_unavailable', 'away', { retryable: true });
    const reading = readAll(hub, 1);
    await waitFor(() => stage.reads > 0, { what: 'a read in vain' });
    stage.append(2);
    stage.readFault = null;
    stage.end();
    expect(await reading).toEqual([1, 2]);

    const other = new Stage();
    const broken = hubOn(other);
    other.readFault = new AppError('internal', 'a fault that will not pass');
    const readings = [readAll(broken, 1), readAll(broken, 5)];
    for (const one of readings) await expect(one).rejects.toMatchObject({ code: 'internal' });
    // Whoever comes next is not told of an old fault.
    other.readFault = null;
    other.append(1);
    other.end();
    expect(await readAll(broken, 1)).toEqual([1]);
  });

  it('ends readings when its reader leaves or the hub closes, and leaves the live stream', async () => {
    const stage = new Stage();
    const hub = hubOn(stage);
    const reader = hub.open('task', 1);
    const leaving = new AbortController();
    const gone = reader.next(1, leaving.signal);
    leaving.abort();
    expect(await gone).toBeNull();
    expect(reader.over).toBeNull();
    const waiting = readAll(hub, 1);
    await turn();
    hub.close();
    expect(await waiting).toEqual([]);
    await waitFor(() => stage.tails.size === 0, { what: 'the live stream to be left' });
    expect(await readAll(hub, 1)).toEqual([]);
  });
});

describe('the hub', () => {
  it('has one tail for all readers of an attempt, and closes it after the last', async () => {
    const stage = new Stage();
    const hub = hubOn(stage, 50);
    const readers = Array.from({ length: 10 }, () => hub.open('task', 1));
    const other = hub.open('task', 2);
    await turn();
    expect(stage.tails.size).toBe(2);
    for (const reader of [...readers, other]) reader.release();
    await waitFor(() => stage.tails.size === 0, { what: 'the tails to be closed' });
  });

  it('refuses more than it can hold, and makes room where nobody reads', () => {
    const stage = new Stage();
    const hub = hubOn(stage);
    const readers = Array.from({ length: 5_000 }, (_, n) => hub.open(`task-${n}`, 1));
    expect(() => hub.open('one-more', 1)).toThrow(/too many/);
    expect(() => hub.open('task-7', 1)).not.toThrow();
    readers[3]?.release();
    expect(() => hub.open('one-more', 1)).not.toThrow();
  });
});

describe('a tail with little room', () => {
  it('lets no reader miss what left the ring', async () => {
    const stage = new Stage();
    const tail = new LogTail('task', 1, 1, stage.parts, { ringChars: () => 1_000, lookMs: () => 50 });
    stage.announce(stage.append(100));
    stage.announce(stage.append(100));
    expect(tail.next).toBe(201);
    expect(tail.pageFrom(100)).toBeNull();
    expect(tail.pageFrom(150)?.lastSeq).toBe(200);
    tail.close();
  });
});
