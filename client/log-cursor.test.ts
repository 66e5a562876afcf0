import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogCursor } from './log-cursor.ts';

const event = (attempt: number, from: number, to: number) => ({
  task_id: 'task-a',
  attempt,
  lines: Array.from({ length: to - from + 1 }, (_, n) => ({
    seq: from + n,
    ts: '2026-01-01T00:00:00.000Z',
    stream: 'stdout' as const,
    line: `line ${from + n}`,
  })),
});
const seqsOf = (lines: readonly { seq: number }[]) => lines.map(({ seq }) => seq);

describe('the place of a follower', () => {
  it('is what it asked for until lines come', () => {
    expect(new LogCursor({}).ask()).toEqual({});
    expect(new LogCursor({ from: 7 }).ask()).toEqual({ from: 7 });
    expect(new LogCursor({ tail: 10 }).ask()).toEqual({ tail: 10 });
  });

  it('stays with the attempt that it began with', () => {
    const cursor = new LogCursor({ from: 7 });
    cursor.begun(2);
    cursor.begun(3);
    expect(cursor.ask()).toEqual({ after: { attempt: 2, seq: 6 } });
    const tail = new LogCursor({ tail: 10 });
    tail.begun(2);
    expect(tail.ask()).toEqual({ tail: 10 });
    const one = new LogCursor({ attempt: 4 });
    one.begun(6);
    expect(one.ask()).toEqual({ attempt: 4, from: 1 });
  });

  it('goes on after the last line, through attempts', () => {
    const cursor = new LogCursor({ tail: 2 });
    expect(seqsOf(cursor.take(event(1, 9, 10)))).toEqual([9, 10]);
    expect(cursor.ask()).toEqual({ after: { attempt: 1, seq: 10 } });
    expect(seqsOf(cursor.take(event(2, 1, 3)))).toEqual([1, 2, 3]);
    expect(cursor.take(event(1, 11, 12))).toEqual([]);
    expect(cursor.ask()).toEqual({ after: { attempt: 2, seq: 3 } });
    const one = new LogCursor({ attempt: 1 });
    one.take(event(1, 1, 3));
    expect(one.ask()).toEqual({ attempt: 1, from: 4 });
  });

  it('takes each line once, however often and from wherever output is sent again', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(40), fc.nat(20))), (sent) => {
        const cursor = new LogCursor({});
        cursor.begun(1);
        const got: number[] = [];
        for (const [back, length] of sent) {
          const next = (got.at(-1) ?? 0) + 1;
          const from = Math.max(1, next - back);
          got.push(...seqsOf(cursor.take(event(1, from, from + length))));
        }
        expect(got).toEqual(Array.from({ length: got.length }, (_, n) => n + 1));
        expect(cursor.ask()).toEqual({ after: { attempt: 1, seq: got.length } });
      }),
    );
  });

  it('takes nothing after the end', () => {
    const cursor = new LogCursor({});
    cursor.take(event(1, 1, 2));
    cursor.end();
    expect(cursor.done).toBe(true);
    expect(cursor.take(event(1, 3, 4))).toEqual([]);
  });
});
