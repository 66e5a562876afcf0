import { describe, expect, it } from 'vitest';
import { HISTORY_METRICS } from '../model/history.ts';
import { parseMoment } from './history.ts';
import { historySchema } from './history-schema.ts';

const NOW = Date.parse('2026-01-31T12:00:00Z');

describe('a moment', () => {
  it.each([
    ['now', '2026-01-31T12:00:00Z'],
    ['-15m', '2026-01-31T11:45:00Z'],
    ['-90s', '2026-01-31T11:58:30Z'],
    ['-2h', '2026-01-31T10:00:00Z'],
    ['-7d', '2026-01-24T12:00:00Z'],
    ['2026-01-30', '2026-01-30T00:00:00Z'],
    ['2026-01-30T10:00Z', '2026-01-30T10:00:00Z'],
    ['2026-01-30T10:00:00.5Z', '2026-01-30T10:00:00.500Z'],
    ['2026-01-30T10:00:00+02:00', '2026-01-30T08:00:00Z'],
    ['2026-01-30T10:00:00 02:00', '2026-01-30T08:00:00Z'],
  ])('may be written %s', (text, iso) => {
    expect(parseMoment(text, NOW)).toBe(Date.parse(iso));
  });

  it.each([
    '',
    'yesterday',
    '15m',
    '-15',
    '-15w',
    '--1h',
    '-1.5h',
    '2026-13-01',
    '2026-01-30T10:00',
    '1700000000',
  ])('may not be written "%s"', (text) => {
    expect(parseMoment(text, NOW)).toBeNull();
  });
});

describe('a question about history', () => {
  const faults = (query: unknown) =>
    (historySchema.validate(query, { abortEarly: false }).error?.details ?? []).map(({ message }) => message);

  it('needs a metric only', () => {
    expect(historySchema.validate({ metric: 'running, queue_depth,running' }).value).toEqual({
      metric: ['running', 'queue_depth'],
      from: '-1h',
      to: 'now',
    });
  });

  it('that is wrong is told what is known, in a line that is not cut', () => {
    for (const query of [{}, { metric: 'cpu' }, { metric: 'running,' }, { metric: '' }]) {
      const [fault = ''] = faults(query);
      for (const metric of HISTORY_METRICS) expect(fault).toContain(metric);
      expect(fault.length).toBeLessThan(300);
    }
    expect(faults({ metric: 'running', from: 'yesterday', step: 0 })).toHaveLength(2);
    expect(faults({ metric: 'running,queue_depth,workers_up', worker: 'w1' })).toEqual([
      expect.stringMatching(/^of a worker there are .*running, not queue_depth, workers_up$/),
    ]);
    expect(faults({ metric: 'running', worker: '*' })).toHaveLength(1);
  });
});
