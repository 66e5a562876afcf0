// From every situation there is a way to the end, and on that way the promises hold: `cancelled` and `done` only when
// the container is gone, one outcome, no start of what is not wanted.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Task } from '../../shared/model/task.ts';
import {
  assignTask,
  evictTask,
  finishTask,
  requestCancel,
  startTask,
  takeBackTask,
} from '../../shared/model/task-life.ts';
import { makeTask } from '../../test/support/tasks.ts';
import {
  type Doing,
  NOTHING_DONE,
  nextStep,
  type SeenContainer,
  type Situation,
  type Step,
} from './next-step.ts';

const key = { taskId: 'task-1', attempt: 1, workerId: 'worker-1' };
const GRACE_MS = 10_000;

function assigned(spec: Parameters<typeof makeTask>[0] = {}): Task {
  return must(assignTask(makeTask(spec), { workerId: 'worker-1', term: 1, now: 1 }));
}
function must(step: ReturnType<typeof assignTask>): Task {
  if (!step.ok) throw new Error(step.refusal);
  return step.task;
}
const running = (task: Task) =>
  must(startTask(task, { ...key, now: 2, containerId: 'c', imageId: 'i', gpuIds: [] }));
const cancelled = (task: Task, force = false) =>
  must(requestCancel(task, { force, requestedBy: 'alice', now: 3 }));
const evicted = (task: Task) =>
  must(evictTask(task, { ...key, requestedAt: 3, cause: 'preempted', message: 'makes room' }));
