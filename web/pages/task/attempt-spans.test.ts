import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttemptBody, TaskBody } from '../../../shared/contracts/http.ts';
import { firstWait, placeOf, taskSpans } from './attempt-spans.ts';

const T0 = Date.parse('2026-01-01T00:00:00.000Z');
const at = (seconds: number) => new Date(T0 + seconds * 1_000).toISOString();
const attempt = (number: number, assigned: number, started: number | null, finished: number | null) =>
  ({
    attempt: number,
    assigned_at: at(assigned),
    started_at: started === null ? null : at(started),
    finished_at: finished === null ? null : at(finished),
  }) as AttemptBody;
const task = (status: TaskBody['status'], attempts: AttemptBody[], more: Partial<TaskBody> = {}) =>
  ({
    status,
    attempt: attempts.length,
    attempts,
    submitted_at: at(0),
    queued_at: at(0),
    finished_at: null,
    ...more,
  }) as TaskBody;
const shape = (of: TaskBody, now: number) =>
  taskSpans(of, T0 + now * 1_000).rows.map(({ spans }) =>
    spans.map(
      ({ kind, from, to, isOpen }) =>
        `${kind} ${(from - T0) / 1_000}-${(to - T0) / 1_000}${isOpen ? '…' : ''}`,
    ),
  );

describe('what a task did with its time', () => {
  it('is told attempt by attempt', () => {
    const twice = task('completed', [attempt(1, 5, 7, 10), attempt(2, 14, 15, 20)], { finished_at: at(20) });
    expect(shape(twice, 99)).toEqual([
      ['waited 0-5', 'prepared 5-7', 'ran 7-10'],
      ['waited 10-14', 'prepared 14-15', 'ran 15-20'],
    ]);
    expect(taskSpans(twice, T0 + 99_000)).toMatchObject({ from: T0, to: T0 + 20_000 });
  });

  it('goes on while it is not over', () => {
    expect(shape(task('queued', [], { attempt: 1 }), 8)).toEqual([['waited 0-8…']]);
    expect(shape(task('assigned', [attempt(1, 3, null, null)]), 8)).toEqual([
      ['waited 0-3', 'prepared 3-8…'],
    ]);
    expect(shape(task('running', [attempt(1, 3, 4, null)]), 8)).toEqual([
      ['waited 0-3', 'prepared 3-4', 'ran 4-8…'],
    ]);
    expect(shape(task('queued', [attempt(1, 1, 2, 3)], { attempt: 2, queued_at: at(3) }), 8).at(-1)).toEqual([
      'waited 3-8…',
    ]);
  });

  it('ends without a start when it was cancelled or could not be prepared', () => {
    expect(shape(task('cancelled', [], { finished_at: at(4), attempt: 1 }), 8)).toEqual([['waited 0-4']]);
    expect(shape(task('failed', [attempt(1, 1, null, 6)], { finished_at: at(6) }), 8)).toEqual([
      ['waited 0-1', 'prepared 1-6'],
    ]);
  });

  it('stays in the picture, whatever the clocks said', () => {
    const time = fc.integer({ min: -100, max: 1_000 });
    const times = fc.array(fc.tuple(time, fc.option(time), fc.option(time)), { maxLength: 20 });
    fc.assert(
      fc.property(times, time, fc.constantFrom('queued', 'running', 'completed'), (list, now, status) => {
        const whole = taskSpans(
          task(
            status as TaskBody['status'],
            list.map((each, index) => attempt(index + 1, ...each)),
            { finished_at: status === 'completed' ? at(now) : null },
          ),
          T0 + now * 1_000,
        );
        for (const { spans } of whole.rows) {
          for (const span of spans) {
            expect(span.to).toBeGreaterThanOrEqual(span.from);
            const { x, width } = placeOf(span, whole);
            expect(x).toBeGreaterThanOrEqual(0);
            expect(width).toBeGreaterThan(0);
            expect(x + width).toBeLessThanOrEqual(100.001);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('waits from its submission to its first start', () => {
    expect(firstWait(task('queued', [], { attempt: 1 }), T0 + 3_000)).toBe(3_000);
    expect(firstWait(task('running', [attempt(1, 1, null, 2), attempt(2, 3, 4, null)]), T0 + 9_000)).toBe(
      4_000,
    );
    expect(firstWait(task('cancelled', [], { finished_at: at(4) }), T0 + 9_000)).toBeNull();
  });
});
