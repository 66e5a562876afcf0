// A runner whose loop has no time: it is not lost for that, and its work goes on.

import { afterEach, expect, it } from 'vitest';
import type { KeptLease, LeaseKeeper } from '../../../shared/ports/coordination.ts';
import { sourceLeaseKeeper } from '../../support/source-thread.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openScriptedStage, type Stage } from './stage.ts';

let stage: Stage;
afterEach(() => stage?.close());

/** Neither timers nor answers come through. */
const block = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

it.each([
  // On a loaded machine a thread waits for its turn, too.
  ['keeps its lease and its tasks when a thread looks after the lease', true, 5_000],
  ['fences itself and stops them when nobody does', false, 2_000],
])('longer than its lease, it %s', async (_, isKept, leaseMs) => {
  ({ stage } = await openScriptedStage({ WORKER_LEASE_SECONDS: String(leaseMs / 1_000) }));
  let kept: KeptLease | null = null;
  const keeper = {
    keep: (lease: Parameters<LeaseKeeper['keep']>[0]) => {
      kept = sourceLeaseKeeper(stage.prefix).keep(lease);
      return kept;
    },
  };
  const { runner } = await stage.start(isKept ? { keeper } : {});
  const task = await stage.submit({ command: 'forever' });
  const running = await stage.until(task, ['running']);
  if (isKept) {
    const isUp = async () => (kept?.sinceRenewedMs() ?? leaseMs) < leaseMs;
    await waitFor(isUp, { what: 'the thread', deadlineMs: 30_000 });
  }
  block(1.5 * leaseMs);
  if (!isKept) {
    const ended = await stage.runtime.wait(running.attempts[0]?.containerId ?? '');
    expect(ended.exitCode).toBe(143);
    return;
  }
  // Whatever had to wait has come through when a task that came after it has ended.
  const next = await stage.submit({ command: 'print after' });
  expect(await stage.ended(next)).toMatchObject({ state: 'completed', attempt: 1 });
  expect(runner.status().phase).toBe('up');
  expect(await stage.task(task.id)).toMatchObject({ state: 'running', attempt: 1 });
  expect(await stage.redis.presence.present()).toHaveLength(1);
  await stage.cancel(task, { force: true });
  await stage.ended(task);
});
