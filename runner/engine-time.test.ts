import { expect, it } from 'vitest';
import { openScriptedRuntime } from '../shared/adapters/scripted/open.ts';
import { HOUR_MS, skewedClock } from '../test/support/skewed-clock.ts';
import { inClusterTime } from './engine-time.ts';

it("the engine's times come by the cluster's clock", async () => {
  const machine = skewedClock(HOUR_MS);
  const runtime = inClusterTime(openScriptedRuntime({ clock: machine }), { offsetMs: () => HOUR_MS });
  const before = Date.now();
  const id = await runtime.create({
    ...{
      taskId: 'task-1',
      attempt: 1,
      workerId: 'w1',
      ownerId: 'u',
      image: 'a',
      command: 'usage 100 10; sleep 40',
    },
    ...{ env: {}, resources: { cpuMillis: 100, memoryMb: 10, gpus: 0, storageMb: 0 }, gpuIds: [] },
    ...{ network: 'none', pidsLimit: 10, hasInput: false, mounts: [] },
  });
  await runtime.start(id);
  const running = await runtime.inspect(id);
  const sample = await runtime.measure(id);
  const ended = await runtime.wait(id);
  const listed = (await runtime.list('w1'))[0];
  const times = [running?.startedAt, sample?.at, ended.startedAt, ended.finishedAt, listed?.finishedAt];
  for (const at of times) {
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
  }
  await runtime.close();
});
