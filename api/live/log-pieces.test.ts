import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutPage, MAX_PIECE_CHARS, MAX_PIECE_LINES } from './log-pieces.ts';

const bodies = (lengths: readonly number[]) =>
  lengths.map((length, n) => ({
    seq: n + 1,
    ts: '2026-01-01T00:00:00.000Z',
    stream: 'stdout' as const,
    line: 'x'.repeat(length),
  }));

describe('pieces of a page', () => {
  it('hold all lines in order, within the bounds unless one line is longer', () => {
    const length = fc.oneof(fc.nat(200), fc.nat(20_000), fc.constant(100_000));
    fc.assert(
      fc.property(fc.array(length, { maxLength: 1_200 }), (lengths) => {
        const lines = bodies(lengths);
        const pieces = cutPage('task-a', 3, lines);
        expect(pieces.flatMap(({ event }) => event.lines)).toEqual(lines);
        for (const { event, chars } of pieces) {
          expect(event).toMatchObject({ task_id: 'task-a', attempt: 3 });
          expect(event.lines.length).toBeGreaterThan(0);
          expect(event.lines.length).toBeLessThanOrEqual(MAX_PIECE_LINES);
          expect(event.lines.length === 1 || chars <= MAX_PIECE_CHARS).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('are as few as the bounds allow', () => {
    expect(cutPage('task-a', 1, bodies(Array(1_000).fill(10)))).toHaveLength(2);
    expect(cutPage('task-a', 1, bodies([MAX_PIECE_CHARS, 1, MAX_PIECE_CHARS]))).toHaveLength(3);
    expect(cutPage('task-a', 1, [])).toEqual([]);
  });

  it('know about how large they are on the wire', () => {
    const [piece] = cutPage('task-a', 1, bodies(Array(100).fill(200)));
    const real = JSON.stringify(piece?.event).length;
    expect(piece?.chars).toBeGreaterThan(real * 0.9);
    expect(piece?.chars).toBeLessThan(real * 1.2);
  });
});
