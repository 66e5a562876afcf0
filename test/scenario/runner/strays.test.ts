// What a runner does about things of workers that are no more, on a real store: the engine is a list that the test holds.

import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StraySweep } from '../../../runner/agent/stray-sweep.ts';
import { openSqliteStore } from '../../../shared/adapters/sqlite/open.ts';
import { AppError } from '../../../shared/errors.ts';
import type { AuditOutcome } from '../../../shared/model/audit.ts';
import type { Stray } from '../../../shared/model/stray.ts';
import { newAuditId } from '../../../shared/platform/ids.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { tempDir } from '../../support/servers.ts';
import { makeRegistration, makeTask } from '../../support/tasks.ts';

const EVERY_MS = 60_000;
const GRACE_MS = 300_000;
let store: Store;
let dir: Awaited<ReturnType<typeof tempDir>>;
let engine: Stray[];
let warnings: { ofWorker?: string; count?: number; msg: string }[];
let now: number;
let isAway: boolean;
let isUp: boolean;
let sweep: StraySweep;

beforeEach(async () => {
  dir = await tempDir();
  store = await openSqliteStore(`${dir.path}/cloudai.db`);
  engine = [];
  warnings = [];
  now = 1_000;
  isAway = false;
  isUp = true;
  sweep = new StraySweep({
    workerId: 'new',
    store,
    runtime: {
      strays: async () => {
        if (isAway) throw new AppError('runtime_unavailable', 'away', { retryable: true });
        return [...engine];
      },
      removeStray: async (stray) => {
        engine = engine.filter(({ id }) => id !== stray.id);
      },
    },
    clock: { now: () => Date.now(), monotonic: () => now },
    log: pino({ level: 'warn' }, { write: (line: string) => void warnings.push(JSON.parse(line)) }),
    mayLook: () => isUp,
    graceMs: GRACE_MS,
  });
});
afterEach(async () => {
  await store.close();
  await dir.remove();
});

/** Looks again and again until the time has passed. */
const pass = async (ms: number) => {
  for (const until = now + ms; now < until; ) {
    now += EVERY_MS;
    await sweep.look();
  }
};
const slot = (workerId: string): Stray => ({ workerId, kind: 'slot', id: `slot-${workerId}`, of: null });
const left = () => engine.map(({ id }) => id);
const removal = (target: string, outcome: AuditOutcome) =>
  store.audit.append([
    {
      id: newAuditId(Date.now()),
      at: Date.now(),
      actor: null,
      address: null,
      requestId: null,
      action: 'worker.remove',
      target,
      outcome,
      code: null,
      details: {},
    },
  ]);

describe('things of another worker', () => {
  it('stay while it is up, or down for less than the grace, and go then', async () => {
    await store.workers.register(makeRegistration({ id: 'old' }));
    engine = [slot('old')];
    await pass(2 * GRACE_MS);
    expect(left()).toEqual(['slot-old']);
    await store.workers.setLiveness('old', 'down', Date.now());
    await pass(GRACE_MS / 3);
    await store.workers.setLiveness('old', 'up', Date.now() + 1);
    await pass(EVERY_MS);
    await store.workers.setLiveness('old', 'down', Date.now() + 2);
    await pass(GRACE_MS / 3);
    expect(left()).toEqual(['slot-old']);
    await pass(GRACE_MS);
    expect(left()).toEqual([]);
  });

  it('of a worker that is not on record go when this cluster had it, and stay and are told of once when not', async () => {
    const task = makeTask({}, { state: 'completed', workerId: 'worked' });
    await store.tasks.insert([task]);
    await removal('idle', 'done');
    // Somebody tried to remove what was never there.
    await removal('other', 'failed');
    engine = [slot('worked'), slot('idle'), slot('other')];
    await pass(2 * GRACE_MS);
    expect(left()).toEqual(['slot-other']);
    expect(warnings).toMatchObject([{ ofWorker: 'other', count: 1 }]);
    expect(warnings[0]?.msg).toContain('another cluster');
  });

  it('are looked for again after an engine that was away, and not by a worker that is cut off', async () => {
    await removal('idle', 'done');
    engine = [slot('idle')];
    await sweep.look();
    now += GRACE_MS;
    isAway = true;
    await expect(sweep.look()).rejects.toMatchObject({ code: 'runtime_unavailable' });
    isAway = false;
    isUp = false;
    await sweep.look();
    expect(left()).toEqual(['slot-idle']);
    isUp = true;
    await sweep.look();
    expect(left()).toEqual([]);
  });
});
