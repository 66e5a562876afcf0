// `drain`, and what `workers` and `status` say of it and of the scheduler.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { schedulerWords } from '../client/scheduler-words.ts';
import type { SchedulerBody, WorkerBody } from '../shared/contracts/workers.ts';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import { makeTelemetry, makeWorkerBody, refusal } from '../test/support/small-api.ts';
import { seconds } from './options.ts';

let stage: CliStage;
let api: CliStage['api'];
let cloudai: CliStage['cloudai'];
beforeEach(async () => {
  stage = await openCliStage();
  ({ api, cloudai } = stage);
});
afterEach(() => stage.close());

const draining = (over: Partial<WorkerBody> = {}) => makeWorkerBody({ state: 'draining', ...over });

describe('drain', () => {
  it('sends a deadline only when there is one, and says what it means', async () => {
    api.on('POST /api/workers/:id/drain', ({ body }) =>
      // The stage is at 10:01:00.
      draining({ drain_until: body ? '2026-01-01T10:11:00.000Z' : null }),
    );
    expect((await cloudai(['drain', 'worker-1'])).out).toBe('worker-1 is draining; 3 tasks are there.\n');
    expect(api.asked.at(-1)?.body).toBeUndefined();
    expect((await cloudai(['drain', 'worker-1', '--deadline', '10m'])).out).toBe(
      'worker-1 is draining; 3 tasks are there, what still runs in 10m 0s is moved elsewhere.\n',
    );
    expect(api.asked.at(-1)?.body).toEqual({ deadline_seconds: 600 });
    await cloudai(['drain', 'worker-1', '-deadline', '0']);
    expect(api.asked.at(-1)?.body).toEqual({ deadline_seconds: 0 });
  });

  it('refuses what is no time, without a call', async () => {
    const told = await cloudai(['drain', 'worker-1', '--deadline', 'soon']);
    expect(told.code).toBe(2);
    expect(told.err).toContain('It must be a time such as 90s, 10m, 1h30m or 2d.');
    expect(api.asked).toEqual([]);
  });

  it('names what was typed when the API refuses it', async () => {
    const message = '"deadline_seconds" must be whole seconds from 0 (at once) to 2592000 (30 days)';
    api.on('POST /api/workers/:id/drain', () =>
      refusal(400, 'invalid_request', message, [{ field: 'deadline_seconds', message }]),
    );
    expect((await cloudai(['drain', 'worker-1', '--deadline', '31d'])).err).toContain(
      'cloudai: --deadline must be whole seconds from 0',
    );
    expect((await cloudai(['drain', 'worker-1', '--deadline', '31d', '--json'])).err).toContain(
      'deadline_seconds',
    );
  });

  it('shows in the list of workers', async () => {
    api.on('GET /workers', () => ({
      workers: [
        draining({ drain_until: '2026-01-01T10:02:30.000Z' }),
        draining({ worker_id: 'worker-2', drain_until: '2026-01-01T10:00:00.000Z' }),
        draining({
          worker_id: 'worker-3',
          drain_until: '2026-01-01T10:00:00.000Z',
          tasks: { assigned: 0, running: 0 },
          message: 'it is empty and can be removed or uncordoned',
        }),
        makeWorkerBody({ worker_id: 'worker-4' }),
      ],
    }));
    const { out } = await cloudai(['workers']);
    expect(out.split('\n').slice(5)).toEqual([
      'worker-3 is draining: it is empty and can be removed or uncordoned.',
      'worker-1 is draining: what still runs in 1m 30s is moved elsewhere.',
      'worker-2 is draining: what still runs there is being moved elsewhere.',
      '',
    ]);
  });
});

describe('a time that is typed', () => {
  it.each([
    ['0', 0],
    ['90', 90],
    ['90s', 90],
    ['10m', 600],
    ['1h30m', 5_400],
    ['2d', 172_800],
  ])('is read: %s', (text, value) => {
    expect(seconds(text)).toBe(value);
  });
  it.each(['', '-1', '-5m', '1.5h', '10 m', '10min', 'm', '9'.repeat(30), `${'9'.repeat(30)}s`])(
    'is refused: %j',
    (text) => {
      expect(() => seconds(text)).toThrow(/^It must/);
    },
  );
});

const scheduler = (over: Partial<SchedulerBody> = {}): SchedulerBody => ({
  leading: true,
  policy: 'best-fit',
  ageing_seconds: 600,
  reserve_after_seconds: 60,
  preemption: false,
  waiting_lines: 2,
  reservations: [],
  at: '2026-01-01T10:00:20.000Z',
  ...over,
});
const kept = (...ids: string[]) =>
  ids.map((worker_id) => ({
    worker_id,
    since: '2026-01-01T10:00:00.000Z',
    until: '2026-01-01T10:10:00.000Z',
  }));

describe('the scheduler', () => {
  it('is one line of the status', async () => {
    api.on('GET /telemetry', () =>
      makeTelemetry({ scheduler: scheduler({ preemption: true, reservations: kept('w\x1b[2J') }) }),
    );
    expect((await cloudai(['status', '--once'])).out).toMatch(
      /^policy +best-fit, preemption; w \[2J is kept free for a task that has waited long$/m,
    );
    api.on('GET /telemetry', () => makeTelemetry({ scheduler: null }));
    expect((await cloudai(['status', '--once'])).out).toMatch(
      /^policy +no scheduler has told of itself lately$/m,
    );
    // An API of an earlier release.
    const { scheduler: _, ...older } = makeTelemetry();
    api.on('GET /telemetry', () => older);
    expect((await cloudai(['status', '--once'])).out).not.toContain('policy');
  });

  it('says beside it how long tasks are kept, unless it is for ever', async () => {
    api.on('GET /telemetry', () => makeTelemetry({ retention_days: 30.5 }));
    expect((await cloudai(['status', '--once'])).out).toMatch(/^keeps +ended tasks for 30.5 days$/m);
    api.on('GET /telemetry', () => makeTelemetry({ retention_days: 0.5 }));
    expect((await cloudai(['status', '--once'])).out).toMatch(/^keeps +ended tasks for 12 hours$/m);
    api.on('GET /telemetry', () => makeTelemetry({ retention_days: 0 }));
    expect((await cloudai(['status', '--once'])).out).not.toContain('keeps');
  });

  it('is told in words', () => {
    const now = Date.parse('2026-01-01T10:01:00.000Z');
    expect(schedulerWords(scheduler(), now)).toBe('best-fit');
    expect(schedulerWords(scheduler({ reservations: kept('a', 'b', 'c', 'd', 'e') }), now)).toBe(
      'best-fit; a, b, c and 2 more are kept free for tasks that have waited long',
    );
    expect(schedulerWords(scheduler({ leading: false }), now)).toBe(
      'best-fit; no word from the scheduler for 40s',
    );
  });
});
