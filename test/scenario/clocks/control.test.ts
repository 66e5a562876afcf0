// A scheduler and a copy of the API on machines whose clocks are an hour off.

import { afterEach, describe, expect, it } from 'vitest';
import { openTestApi, type Seen } from '../../api/harness.ts';
import { HOUR_MS } from '../../support/skewed-clock.ts';
import { Bed, leading } from '../scheduler/bed.ts';
import { clockOf, openMachine } from './stage.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const resources = { cpuMillis: 100, memoryMb: 10, gpus: 0, storageMb: 0 };
const OFF = [
  ['ahead', HOUR_MS],
  ['behind', -HOUR_MS],
] as const;

describe.each(OFF)('a scheduler whose clock is an hour %s', (_, aheadMs) => {
  it('places retries in time, at times that can be', async () => {
    const bed = await Bed.open({ workerLeaseSeconds: 10 });
    ends.push(() => bed.close());
    const machine = await openMachine(bed, 'w1', 0);
    ends.push(() => machine.close());
    await machine.start();
    const clock = await clockOf(bed.redis.time, aheadMs);
    ends.push(() => clock.stop());
    await leading(await bed.addScheduler({ clock }));
    const began = Date.now();
    const [task] = await bed.submit([{ resources, command: 'exit 7', maxRetries: 1 }]);
    const [done] = await bed.until([task!.id], ['failed']);
    const [first, second] = done!.attempts;
    expect(first!.assignedAt).toBeGreaterThan(began - 1_000);
    // It waited for its retry, and no longer.
    expect(second!.assignedAt - first!.finishedAt!).toBeGreaterThanOrEqual(400);
    expect(done!.finishedAt!).toBeLessThan(Date.now() + 1_000);
  });
});

describe.each(OFF)('a copy of the API whose clock is an hour %s', (_, aheadMs) => {
  it('agrees with the others about time, tokens and the order of tasks', async () => {
    const right = await openTestApi();
    ends.push(() => right.close());
    const clock = await clockOf(right.redis.time, aheadMs);
    ends.push(() => clock.stop());
    const off = await openTestApi({ beside: right, parts: () => ({ clock }) });
    ends.push(() => off.close());
    const alice = await off.signUp('alice');
    const login = { username: 'alice', password: 'secure123' };
    const { body } = await off.call<{ token: string }>('POST', '/api/auth/login', { body: login });
    expect(await right.call('GET', '/api/auth/me', { as: body.token })).toMatchObject({ status: 200 });
    const submit = async (api: typeof off) =>
      (await api.call<Seen>('POST', '/api/tasks', { as: alice, body: { docker_image: 'a' } })).body;
    const tasks = [await submit(off), await submit(right), await submit(off), await submit(right)];
    const ids = tasks.map(({ task_id }) => task_id);
    const list = await right.call<{ tasks: Seen[] }>('GET', '/api/tasks', { as: alice });
    expect(list.body.tasks.map(({ task_id }) => task_id)).toEqual([...ids].reverse());
    for (const { submitted_at } of tasks) {
      expect(Math.abs(Date.parse(submitted_at) - Date.now())).toBeLessThan(60_000);
    }
  });
});
