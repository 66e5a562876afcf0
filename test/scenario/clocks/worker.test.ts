// A worker machine whose clock is an hour off, and its engine with it.

import { afterEach, describe, expect, it } from 'vitest';
import type { Task } from '../../../shared/model/task.ts';
import { HOUR_MS } from '../../support/skewed-clock.ts';
import { waitFor } from '../../support/wait-for.ts';
import { Bed, leading } from '../scheduler/bed.ts';
import { openMachine } from './stage.ts';

let bed: Bed;
let machine: Awaited<ReturnType<typeof openMachine>>;

const resources = { cpuMillis: 100, memoryMb: 10, gpus: 0, storageMb: 0 };
/** Between a time that was taken here and one that was measured there. */
const SLACK_MS = 500;

async function open(aheadMs: number): Promise<void> {
  bed = await Bed.open({ workerLeaseSeconds: 10 });
  machine = await openMachine(bed, 'w1', aheadMs);
  await machine.start();
  await leading(await bed.addScheduler());
}

afterEach(async () => {
  await machine?.close();
  await bed?.close();
});

function timesOf(task: Task): number[] {
  const { submittedAt, finishedAt, attempts } = task;
  const inside = attempts.flatMap((one) => [one.assignedAt, one.startedAt, one.finishedAt]);
  return [submittedAt, ...inside, finishedAt].filter((at) => at !== null);
}

describe.each([
  ['ahead', HOUR_MS],
  ['behind', -HOUR_MS],
])('a worker whose clock is an hour %s', (_, aheadMs) => {
  it('tries again in time, and writes times that can be', async () => {
    await open(aheadMs);
    const began = Date.now();
    const [task] = await bed.submit([{ resources, command: 'sleep 30; exit 7', maxRetries: 1 }]);
    const [done] = await bed.until([task!.id], ['failed']);
    expect(done).toMatchObject({ reason: 'exit_code', attempt: 2, failures: 1 });
    const times = timesOf(done!);
    expect(times).toHaveLength(8);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(began - SLACK_MS);
    expect(times.at(-1)).toBeLessThanOrEqual(Date.now() + SLACK_MS);
  });

  it('holds time limits, also in its next life, and tells how far off it is', async () => {
    await open(aheadMs);
    const [task] = await bed.submit([{ resources, command: 'sleep 600000', timeoutSeconds: 3 }]);
    await bed.until([task!.id], ['running']);
    await machine.start();
    const [done] = await bed.until([task!.id], ['failed']);
    expect(done).toMatchObject({ reason: 'timed_out', attempt: 1 });
    expect(done!.finishedAt! - done!.startedAt!).toBeGreaterThanOrEqual(3_000 - SLACK_MS);
    const seen = await waitFor(async () => (await bed.redis.presence.present())[0], { what: 'a heartbeat' });
    expect(Math.abs((seen.clockOffsetMs ?? 0) - aheadMs)).toBeLessThan(SLACK_MS);
  });
});
