import { describe, expect, it } from 'vitest';
import type { TaskUsageReply } from '../../../shared/contracts/task-usage.ts';
import { usageTimes } from './usage-points.ts';

const at = (seconds: number) => new Date(seconds * 1_000).toISOString();
const reply = (points: TaskUsageReply['points']): TaskUsageReply => ({
  task_id: 't',
  attempt: 1,
  step_seconds: 2,
  points,
});
const event = (seconds: number, cpu: number) => ({
  task_id: 't',
  attempt: 1,
  at: at(seconds),
  cpu,
  memory: 1,
});

describe('points of usage', () => {
  it('are those of the reply and what was measured after them', () => {
    const { times, cpu, memory } = usageTimes(
      reply([
        [at(10), 1, 64],
        [at(12), 2, 65],
      ]),
      [event(11, 9), event(13, 9), event(14, 3), event(16, 4)],
    );
    expect(times).toEqual([10, 12, 14, 16]);
    expect(cpu).toEqual([1, 2, 3, 4]);
    expect(memory).toEqual([64, 65, 1, 1]);
  });

  it('have a gap where nothing was measured', () => {
    const { times, cpu } = usageTimes(
      reply([
        [at(10), 1, 64],
        [at(90), 2, 65],
      ]),
      [],
    );
    expect(times).toEqual([10, 17.5, 90]);
    expect(cpu).toEqual([1, null, 2]);
  });

  it('may be none, or only those that were just measured', () => {
    expect(usageTimes(reply([]), [])).toEqual({ times: [], cpu: [], memory: [] });
    expect(usageTimes(reply([]), [event(5, 1), event(5, 2)]).times).toEqual([5]);
  });
});
