import { describe, expect, it } from 'vitest';
import { makeSpec, taken } from '../../test/support/tasks.ts';
import { completeAttempts, completeSpec } from './older-task.ts';
import { assignTask, newTask } from './task-life.ts';

const target = { url: 'http://a.test/', events: ['failed' as const] };
const usage = { samples: 1 } as never;

describe('a task of an older release', () => {
  it('names no webhook', () => {
    const { webhook: _, ...older } = makeSpec();
    expect(completeSpec(older)).toStrictEqual(makeSpec({ webhook: null }));
    expect(completeSpec(makeSpec({ webhook: target })).webhook).toEqual(target);
  });

  it('is tried again as it was then, and may wait for ever', () => {
    const { retryOn, retryOnExitCodes, retryDelaySeconds, queueTimeoutSeconds, maxLosses, ...older } =
      makeSpec();
    expect(completeSpec(older)).toStrictEqual(
      makeSpec({
        retryOn: ['exit_code', 'oom_killed', 'timed_out', 'output_error'],
        retryOnExitCodes: [],
        retryDelaySeconds: 1,
        queueTimeoutSeconds: 0,
        maxLosses: 5,
      }),
    );
    const chosen = makeSpec({ retryOn: ['start_error'], queueTimeoutSeconds: 9, maxLosses: 0 });
    expect(completeSpec(chosen)).toStrictEqual(chosen);
  });

  it('has attempts of which nothing was measured, said or kept', () => {
    const task = newTask({
      id: 'task-1',
      ownerId: 'u',
      ownerName: 'u',
      spec: makeSpec(),
      idempotencyKey: null,
      requestHash: null,
      now: 1,
    });
    const [attempt] = taken(assignTask(task, { workerId: 'w', term: 1, now: 2 })).attempts;
    const { notBefore: _n, usage: _u, usageSeries: _s, progress: _p, outputs: _o, ...older } = attempt!;
    expect(completeAttempts([older])).toStrictEqual([attempt]);
    expect(completeAttempts([{ ...attempt!, usage }])[0]?.usage).toBe(usage);
    expect(completeAttempts([])).toEqual([]);
  });
});
