// Nobody waits for ever: a large task among small ones that keep coming starts within the bound of reservations.ts.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Resources } from '../../shared/model/resources.ts';
import { DEFAULT_RULES, POLICIES } from '../../shared/model/scheduling.ts';
import { makeRegistration } from '../../test/support/tasks.ts';
import { BARE, PLAIN_HOLDING, PLAIN_WAITING } from '../../test/support/waiting.ts';
import { Backlog } from './backlog.ts';
import { Ledger } from './ledger.ts';
import { plan } from './plan.ts';
import { RESERVE_FOR_MS } from './reservations.ts';
import { NO_MEMORY, type PlanMemory, type WaitingTask } from './snapshot.ts';

const TICK_MS = 30_000;
const WORKER_CORES = 4;
const cores = (n: number): Resources => ({ cpuMillis: n * 1000, memoryMb: 0, gpus: 0, storageMb: 0 });

interface Load {
  readonly workers: number;
  /** Cores and minutes of the small tasks, over and over again. */
  readonly small: readonly { cores: number; minutes: number }[];
  readonly priority: number;
  readonly policy: (typeof POLICIES)[number];
}

/** How long the large one waited; small ones always wait as well, enough to fill whatever becomes free. */
function playLarge({ workers, small, priority, policy }: Load, untilMs: number): number {
  const ledger = new Ledger();
  for (let n = 0; n < workers; n += 1) {
    ledger.setWorker({
      ...makeRegistration({ id: `w${n}`, capacity: cores(WORKER_CORES) }),
      maintenance: 'none',
      drainUntil: null,
      liveness: 'up',
      livenessAt: 0,
    });
  }
  const backlog = new Backlog();
  const runs = new Map<string, { task: WaitingTask; minutes: number }>();
  const ends: { at: number; id: string }[] = [];
  let serial = 0;
  const put = (n: number, minutes: number, now: number, over: Partial<WaitingTask>) => {
    const id = `t${String(++serial).padStart(6, '0')}`;
    const task: WaitingTask = {
      ...PLAIN_WAITING,
      id,
      priority,
      resources: cores(n),
      queuedAt: now,
      submittedAt: now,
      ...over,
    };
    runs.set(id, { task, minutes });
    backlog.put(task, now);
    return id;
  };
  const rules = { ...DEFAULT_RULES, policy };
  let memory: PlanMemory = NO_MEMORY;
  let large = '';
  for (let now = 0; now <= untilMs; now += TICK_MS) {
    for (const one of ends.filter(({ at }) => at <= now)) ledger.release(one.id, 1);
    ends.splice(0, ends.length, ...ends.filter(({ at }) => at > now));
    while (backlog.size < 2 * WORKER_CORES * workers) {
      const kind = small[serial % small.length] as Load['small'][number];
      put(kind.cores, kind.minutes, now, { ownerId: `user-${serial % 3}` });
    }
    // The cluster is full by then.
    if (now === TICK_MS) large = put(WORKER_CORES, 1, now, { ownerId: 'large', priority: 5 });
    const made = plan(
      {
        ...BARE,
        workers: ledger.views(),
        groups: backlog.groups(),
        owners: ledger.owners(),
        rules,
        memory,
        limit: 1_000,
      },
      now,
      0,
    );
    ({ memory } = made);
    for (const { taskId, workerId } of made.placements) {
      if (taskId === large) return now - TICK_MS;
      const { task, minutes } = runs.get(taskId) as { task: WaitingTask; minutes: number };
      backlog.take(taskId, now);
      ledger.hold({
        ...PLAIN_HOLDING,
        taskId,
        ownerId: task.ownerId,
        workerId,
        attempt: 1,
        state: 'running',
        resources: task.resources,
        assignedAt: now,
      });
      ends.push({ at: now + minutes * 60_000, id: taskId });
    }
  }
  return Number.POSITIVE_INFINITY;
}

describe('a large task among small ones that keep coming', () => {
  it('starts within the bound, whatever the small ones are', () => {
    const loads = fc.record<Load>({
      workers: fc.integer({ min: 1, max: 4 }),
      small: fc.array(
        fc.record({ cores: fc.integer({ min: 1, max: 3 }), minutes: fc.integer({ min: 1, max: 50 }) }),
        {
          minLength: 1,
          maxLength: 5,
        },
      ),
      // Of lower, the same and higher priority than the large one.
      priority: fc.constantFrom(4, 5, 7),
      policy: fc.constantFrom(...POLICIES),
    });
    fc.assert(
      fc.property(loads, (load) => {
        const longest = Math.max(...load.small.map(({ minutes }) => minutes)) * 60_000;
        // One worker is kept at a time in so small a cluster; there are three users with a line of each kind.
        const lines = 3 * load.small.length;
        // Passes come by the tick.
        const perLine = (longest < RESERVE_FOR_MS ? longest : 5 * longest) + 2 * TICK_MS;
        const bound = DEFAULT_RULES.reserveAfterMs + (lines + 1) * perLine;
        expect(playLarge(load, 2 * bound)).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 60 },
    );
  });
});
