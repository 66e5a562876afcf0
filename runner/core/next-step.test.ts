// What follows from each situation. That there is a way to the end from all of them is in next-step-ends.test.ts.

import { describe, expect, it } from 'vitest';
import { assignTask, finishTask, takeBackTask } from '../../shared/model/task-life.ts';
import {
  assigned,
  cancelled,
  container,
  ended,
  evicted,
  key,
  running,
  step,
} from '../../test/support/attempts.ts';
import { taken } from '../../test/support/tasks.ts';
import type { Doing } from './next-step.ts';

describe('the next step', () => {
  it('goes from nothing to a started container', () => {
    expect(step({})).toEqual({ kind: 'admit' });
    expect(step({ doing: { admitted: true } })).toEqual({ kind: 'pull' });
    expect(step({ doing: { admitted: true, imageId: 'i' } })).toEqual({ kind: 'create' });
    const given = assigned({ files: ['in/a.csv'] });
    const pulled = { admitted: true, imageId: 'i' };
    expect(step({ task: given, doing: pulled })).toEqual({ kind: 'provide' });
    expect(step({ task: given, doing: { ...pulled, provided: true } })).toEqual({ kind: 'create' });
    expect(step({ seen: container({ state: 'created' }) })).toEqual({ kind: 'start' });
    expect(step({ seen: container() })).toEqual({ kind: 'announce' });
  });

  it('reads the output of what runs already, then waits for its end or the limit', () => {
    const task = running(assigned({ timeoutSeconds: 60 }));
    expect(step({ task, seen: container() })).toEqual({ kind: 'adopt' });
    const doing = { capturing: true, startedAt: 500 };
    expect(step({ task, seen: container(), doing })).toEqual({ kind: 'wait', until: 60_500 });
    expect(step({ task, seen: container(), doing, now: 60_500 })).toEqual({
      kind: 'stop',
      cause: 'time_limit',
    });
  });

  it('stops with SIGTERM, then SIGKILL after the grace; by force at once', () => {
    const task = cancelled(running(assigned()));
    const doing = { capturing: true, startedAt: 0 };
    expect(step({ task, seen: container(), doing })).toEqual({ kind: 'stop', cause: 'cancel' });
    const stop = { cause: 'cancel' as const, at: 1_000, killed: false };
    expect(step({ task, seen: container(), doing: { ...doing, stop } })).toEqual({
      kind: 'wait',
      until: 11_000,
    });
    expect(step({ task, seen: container(), doing: { ...doing, stop }, now: 11_000 }).kind).toBe('kill');
    const killed = { ...stop, killed: true, killedAt: 11_000 };
    expect(step({ task, seen: container(), doing: { ...doing, stop: killed }, now: 12_000 })).toEqual({
      kind: 'wait',
      until: 21_000,
    });
    expect(step({ task, seen: container(), doing: { ...doing, stop: killed }, now: 21_000 }).kind).toBe(
      'kill',
    );
    const forced = cancelled(task, true);
    expect(step({ task: forced, seen: container(), doing }).kind).toBe('kill');
    expect(step({ task: forced, seen: container(), doing: { ...doing, stop } }).kind).toBe('kill');
  });

  it('stops for an eviction as for a cancel, and a cancel that comes meanwhile goes on from there', () => {
    const task = evicted(running(assigned({ timeoutSeconds: 60 })));
    const doing = { capturing: true, startedAt: 0 };
    expect(step({ task, seen: container(), doing })).toEqual({ kind: 'stop', cause: 'evict' });
    const stop = { cause: 'evict' as const, at: 1_000, killed: false };
    const stopping = { ...doing, stop };
    expect(step({ task, seen: container(), doing: stopping })).toEqual({ kind: 'wait', until: 11_000 });
    expect(step({ task, seen: container(), doing: stopping, now: 11_000 }).kind).toBe('kill');
    expect(step({ task: cancelled(task), seen: container(), doing: stopping }).kind).toBe('wait');
    expect(step({ task: cancelled(task, true), seen: container(), doing: stopping }).kind).toBe('kill');
    expect(step({ task: cancelled(task), seen: container(), doing })).toMatchObject({ cause: 'cancel' });
    expect(step({ task, seen: container(), doing: { ...doing, fenced: true } })).toMatchObject({
      cause: 'evict',
    });
    expect(step({ task, seen: container(), doing, now: 60_000 })).toMatchObject({ cause: 'time_limit' });
  });

  it('says that an attempt was evicted once its container is gone, also when others removed it', () => {
    const task = evicted(running(assigned()));
    const outcome = { kind: 'evicted', exitCode: 143, message: 'makes room' } as const;
    expect(step({ task, seen: ended(143), doing: { outcome } }).kind).toBe('remove');
    expect(step({ task, doing: { outcome, hadContainer: true } }).kind).toBe('collect');
    expect(step({ task })).toMatchObject({ kind: 'settle', outcome: { kind: 'evicted', exitCode: null } });
  });

  it('leaves its result to what ended before it was told to leave', () => {
    const task = evicted(running(assigned()));
    const doing = { drained: true, gathered: true };
    const outcomeOf = (over: Partial<Doing>) => step({ task, seen: ended(), doing: { ...doing, ...over } });
    expect(outcomeOf({})).toMatchObject({ outcome: { kind: 'completed' } });
    expect(outcomeOf({ adopted: true })).toMatchObject({ outcome: { kind: 'evicted', exitCode: 0 } });
    const stop = { cause: 'evict' as const, at: 0, killed: false };
    expect(outcomeOf({ stop })).toMatchObject({ outcome: { kind: 'evicted', message: 'makes room' } });
  });

  it('drops what was evicted before it started, wherever it is, also when the same worker has the next', () => {
    const gone = evicted(assigned());
    const next = taken(assignTask(gone, { workerId: 'worker-1', term: 1, now: 4 }));
    for (const task of [gone, next]) {
      for (const doing of [{}, { admitted: true }, { admitted: true, imageId: 'i' }, { fenced: true }]) {
        expect(step({ task, doing }).kind).toBe('done');
      }
      for (const seen of [container({ state: 'created', startedAt: null }), container(), ended()]) {
        expect(step({ task, seen, doing: { hadContainer: true } }).kind).toBe('drop');
        expect(step({ task, seen, doing: { hadContainer: true, announcing: true } }).kind).toBe('drop');
      }
      expect(step({ task, doing: { hadContainer: true, mayHaveFiles: true } }).kind).toBe('clear');
    }
  });

  it('commits a result before the container is removed, but a cancellation after', () => {
    const task = running(assigned());
    const completed = { kind: 'completed', exitCode: 0, message: null } as const;
    expect(step({ task, seen: ended(), doing: { outcome: completed } }).kind).toBe('collect');
    const gone = { kind: 'cancelled', exitCode: 143, message: 'by alice' } as const;
    expect(step({ task: cancelled(task), seen: ended(143), doing: { outcome: gone } }).kind).toBe('remove');
    expect(step({ task: cancelled(task), doing: { outcome: gone, hadContainer: true } }).kind).toBe(
      'collect',
    );
  });

  it('says that it ran before it says how it ended', () => {
    const doing = { capturing: true, drained: true };
    expect(step({ seen: ended(), doing }).kind).toBe('announce');
    expect(step({ seen: ended(), doing: { ...doing, announcing: true } })).toEqual({
      kind: 'wait',
      until: null,
    });
  });

  it('keeps the files of whatever ended, before it says how', () => {
    const task = running(assigned());
    const drained = { capturing: true, drained: true };
    for (const one of [task, cancelled(task), cancelled(task, true)]) {
      for (const seen of [ended(), ended(1), ended(143)]) {
        expect(step({ task: one, seen, doing: drained })).toEqual({ kind: 'gather' });
        expect(step({ task: one, seen, doing: { ...drained, gathered: true } }).kind).toBe('settle');
      }
    }
    // Cancelled before its container ran: there is nothing to keep.
    expect(step({ task: cancelled(assigned()), seen: container({ state: 'created' }) }).kind).toBe('settle');
    const doing = { ...drained, gathered: true, filesFault: 'too many' };
    expect(step({ task, seen: ended(), doing })).toMatchObject({
      outcome: { kind: 'failed', reason: 'output_error', message: expect.stringContaining('too many') },
    });
    expect(step({ task, seen: ended(2), doing })).toMatchObject({ outcome: { reason: 'exit_code' } });
  });

  it('removes the files of an attempt that the record gave up, and of no other', () => {
    const doing = { mayHaveFiles: true };
    const task = running(assigned());
    const lost = taken(takeBackTask(task, { ...key, now: 3, message: 'lost' }));
    expect(step({ task: lost, seen: ended(), doing }).kind).toBe('drop');
    expect(step({ task: lost, doing }).kind).toBe('clear');
    expect(step({ task: lost }).kind).toBe('done');
    // An earlier life wrote how it ended and did not live to remove its container.
    const outcome = { kind: 'completed', exitCode: 0, message: null } as const;
    const over = taken(finishTask(task, { ...key, now: 3, dice: 0, outcome }));
    expect(step({ task: over, seen: ended(), doing }).kind).toBe('drop');
    expect(step({ task: over, doing }).kind).toBe('done');
    expect(step({ task: null, doing }).kind).toBe('done');
    const left = { kind: 'evicted', exitCode: 143, message: 'makes room' } as const;
    const earlier = taken(finishTask(evicted(task), { ...key, now: 4, dice: 0, outcome: left }));
    expect(step({ task: earlier, seen: ended(143), doing }).kind).toBe('drop');
    expect(step({ task: earlier, doing }).kind).toBe('done');
  });

  it('drops what was given to another or is over', () => {
    const lost = taken(takeBackTask(running(assigned()), { ...key, now: 3, message: 'lost' }));
    const other = taken(assignTask(lost, { workerId: 'worker-1', term: 1, now: 4 }));
    for (const task of [lost, other, null]) {
      expect(step({ task, seen: container() }).kind).toBe('drop');
      expect(step({ task }).kind).toBe('done');
    }
  });

  it('finds a running task without its container failed by the platform', () => {
    expect(step({ task: running(assigned()) })).toMatchObject({ outcome: { reason: 'runtime_error' } });
  });

  it('does not start while the worker is fenced, and stops what runs', () => {
    const doing = { fenced: true, admitted: true, imageId: 'i' };
    expect(step({ doing })).toEqual({ kind: 'wait', until: null });
    expect(step({ doing, seen: container({ state: 'created' }) })).toEqual({ kind: 'wait', until: null });
    expect(step({ doing, seen: container() })).toEqual({ kind: 'stop', cause: 'fenced' });
  });
});
