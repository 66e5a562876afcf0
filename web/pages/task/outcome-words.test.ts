import { describe, expect, it } from 'vitest';
import { FAILURE_REASONS } from '../../../shared/model/task.ts';
import { makeTaskBody } from '../../../test/support/small-api.ts';
import {
  attemptWords,
  deadlineWords,
  pageTitle,
  reasonWords,
  retryWords,
  slaNow,
  startWords,
} from './outcome-words.ts';

const T0 = Date.parse('2026-01-01T00:00:00.000Z');
const at = (seconds: number) => new Date(T0 + seconds * 1_000).toISOString();

describe('words of an outcome', () => {
  it('name a task in its tab', () => {
    expect(pageTitle({ status: 'running', name: 'train', task_id: 'task-1' })).toBe(
      '● running train · CloudAI',
    );
    expect(pageTitle({ status: 'failed', name: '', task_id: 'task-01abcdefghijk' })).toBe(
      '✗ failed task-01abcde · CloudAI',
    );
  });

  it('count attempts against what is allowed', () => {
    expect(attemptWords({ attempt: 1, max_retries: 2 })).toBe('1 of 3');
    expect(attemptWords({ attempt: 4, max_retries: 2 })).toBe('4');
  });

  it('say how a task is tried again', () => {
    const task = makeTaskBody({
      max_retries: 3,
      retry_on: ['exit_code', 'timed_out'],
      retry_delay_seconds: 30,
    });
    expect(retryWords(makeTaskBody())).toBe('none');
    expect(retryWords(task)).toBe('up to 3, after exit_code, timed_out; 30s before the first');
    const spent = { ...task, failures: 1, retry_on_exit_codes: [75, 111], retry_delay_seconds: 0 };
    expect(retryWords(spent)).toBe('1 of 3 spent, after exit_code (75, 111), timed_out; at once');
  });

  it('know each reason', () => {
    for (const reason of FAILURE_REASONS) expect(reasonWords(reason)).toMatch(/\w+ \w+/);
  });

  it('follow a deadline between two answers of the API', () => {
    const sla = { expected_seconds: 60, learned_from: 4, deadline: at(180), state: 'safe' } as const;
    const of = (status: 'queued' | 'running' | 'completed', started: number | null, now: number) =>
      slaNow({ status, started_at: started === null ? null : at(started), sla }, T0 + now * 1_000);
    expect(of('queued', null, 100)).toBe('safe');
    expect(of('queued', null, 121)).toBe('at_risk');
    expect(of('running', 100, 140)).toBe('safe');
    expect(of('running', 130, 131)).toBe('at_risk');
    expect(of('running', 100, 181)).toBe('missed');
    expect(of('completed', 100, 999)).toBe('safe');
    expect(slaNow({ status: 'queued', started_at: null }, T0)).toBeNull();
    expect(deadlineWords(at(90), T0)).toBe('due in 1m 30s');
    expect(deadlineWords(at(-5), T0)).toBe('due 5.0s ago');
  });

  it('say when it should start', () => {
    const estimate = { at: at(300), earliest: at(120), latest: at(900) };
    expect(startWords(estimate, T0)).toBe('Should start in about 5m 0s, between 2m 0s and 15m 0s');
    expect(startWords(estimate, T0 + 200_000)).toBe('Should start in about 1m 40s, between 0.0s and 11m 40s');
    expect(startWords(estimate, T0 + 999_000)).toBe('Should start any moment');
    expect(startWords({ at: at(60), earliest: at(60), latest: at(60) }, T0)).toBe(
      'Should start in about 1m 0s',
    );
  });
});
