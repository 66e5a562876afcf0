// The runner on a Docker engine of its own that hangs, is killed and started again, and whose disk runs full: the worker
// says so, nothing hangs with it, and all goes on by itself once it is well.

import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openDockerRuntime } from '../../../shared/adapters/docker/open.ts';
import type { Trouble } from '../../../shared/model/worker-health.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import type { HostEngine } from '../../support/hosts/engine.ts';
import { HostNetwork } from '../../support/hosts/network.ts';
import { run, whyNoHosts } from '../../support/hosts/programs.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openStage, type Stage } from './stage.ts';

const small = { cpuMillis: 100, memoryMb: 32, gpus: 0, storageMb: 0 };
const quick = {
  everyMs: 200,
  limits: { answerWithinMs: 1_500, awayAfterMs: 400, calmMs: 600, restMs: 1_000 },
};
const DISK_MB = 64;
const why = whyNoHosts();

describe.skipIf(why !== null)(`an engine of its own${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let network: HostNetwork;
  let engine: HostEngine;
  let disk: string;
  let stage: Stage;

  beforeAll(async () => {
    network = await HostNetwork.open();
    // The folder of the first host; taken down with it.
    disk = `${network.folder}/2/docker/data`;
    await mkdir(disk, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', disk]);
    engine = (await network.add({ docker: true })).docker;
    await open();
  });
  afterEach(() => engine.thaw());
  afterAll(async () => {
    await stage?.close();
    await network?.remove();
  });

  const open = async () => {
    stage = await openStage({
      openRuntime: (workerId) =>
        openDockerRuntime({ dockerHost: engine.host, log: silentLog(), networkSlots: 0, workerId }),
      env: { DISK_RESERVE_MB: '16', WORKER_LEASE_SECONDS: '4' },
    });
    await stage.start({ health: quick });
  };
  const heard = async () =>
    (await stage.redis.presence.present()).find(({ workerId }) => workerId === stage.workerId);
  const untilTold = (code: Trouble['code']): Promise<Trouble> =>
    waitFor(async () => (await heard())?.troubles.find((one) => one.code === code), {
      what: `the heartbeat to tell ${code}`,
      deadlineMs: 30_000,
    });
  const untilWell = () =>
    waitFor(async () => (await heard())?.troubles.length === 0, {
      what: 'a heartbeat without troubles',
      deadlineMs: 30_000,
    });

  it('that hangs is told, and what was to end ends once it answers; nothing else waits for it', async () => {
    const [endless, limited] = await Promise.all([
      stage.submit({ resources: small, command: 'echo up; sleep 600' }),
      stage.submit({ resources: small, command: 'echo up; sleep 600', timeoutSeconds: 5 }),
    ]);
    await Promise.all([stage.untilPrinted(endless, 'up'), stage.untilPrinted(limited, 'up')]);
    engine.freeze();
    await stage.cancel(endless, { force: true });
    expect((await untilTold('engine_away')).message).toMatch(/^its Docker does not answer/);
    const later = await stage.submit({ resources: small, command: 'echo later' });
    // The lease is held on.
    expect((await heard())?.ageMs).toBeLessThan(4_000);
    expect((await stage.task(endless.id)).state).toBe('running');

    engine.thaw();
    expect(await stage.ended(endless, 60_000)).toMatchObject({ state: 'cancelled', attempt: 1 });
    expect(await stage.ended(limited, 60_000)).toMatchObject({ reason: 'timed_out', attempt: 1 });
    expect(await stage.ended(later, 60_000)).toMatchObject({ state: 'completed', attempt: 1 });
    await untilWell();
    await stage.untilNoContainers();
  });

  it('that hangs does not keep the runner from stopping', async () => {
    const task = await stage.submit({ resources: small, command: 'echo up; sleep 600' });
    await stage.untilPrinted(task, 'up');
    engine.freeze();
    await stage.cancel(task);
    const began = performance.now();
    await stage.lastRunner()?.stop();
    expect(performance.now() - began).toBeLessThan(10_000);
    engine.thaw();
    // The next life finds it and ends it.
    await stage.start({ health: quick });
    expect(await stage.ended(task, 60_000)).toMatchObject({ state: 'cancelled', attempt: 1 });
  });

  it('that is killed and started again ends what ran there, with its output kept and nothing started twice', async () => {
    const task = await stage.submit({
      resources: small,
      command: 'echo one; sleep 600; echo two',
      maxRetries: 1,
    });
    await stage.untilPrinted(task, 'one');
    await engine.kill();
    await untilTold('engine_away');
    await engine.start();
    await untilWell();
    // The platform's fault: no retry of its own is paid for it.
    const over = await stage.until(task, ['queued', 'failed'], 60_000);
    expect(over).toMatchObject({ state: 'queued', attempt: 2, failures: 0, losses: 1 });
    expect(over.attempts).toMatchObject([
      {
        state: 'failed',
        reason: 'runtime_error',
        exitCode: 137,
        message: 'the container engine of its worker was restarted while it ran',
      },
    ]);
    expect(await stage.output(task)).toEqual(['one']);
    await stage.untilNoContainers();
    const next = await stage.submit({ resources: small, command: 'echo next' });
    expect(await stage.ended(next, 60_000)).toMatchObject({ state: 'completed' });
  });

  it('whose disk is full is told, fails tasks by its own fault, and is well when there is room', async () => {
    const ballast = `${disk}/ballast`;
    const { bavail, bsize } = await statfs(disk);
    await writeFile(ballast, Buffer.alloc(bavail * bsize));
    expect((await untilTold('engine_disk_full')).message).toMatch(
      /^the disk of its Docker is full \(\d+ MB left/,
    );
    const task = await stage.submit({ resources: small, command: 'echo done' });
    const waiting = await stage.until(task, ['queued'], 60_000);
    expect(waiting).toMatchObject({ attempt: 2, failures: 0, losses: 1 });
    expect(waiting.attempts[0]).toMatchObject({ state: 'failed', reason: 'disk_full' });
    await rm(ballast);
    await untilWell();
    const next = await stage.submit({ resources: small, command: 'echo next' });
    expect(await stage.ended(next, 60_000)).toMatchObject({ state: 'completed' });
  });

  it('keeps well when a task fills its disk and is removed with what it wrote', async () => {
    const task = await stage.submit({
      resources: small,
      command: `dd if=/dev/zero of=/fill bs=1M count=${DISK_MB} 2>&1; echo end; exit 3`,
    });
    const done = await stage.ended(task, 60_000);
    expect(done).toMatchObject({ state: 'failed', attempt: 1 });
    await stage.untilNoContainers();
    await untilWell();
  });
});
