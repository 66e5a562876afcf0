import { beforeEach, describe, expect, it } from 'vitest';
import type { LogLine } from '../../shared/model/log-line.ts';
import { silentLog } from '../../shared/platform/log.ts';
import { collectLive, type LiveCollector } from '../../test/support/live-collectors.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { LiveLines, MOST_TOLD_CHARS } from './live-lines.ts';

let live: LiveCollector;
let lines: LiveLines;
beforeEach(() => {
  live = collectLive();
  lines = new LiveLines({
    taskId: 'task-1',
    attempt: 2,
    liveLogs: live.parts.liveLogs,
    log: silentLog(),
  });
});

const make = (from: number, to: number, text = 'line'): LogLine[] =>
  Array.from({ length: to - from + 1 }, (_, n) => ({ seq: from + n, ts: 0, stream: 'stdout', line: text }));

describe('telling of kept lines', () => {
  it('happens at once, with the lines', () => {
    lines.add(make(1, 3));
    expect(live.batches).toEqual([
      { taskId: 'task-1', attempt: 2, batch: { firstSeq: 1, lastSeq: 3, lines: make(1, 3) } },
    ]);
    lines.add([]);
    expect(live.batches).toHaveLength(1);
  });

  it('happens once at a time, with all that came meanwhile', async () => {
    const release = live.holdPublishing();
    lines.add(make(1, 1));
    for (let seq = 2; seq <= 100; seq += 1) lines.add(make(seq, seq));
    expect(live.batches).toHaveLength(1);
    release();
    await waitFor(() => live.batches.length === 2, { what: 'the rest' });
    expect(live.batches[1]?.batch).toEqual({ firstSeq: 2, lastSeq: 100, lines: make(2, 100) });
  });

  it('leaves out the lines where they are too many, also when they come together over time', async () => {
    const long = 'x'.repeat(MOST_TOLD_CHARS);
    lines.add(make(1, 1, long));
    expect(live.batches[0]?.batch).toEqual({ firstSeq: 1, lastSeq: 1, lines: null });
    await waitFor(() => live.batches.length === 1, { what: 'the first' });
    const release = live.holdPublishing();
    lines.add(make(2, 2));
    await waitFor(() => live.batches.length === 2, { what: 'the second' });
    for (let seq = 3; seq <= 1_500; seq += 1) lines.add(make(seq, seq, ''));
    release();
    await waitFor(() => live.batches.length === 3, { what: 'the third' });
    expect(live.batches[2]?.batch).toEqual({ firstSeq: 3, lastSeq: 1_500, lines: null });
    lines.add(make(1_501, 1_501));
    await waitFor(() => live.batches.length === 4, { what: 'the fourth' });
    expect(live.batches[3]?.batch.lines).toHaveLength(1);
  });
});
