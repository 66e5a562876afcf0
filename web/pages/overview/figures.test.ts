import { describe, expect, it } from 'vitest';
import type { TelemetryReply } from '../../../shared/contracts/workers.ts';
import { figuresOf } from './figures.ts';

const body = (over: Partial<TelemetryReply> = {}): TelemetryReply =>
  ({
    workers_by_state: { ready: 3, cordoned: 0, draining: 0, unhealthy: 0, down: 0, unreachable: 0 },
    tasks_by_state: { queued: 4, assigned: 2, running: 1_234, completed: 10, failed: 1, cancelled: 0 },
    queue_depth: 4,
    placements_per_second: 2.34,
    sla: null,
    ...over,
  }) as TelemetryReply;
const figure = (name: string, over: Partial<TelemetryReply> = {}) =>
  figuresOf(body(over)).find((one) => one.name.startsWith(name));

describe('the headline', () => {
  it('counts workers and says what is wrong with the others', () => {
    expect(figure('Workers')).toMatchObject({ value: '3', note: 'all of them', tone: '' });
    const states = { ready: 3, cordoned: 1, draining: 0, unhealthy: 0, down: 2, unreachable: 0 };
    expect(figure('Workers', { workers_by_state: states })).toMatchObject({
      note: '2 down, 1 more not ready',
      tone: 'bad',
    });
    const sick = { ready: 3, cordoned: 0, draining: 0, unhealthy: 1, down: 0, unreachable: 0 };
    expect(figure('Workers', { workers_by_state: sick })).toMatchObject({ note: '1 unhealthy', tone: 'bad' });
    const none = { ready: 0, cordoned: 0, draining: 0, unhealthy: 0, down: 0, unreachable: 0 };
    expect(figure('Workers', { workers_by_state: none })).toMatchObject({
      value: '0',
      note: 'none has joined',
    });
    expect(figure('Waiting', { workers_by_state: none })).toMatchObject({ tone: 'bad' });
  });

  it('leads from each figure to its list', () => {
    expect(figure('Running')).toMatchObject({
      value: '1,234',
      note: '2 starting',
      href: '/tasks?status=running',
    });
    expect(figure('Waiting')).toMatchObject({ value: '4', href: '/queue' });
    expect(figure('Failed')).toMatchObject({ value: '1', href: '/tasks?status=failed' });
  });

  it('shows attainment only when there is some, never rounded up', () => {
    expect(figure('In time')).toBeUndefined();
    const sla = { window_seconds: 86_400, met: 9_999, missed: 1, attainment: 0.9999 };
    expect(figure('In time, 24 h', { sla })).toMatchObject({ value: '99.9%', note: '1 missed' });
    expect(figure('In time', { sla: { ...sla, met: 0, missed: 0, attainment: null } })).toBeUndefined();
  });

  it('does not take silence for a rate of 0', () => {
    expect(figure('Placed')).toMatchObject({ value: '2.3' });
    expect(figure('Placed', { placements_per_second: null })).toMatchObject({ value: '–', tone: 'warn' });
  });
});