const container = (over: Partial<SeenContainer> = {}): SeenContainer => ({
  id: 'c',
  state: 'running',
  startedAt: 2,
  finishedAt: null,
  exitCode: null,
  oomKilled: false,
  ...over,
});
const ended = (exitCode = 0) => container({ state: 'exited', finishedAt: 5_000, exitCode });
const step = (over: Partial<Omit<Situation, 'doing'>> & { doing?: Partial<Doing> }): Step =>
  nextStep({
    key,
    task: assigned(),
    seen: null,
    now: 1_000,
    graceMs: GRACE_MS,
    ...over,
    doing: { ...NOTHING_DONE, ...over.doing },
  });

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
    const next = must(assignTask(gone, { workerId: 'worker-1', term: 1, now: 4 }));
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
    const lost = must(takeBackTask(task, { ...key, now: 3, message: 'lost' }));
    expect(step({ task: lost, seen: ended(), doing }).kind).toBe('drop');
    expect(step({ task: lost, doing }).kind).toBe('clear');
    expect(step({ task: lost }).kind).toBe('done');
    // An earlier life wrote how it ended and did not live to remove its container.
    const outcome = { kind: 'completed', exitCode: 0, message: null } as const;
    const over = must(finishTask(task, { ...key, now: 3, dice: 0, outcome }));
    expect(step({ task: over, seen: ended(), doing }).kind).toBe('drop');
    expect(step({ task: over, doing }).kind).toBe('done');
    expect(step({ task: null, doing }).kind).toBe('done');
    const left = { kind: 'evicted', exitCode: 143, message: 'makes room' } as const;
    const earlier = must(finishTask(evicted(task), { ...key, now: 4, dice: 0, outcome: left }));
    expect(step({ task: earlier, seen: ended(143), doing }).kind).toBe('drop');
    expect(step({ task: earlier, doing }).kind).toBe('done');
  });

  it('drops what was given to another or is over', () => {
    const lost = must(takeBackTask(running(assigned()), { ...key, now: 3, message: 'lost' }));
    const other = must(assignTask(lost, { workerId: 'worker-1', term: 1, now: 4 }));
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

// A model of the executor and of the world: each step does what it promises; while it waits the world moves.
interface World {
  task: Task | null;
  seen: SeenContainer | null;
  doing: { -readonly [K in keyof Doing]: Doing[K] };
  now: number;
  /** What the world holds in store, taken one at a time. */
  readonly events: WorldEvent[];
}
type WorldEvent =
  | 'cancel'
  | 'force'
  | 'evict'
  | 'fence'
  | 'unfence'
  | 'lost'
  | 'exit'
  | 'vanish'
  | 'cut'
  | 'later'
  | 'no image';

describe('no dead ends', () => {
  const event = fc.constantFrom<WorldEvent>(
    'cancel',
    'force',
    'evict',
    'fence',
    'unfence',
    'lost',
    'exit',
    'vanish',
    'cut',
    'later',
    'no image',
  );
  const start = fc.record({
    state: fc.constantFrom('assigned', 'running'),
    seen: fc.constantFrom<SeenContainer | null>(
      null,
      container({ state: 'created', startedAt: null }),
      container(),
      ended(),
    ),
    timeoutSeconds: fc.constantFrom(0, 5),
    maxRetries: fc.constantFrom(0, 1),
    files: fc.constantFrom<string[]>([], ['in/a']),
    events: fc.array(event, { maxLength: 8 }),
    between: fc.array(fc.boolean(), { maxLength: 40 }),
    deaf: fc.boolean(),
    /** What an earlier life had begun. */
    felt: fc.constantFrom<Doing['felt']>(
      null,
      { cause: 'fenced', killed: true },
      { cause: 'time_limit', killed: false },
    ),
  });

  it('every attempt ends, within few steps, with its container gone', () => {
    fc.assert(
      fc.property(start, (from) => {
        const { timeoutSeconds, maxRetries, files } = from;
        const task = assigned({ timeoutSeconds, maxRetries, files });
        const world: World = {
          task: from.state === 'running' ? running(task) : task,
          seen: from.seen,
          doing: {
            ...NOTHING_DONE,
            hadContainer: from.seen !== null,
            adopted: from.seen?.startedAt != null,
            felt: from.seen?.startedAt != null ? from.felt : null,
          },
          now: 0,
          events: [...from.events],
        };
        let commits = 0;
        for (let n = 0; n < 120; n += 1) {
          if (from.between[n]) move(world);
          if (world.doing.startedAt === null && world.seen?.startedAt != null) world.doing.startedAt = 0;
          const next = nextStep({ key, graceMs: GRACE_MS, ...world });
          if (next.kind === 'done') {
            expect(world.seen).toBeNull();
            expect(commits).toBeLessThanOrEqual(1);
            const end = world.task?.attempts[0];
            const isLost = end?.state === 'lost' || (end?.state === 'evicted' && end.startedAt === null);
            if (isLost) expect(world.doing.mayHaveFiles).toBe(false);
            if (end?.state === 'evicted') expect(world.task?.failures).toBe(0);
            return;
          }
          if (next.kind === 'collect') {
            commits += 1;
            const { kind } = next.outcome;
            if (kind === 'cancelled' || kind === 'evicted') expect(world.seen).toBeNull();
            if (kind === 'evicted') expect(world.task?.attempts[0]?.eviction).not.toBeNull();
          }
          perform(world, next, from.deaf);
        }
        throw new Error(`no end: ${JSON.stringify(world)}`);
      }),
      { numRuns: 3_000 },
    );
  });

  function perform(world: World, next: Step, deaf: boolean): void {
    const { doing } = world;
    switch (next.kind) {
      case 'admit':
        doing.admitted = true;
        return;
      case 'pull':
        doing.imageId = 'i';
        return;
      case 'provide':
        expect(world.seen).toBeNull();
        doing.provided = true;
        return;
      case 'create':
        expect(world.seen).toBeNull();
        expect(doing.provided).toBe(world.task!.spec.files.length > 0);
        world.seen = container({ state: 'created', startedAt: null });
        doing.hadContainer = true;
        return;
      case 'start':
        world.seen = container();
        doing.capturing = true;
        return;
      case 'announce': {
        const result = startTask(world.task!, { ...key, now: 1, containerId: 'c', imageId: 'i', gpuIds: [] });
        if (result.ok) world.task = result.task;
        else expect(world.task!.cancel).not.toBeNull();
        return;
      }
      case 'adopt':
        doing.capturing = true;
        return;
      case 'wait':
        if (world.events.length > 0) move(world);
        else if (next.until !== null) world.now = Math.max(world.now, next.until);
        else if (world.seen?.state === 'running') world.seen = ended(doing.stop ? 137 : 0);
        else if (doing.fenced) doing.fenced = false;
        else throw new Error(`waits for nothing: ${JSON.stringify(world)}`);
        return;
      case 'stop':
        doing.stop = { cause: next.cause, at: world.now, killed: false };
        if (!deaf) world.seen = ended(143);
        return;
      case 'kill':
        // The first one may be lost.
        if (doing.stop?.killed) world.seen = ended(137);
        doing.stop = {
          cause: next.cause,
          at: doing.stop?.at ?? world.now,
          killed: true,
          killedAt: world.now,
        };
        return;
      case 'drain':
        doing.drained = true;
        return;
      case 'gather':
        expect(world.seen?.state).toBe('exited');
        doing.gathered = true;
        doing.mayHaveFiles = true;
        return;
      case 'clear':
        doing.mayHaveFiles = false;
        return;
      case 'settle':
        doing.outcome = next.outcome;
        return;
      case 'collect': {
        const result = finishTask(world.task!, { ...key, now: 9, dice: 0.5, outcome: next.outcome });
        if (!result.ok) throw new Error(`the record refuses the result: ${result.refusal}`);
        world.task = result.task;
        doing.committed = true;
        return;
      }
      case 'remove':
      case 'drop':
        world.seen = null;
        return;
      case 'done':
        return;
    }
  }

  function move(world: World): void {
    const { doing, task, seen } = world;
    const asked = world.events.shift();
    switch (asked) {
      case 'cancel':
      case 'force': {
        const result =
          task && requestCancel(task, { force: asked === 'force', requestedBy: 'alice', now: 3 });
        if (result?.ok) world.task = result.task;
        return;
      }
      case 'evict': {
        const wish = { requestedAt: 3, cause: 'drained', message: 'its worker is drained' } as const;
        const result = task && evictTask(task, { ...key, ...wish });
        if (result?.ok) world.task = result.task;
        return;
      }
      case 'lost': {
        const result = task && takeBackTask(task, { ...key, now: 3, message: 'lost' });
        if (result?.ok) world.task = result.task;
        return;
      }
      case 'fence':
        doing.fenced = true;
        return;
      case 'unfence':
        doing.fenced = false;
        return;
      case 'exit':
        if (seen?.state === 'running') world.seen = ended(1);
        return;
      case 'vanish':
        world.seen = null;
        return;
      case 'cut':
        if (!doing.drained) doing.capturing = false;
        return;
      case 'later':
        world.now += 20_000;
        return;
      case 'no image':
        if (!doing.hadContainer && !doing.committed) {
          doing.outcome ??= { kind: 'failed', reason: 'image_error', exitCode: null, message: 'no image' };
        }
        return;
    }
  }
});
