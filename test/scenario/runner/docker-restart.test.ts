// What becomes of attempts when the Docker engine under them is killed, stopped or loses its power, with the runner there or
// not. On a host of its own, for the machine's engine serves others.

import { randomInt } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDockerRuntime } from '../../../shared/adapters/docker/open.ts';
import type { Task } from '../../../shared/model/task.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import type { ContainerRuntime } from '../../../shared/ports/container-runtime.ts';
import type { Host } from '../../support/hosts/host.ts';
import { HostNetwork } from '../../support/hosts/network.ts';
import { whyNoHosts } from '../../support/hosts/programs.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openStage, type Stage, type StartedRunner } from './stage.ts';

const why = whyNoHosts();
const small = { cpuMillis: 250, memoryMb: 64, gpus: 0, storageMb: 0 };
/** Ends well when it is asked to: what must not be taken for work that is done. */
const OBLIGING = 'echo up; trap "exit 0" TERM; while true; do sleep 0.1; done';
const DEAF = 'echo up; while true; do sleep 1; done';

describe.skipIf(why !== null)(`a Docker engine that goes down${why === null ? '' : ` (${why})`}`, () => {
  let network: HostNetwork;
  let host: Host;
  let stage: Stage;
  let started: StartedRunner;
  const runtimes: ContainerRuntime[] = [];
  const openRuntime = async (workerId: string) => {
    const runtime = await openDockerRuntime({
      dockerHost: host.docker.host,
      log: silentLog(),
      networkSlots: 2,
      workerId,
    });
    runtimes.push(runtime);
    return runtime;
  };
  /** A process that has seen nothing of what runs. */
  const startAnew = async () => stage.start({ runtime: await openRuntime(stage.workerId) });

  beforeAll(async () => {
    network = await HostNetwork.open();
    host = await network.add({ docker: true });
    stage = await openStage({
      openRuntime,
    });
    started = await stage.start();
  }, 120_000);
  afterAll(async () => {
    await stage?.close();
    await Promise.all(runtimes.map((runtime) => runtime.close()));
    await network?.remove();
  }, 60_000);

  const printing = async (command: string): Promise<Task> => {
    const task = await stage.submit({ resources: small, command, network: 'none', maxRetries: 3 });
    await stage.untilPrinted(task, 'up');
    return task;
  };
  const both = () => Promise.all([printing(OBLIGING), printing(DEAF)]);
  const expectLost = async (tasks: readonly Task[]) => {
    for (const task of tasks) {
      const back = await stage.until(task, ['queued', 'completed', 'failed'], 60_000);
      expect(back).toMatchObject({ state: 'queued', failures: 0, losses: 1 });
      expect(back.attempts[0]).toMatchObject({
        state: 'failed',
        reason: 'runtime_error',
        message: 'the container engine of its worker was restarted while it ran',
      });
    }
  };

  it('killed, with the runner there: attempts are tried again at no cost, none of them is completed or failed', async () => {
    const tasks = await both();
    await host.docker.restart();
    await expectLost(tasks);
  }, 90_000);

  /** Its program prints, and ends well, while there is no engine. */
  const endWithoutEngine = async () => {
    // Found by this among the processes of the machine.
    const mark = `sleep 2.${randomInt(100_000, 1_000_000)}`;
    const task = await printing(`echo up; ${mark}; echo end`);
    return {
      task,
      killEngine: async () => {
        await host.docker.end('SIGKILL');
        await waitFor(async () => !(await isRunning(mark)), { what: 'its end', deadlineMs: 20_000 });
      },
    };
  };

  it('killed, with the runner there: what ends before it is back is run again, for what it printed is lost', async () => {
    const { task, killEngine } = await endWithoutEngine();
    await killEngine();
    await host.docker.start();
    await expectLost([task]);
    await stage.untilNoContainers();
  }, 90_000);

  it('killed, with no runner there: such an end counts, and its record says that output may be missing', async () => {
    const { task, killEngine } = await endWithoutEngine();
    await started.runner.stop();
    await killEngine();
    await host.docker.start();
    started = await startAnew();
    expect(await stage.ended(task)).toMatchObject({
      state: 'completed',
      exitCode: 0,
      message: expect.stringContaining('what it printed last may be missing'),
    });
  }, 90_000);

  it('stopped in order, with the runner there', async () => {
    const tasks = await both();
    await host.docker.end('SIGTERM');
    await host.docker.start();
    await expectLost(tasks);
  }, 90_000);

  it('stopped in order, or without power, while no runner is there; what had ended by itself keeps its end', async () => {
    for (const goDown of [() => host.docker.end('SIGTERM'), () => host.crash()]) {
      const tasks = await both();
      const [good, bad] = await Promise.all([
        printing('echo up; sleep 1; echo end'),
        printing('echo up; sleep 1; exit 3'),
      ]);
      await started.runner.stop();
      await waitFor(
        async () => {
          const ended = (await stage.runtime.list(stage.workerId)).filter(({ state }) => state === 'exited');
          return [good, bad].every(({ id }) => ended.some(({ taskId }) => taskId === id));
        },
        { what: 'two ends', deadlineMs: 20_000 },
      );
      await goDown();
      await host.boot();
      started = await startAnew();
      await expectLost(tasks);
      expect(await stage.ended(good)).toMatchObject({ state: 'completed', exitCode: 0 });
      expect(await stage.output(good)).toEqual(['up', 'end']);
      const back = await stage.until(bad, ['queued']);
      expect(back).toMatchObject({ failures: 1, losses: 0 });
      expect(back.attempts[0]).toMatchObject({ reason: 'exit_code', exitCode: 3 });
      await stage.untilNoContainers();
    }
  }, 180_000);
});

/** Whether a process of this machine, in a container or not, has these words as its command. */
async function isRunning(words: string): Promise<boolean> {
  const commands = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return commands.some((command) => command.split('\0').join(' ').trim() === words);
}
