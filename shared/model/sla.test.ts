import { describe, expect, it } from 'vitest';
import { ATTAINMENT_WINDOW_MS, AttainmentWindow, type SlaSubject, slaOf } from './sla.ts';

const ran = (medianMs: number, learnedFrom = 9) => ({
  lowerMs: medianMs,
  medianMs,
  upperMs: medianMs,
  learnedFrom,
});
const queued: SlaSubject = {
  state: 'queued',
  submittedAt: 1_000,
  startedAt: null,
  finishedAt: null,
  kValue: 3,
};
const state = (over: Partial<SlaSubject>, now: number, known = ran(100)) =>
  slaOf({ ...queued, ...over }, ran(100), known, now)?.state;

describe('a deadline', () => {
  it('is k times the promised run time after the submission', () => {
    expect(slaOf(queued, ran(100), ran(900), 1_000)).toMatchObject({
      expectedMs: 100,
      learnedFrom: 9,
      deadline: 1_300,
    });
  });

  it('of a waiting task is at risk when less time is left than it should run', () => {
    expect(state({}, 1_200)).toBe('safe');
    expect(state({}, 1_201)).toBe('at_risk');
    expect(state({}, 1_300)).toBe('at_risk');
    expect(state({}, 1_301)).toBe('missed');
  });

  it('of a running task is judged by the rest of its run, as known now', () => {
    const running = { state: 'running', startedAt: 1_190 } as const;
    expect(state(running, 1_250)).toBe('safe');
    expect(state({ ...running, startedAt: 1_210 }, 1_250)).toBe('at_risk');
    expect(state(running, 1_250, ran(500))).toBe('at_risk');
    // It has outlived what was expected: any moment now.
    expect(state({ ...running, startedAt: 1_001 }, 1_299)).toBe('safe');
    expect(state(running, 1_301)).toBe('missed');
  });

  it('of a completed task is met or missed for good', () => {
    const completed = { state: 'completed', startedAt: 1_100 } as const;
    expect(state({ ...completed, finishedAt: 1_300 }, 9_999)).toBe('met');
    expect(state({ ...completed, finishedAt: 1_301 }, 9_999)).toBe('missed');
  });

  it('is none for what failed or was cancelled', () => {
    expect(state({ state: 'failed', finishedAt: 1_100 }, 1_200)).toBeUndefined();
    expect(state({ state: 'cancelled', finishedAt: 1_100 }, 1_200)).toBeUndefined();
  });
});

describe('attainment', () => {
  it('counts the last day and forgets what is older', () => {
    const window = new AttainmentWindow();
    const now = 1_700_000_000_000;
    window.add(now - ATTAINMENT_WINDOW_MS - 60_000, false);
    window.add(now - ATTAINMENT_WINDOW_MS + 120_000, false);
    window.add(now - 5, true);
    window.add(now - 4, true);
    expect(window.read(now)).toEqual({ windowMs: ATTAINMENT_WINDOW_MS, met: 2, missed: 1 });
    expect(window.read(now + 180_000)).toMatchObject({ met: 2, missed: 0 });
    expect(window.read(now + 2 * ATTAINMENT_WINDOW_MS)).toMatchObject({ met: 0, missed: 0 });
  });
});
