import { describe, expect, it } from 'vitest';
import { schedulerHelp, schedulerLine } from './scheduler-words.ts';

const rules = {
  policy: 'best-fit' as const,
  preemption: false,
  reservations: [],
  leading: true,
  ageing_seconds: 600,
  reserve_after_seconds: 60,
};
const since = '2026-01-31T12:00:00.000Z';

describe('the rules of placing', () => {
  it('fit into a line', () => {
    expect(schedulerLine(rules)).toBe('best-fit, no preemption');
    const two = ['a', 'b'].map((worker_id) => ({ worker_id, since, until: since }));
    expect(schedulerLine({ ...rules, preemption: true, reservations: two })).toBe(
      'best-fit, with preemption, 2 workers kept free',
    );
    expect(schedulerLine({ ...rules, reservations: two.slice(1) })).toContain('1 worker kept free');
    expect(schedulerLine({ ...rules, leading: false })).toBe('no scheduler has spoken for a while');
  });

  it('are explained with the spans that hold here', () => {
    const text = schedulerHelp(rules).map(({ heading, text: words }) => `${heading} ${words}`);
    expect(text.join('\n')).toMatch(/fullest.*each 10m at.*Preemption: off.*waited for 1m at/s);
    expect(schedulerHelp({ ...rules, leading: false })[0]?.heading).toBe('No leader');
    expect(schedulerHelp({ ...rules, preemption: true })[2]?.text).toContain('pay no retry');
  });
});
