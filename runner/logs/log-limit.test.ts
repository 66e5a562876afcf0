import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../shared/model/log-line.ts';
import type { LogStore } from '../../shared/ports/log-store.ts';
import { findKept, LINE_OVERHEAD, LogLimit } from './log-limit.ts';

const MB = 2 ** 20;

describe('the limit of output', () => {
  it('says once that it is reached, and lets nothing through any more', () => {
    const limit = new LogLimit(3 * (10 + LINE_OVERHEAD), false);
    const line = 'x'.repeat(10);
    limit.count(line);
    expect([line, line, line, '', line].map((one) => limit.judge(one))).toEqual([
      'keep',
      'keep',
      'note',
      'drop',
      'drop',
    ]);
  });

  it('counts empty lines, too', () => {
    const limit = new LogLimit(MB, false);
    let kept = 0;
    while (limit.judge('') === 'keep') kept += 1;
    expect(kept).toBe(MB / LINE_OVERHEAD);
    expect(limit.note).toBe('[cloudai] the output is over 1 MB: the rest is not kept');
  });

  it('that an earlier life reached stays reached', () => {
    expect(new LogLimit(MB, true).judge('')).toBe('drop');
  });
});

describe('what is kept already', () => {
  const withLast = (last: LogLine | null): LogStore => ({
    append: async () => undefined,
    read: async (_taskId, _attempt, from, limit) => (from === last?.seq && limit === 1 ? [last] : []),
    position: async () => ({ lastSeq: last?.seq ?? 0, stdoutLines: 2, stderrLines: 1 }),
    remove: async () => undefined,
  });
  const isFull = async (last: LogLine | null) =>
    (await findKept(withLast(last), { taskId: 'task-1', attempt: 1 })).isFull;

  it('is known to be all by its last line', async () => {
    const { note } = new LogLimit(512 * MB, false);
    expect(await isFull({ seq: 3, ts: 0, stream: 'stderr', line: note })).toBe(true);
    expect(await isFull({ seq: 3, ts: 0, stream: 'stdout', line: note })).toBe(false);
    expect(await isFull({ seq: 3, ts: 0, stream: 'stderr', line: `${note}.` })).toBe(false);
    expect(await isFull(null)).toBe(false);
  });
});
