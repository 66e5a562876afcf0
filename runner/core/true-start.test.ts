import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trueStart } from './true-start.ts';

const HOUR = 3_600_000;
const placed = { assignedAt: 1_000 * HOUR, startedAt: 1_000 * HOUR + 900 };
const now = placed.startedAt + 60_000;

describe('the start of a container that an earlier life started', () => {
  it('is what the engine says when that can be', () => {
    expect(trueStart(placed.assignedAt + 700, placed, now)).toBe(placed.assignedAt + 700);
    expect(trueStart(now - 5_000, { ...placed, startedAt: null }, now)).toBe(now - 5_000);
    expect(trueStart(now - 5_000, null, now)).toBe(now - 5_000);
  });

  it('is what the record allows when the clock of the machine was set since', () => {
    expect(trueStart(placed.assignedAt + 700 - HOUR, placed, now)).toBe(placed.assignedAt);
    expect(trueStart(placed.assignedAt + 700 + HOUR, placed, now)).toBe(placed.startedAt);
    expect(trueStart(now + HOUR, { ...placed, startedAt: null }, now)).toBe(now);
  });

  it('is never to come', () => {
    const ms = fc.integer({ min: 0, max: 10_000 });
    fc.assert(
      fc.property(ms, ms, fc.option(ms), ms, (engine, assignedAt, startedAt, at) => {
        expect(trueStart(engine, { assignedAt, startedAt }, at)).toBeLessThanOrEqual(at);
      }),
    );
  });
});
