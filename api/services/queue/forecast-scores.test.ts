import { beforeEach, describe, expect, it } from 'vitest';
import type { StartEstimate } from '../../../scheduler/core/forecast.ts';
import type { TaskChanged } from '../../../shared/model/event.ts';
import { SCORES_KEPT, ScoreWindow } from '../../../shared/model/forecast-score.ts';
import type { Task } from '../../../shared/model/task.ts';
import { makeTask } from '../../../test/support/tasks.ts';
import { ForecastScores, SAMPLE_MOST } from './forecast-scores.ts';

const START = 1_700_000_000_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let now: number;
let estimates: Map<string, StartEstimate>;
let records: Task[];
let asked: string[][];
let hear: (event: TaskChanged) => void;
let scores: ForecastScores;

beforeEach(() => {
  now = START;
  estimates = new Map();
  records = [];
  asked = [];
  scores = new ForecastScores({
    forecasts: {
      picture: async () => ({
        at: now,
        estimates,
        scene: { workers: [], owners: new Map(), kept: new Map(), leaving: new Map() },
      }),
    },
    tasks: {
      getMany: async (ids) => {
        asked.push([...ids]);
        return records.filter(({ id }) => ids.includes(id));
      },
    },
    onTaskChanged: (listener) => {
      hear = listener;
    },
    clock: { now: () => now, monotonic: () => now } as never,
    log: { debug: () => undefined } as never,
  });
});

const inMinutes = (at: number, earliest = at / 2, latest = at * 2): StartEstimate => ({
  at: START + at * MINUTE,
  earliest: START + earliest * MINUTE,
  latest: START + latest * MINUTE,
});
const changed = (taskId: string, state: TaskChanged['state'], at: number) =>
  hear({
    type: 'task',
    taskId,
    ownerId: 'u',
    state,
    attempt: 1,
    revision: 3,
    workerId: 'w',
    at,
    hasWebhook: false,
  });

describe('scores of forecasts', () => {
  it('compare the first forecast with the start that was heard of', async () => {
    estimates.set('a', inMinutes(10)).set('b', inMinutes(10)).set('c', inMinutes(10));
    await scores.look();
    // What is foretold later does not count.
    estimates.set('a', inMinutes(30)).set('b', inMinutes(30));
    await scores.look();
    changed('a', 'assigned', START + 11 * MINUTE);
    changed('a', 'running', START + 12 * MINUTE);
    changed('b', 'running', START + 4 * MINUTE);
    changed('c', 'cancelled', START + 5 * MINUTE);
    changed('c', 'running', START + 6 * MINUTE);
    changed('stranger', 'running', START + 6 * MINUTE);
    now = START + 20 * MINUTE;
    expect(scores.read()).toEqual({
      windowMs: DAY,
      scored: 2,
      withinBand: 1,
      medianErrorMs: 4 * MINUTE,
      medianLateMs: -2 * MINUTE,
    });
  });

  it('leave out what was foretold for about now', async () => {
    estimates.set('a', { at: now + 9_999, earliest: now, latest: now + MINUTE });
    await scores.look();
    changed('a', 'running', now + MINUTE);
    expect(scores.read()).toMatchObject({ scored: 0, medianErrorMs: null, medianLateMs: null });
  });

  it('find in the store what nobody told of', async () => {
    for (const id of ['started', 'ended', 'preparing', 'never', 'gone']) estimates.set(id, inMinutes(10));
    await scores.look();
    estimates.clear();
    const startedAt = START + 10 * MINUTE;
    records = [
      makeTask({}, { id: 'started', state: 'running', startedAt }),
      makeTask({}, { id: 'ended', state: 'completed', startedAt: startedAt + MINUTE }),
      makeTask({}, { id: 'preparing', state: 'assigned' }),
      makeTask({}, { id: 'never', state: 'failed' }),
    ];
    now = START + 12 * MINUTE;
    await scores.look();
    expect(asked).toHaveLength(1);
    expect(scores.read()).toMatchObject({ scored: 2, withinBand: 2, medianLateMs: MINUTE / 2 });
    // It is waited for; the others are settled.
    await scores.look();
    expect(asked[1]).toEqual(['preparing']);
    // Heard of twice it counts once.
    changed('started', 'running', startedAt);
    expect(scores.read().scored).toBe(2);
  });

  it('are of a bounded sample from all over the queue', async () => {
    for (let n = 0; n < 4 * SAMPLE_MOST; n += 1) estimates.set(`t${n}`, inMinutes(10 + n));
    await scores.look();
    for (const id of estimates.keys()) changed(id, 'running', START + 9 * MINUTE);
    expect(scores.read().scored).toBe(SAMPLE_MOST);
    const late = new Map([...estimates].slice(2 * SAMPLE_MOST));
    expect(scores.read().medianErrorMs).toBeGreaterThan(0.4 * late.size * MINUTE);
  });

  it('make room when a task waits for days', async () => {
    for (let n = 0; n < SAMPLE_MOST; n += 1) estimates.set(`t${n}`, inMinutes(10));
    await scores.look();
    now += 3 * DAY;
    estimates = new Map([['fresh', { at: now + MINUTE, earliest: now, latest: now + 2 * MINUTE }]]);
    await scores.look();
    changed('fresh', 'running', now + MINUTE);
    now += 2 * MINUTE;
    expect(scores.read()).toMatchObject({ scored: 1, withinBand: 1, medianErrorMs: 0 });
  });
});

describe('the window', () => {
  it('holds the newest, of the last day', () => {
    const window = new ScoreWindow();
    const forecast = { at: START, earliest: START, latest: START };
    for (let n = 0; n < SCORES_KEPT + 100; n += 1) window.add(forecast, START + n);
    expect(window.read(START + MINUTE)).toMatchObject({ scored: SCORES_KEPT, withinBand: 0 });
    expect(window.read(START + DAY + 600)).toMatchObject({ scored: 499 });
    expect(window.read(START + 3 * DAY)).toMatchObject({ scored: 0, medianErrorMs: null });
  });
});
