// From every situation there is a way to the end, and on that way the promises hold: `cancelled` and `done` only when
// the container is gone, one outcome, no start of what is not wanted.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SeenContainer } from '../../shared/model/container.ts';
import type { Task } from '../../shared/model/task.ts';
import {
  evictTask,
  finishTask,
  requestCancel,
  startTask,
  takeBackTask,
} from '../../shared/model/task-life.ts';
import { assigned, container, ended, GRACE_MS, key, running } from '../../test/support/attempts.ts';
import { type Doing, NOTHING_DONE, nextStep, type Step } from './next-step.ts';

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
