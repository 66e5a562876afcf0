// What a runner leaves on a real engine that dies at any step of an attempt: the next life takes it up or removes it, with
// volumes and network slots, and touches nothing else.

import { Readable } from 'node:stream';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDockerRuntime } from '../../../shared/adapters/docker/open.ts';
import type { Task } from '../../../shared/model/task.ts';
import { startTask, takeBackTask } from '../../../shared/model/task-life.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import type { ContainerRuntime } from '../../../shared/ports/container-runtime.ts';
import { TEST_IMAGE, uniqueName } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openStage, type Stage } from './stage.ts';

const docker = new Docker();
const small = { cpuMillis: 250, memoryMb: 64, gpus: 0, storageMb: 0 };
let stage: Stage;
let dead: ContainerRuntime;
const others: Docker.Container[] = [];

const open = (workerId: string, networkSlots: number) =>
  openDockerRuntime({
    dockerHost: process.env.DOCKER_HOST ?? '',
    log: silentLog(),
    networkSlots,
    workerId,
    sweepGraceMs: 500,
  });

beforeAll(async () => {
  // The next life has slots switched off: what is left of them must go all the same.
  stage = await openStage({ openRuntime: (workerId) => open(workerId, 0) });
  dead = await open(stage.workerId, 2);
});
afterAll(async () => {
  for (const other of others) await other.remove({ force: true, v: true });
  await stage?.close();
  await dead?.close();
});

const labelled = (workerId: string) => ({ label: [`cloudai.worker=${workerId}`] });
const containers = (workerId = stage.workerId) =>
  docker.listContainers({ all: true, filters: labelled(workerId) });
const volumes = async (workerId = stage.workerId) => {
  const { Volumes } = await docker.listVolumes({ filters: JSON.stringify(labelled(workerId)) as never });
  return (Volumes ?? []).map(({ Name }) => Name);
};

/** As far as a life came with an attempt before it died. */
const leave = async (step: 'provided' | 'created' | 'started' | 'ended' | 'committed' | 'removed') => {
  const hasInput = step === 'provided' || step === 'created' || step === 'removed';
  const command =
    step === 'started' ? 'echo up; sleep 3; echo end' : 'echo up; echo end; echo kept > /output/file';
  const task = await stage.place(await stage.insert({ resources: small, command, network: 'none' }), {
    deliver: false,
  });
  const of = { taskId: task.id, attempt: 1, workerId: stage.workerId };
  if (hasInput) {
    const open = async () => Readable.from([Buffer.from('text')]);
    await dead.provideInput(of, [{ path: 'in', sizeBytes: 4, open }]);
  }
  if (step === 'provided') return task;
  const { image } = task.spec;
  const spec = { ...of, ownerId: task.ownerId, image, command, env: {}, resources: small, gpuIds: [] };
  const containerId = await dead.create({ ...spec, network: 'none', pidsLimit: 64, hasInput, mounts: [] });
  if (step === 'created') return task;
  if (step === 'removed') {
    await docker.getContainer(containerId).remove({ force: true });
    return task;
  }
  await dead.start(containerId);
  const report = {
    attempt: 1,
    workerId: stage.workerId,
    now: Date.now(),
    containerId,
    imageId: null,
    gpuIds: [],
  };
  await stage.write(task, (now) => startTask(now, report));
  if (step === 'started') return task;
  await dead.wait(containerId);
  if (step === 'committed') {
    const lost = { attempt: 1, workerId: stage.workerId, now: Date.now(), message: 'gone' };
    await stage.write(task, (now) => takeBackTask(now, lost));
  }
  return task;
};

describe('what a runner left that died', () => {
  it('at each step of an attempt is taken up or goes, whole, and nothing of others', async () => {
    const other = uniqueName('w-other-');
    const foreign = { Image: TEST_IMAGE, Cmd: ['sleep', '600'], HostConfig: { NetworkMode: 'none' } };
    others.push(
      await docker.createContainer(foreign),
      await docker.createContainer({
        ...foreign,
        Labels: { 'cloudai.worker': other, 'cloudai.task': 'task-other', 'cloudai.attempt': '1' },
      }),
    );
    const left: Record<string, Task> = {};
    for (const step of ['provided', 'created', 'started', 'ended', 'committed', 'removed'] as const) {
      left[step] = await leave(step);
    }
    await waitFor(async () => (await containers()).some(({ Labels }) => 'cloudai.slot' in Labels), {
      what: 'slots of the dead life',
      deadlineMs: 20_000,
    });
    expect((await volumes()).length).toBeGreaterThanOrEqual(4);

    await stage.start({ sweepEveryMs: 300 });
    for (const step of ['provided', 'created', 'started', 'ended', 'removed']) {
      const done = await stage.ended(left[step]!, 60_000);
      expect(done, step).toMatchObject({ state: 'completed', attempt: 1 });
      expect(await stage.output(done)).toEqual(['up', 'end']);
    }
    expect(await stage.task(left.committed!.id)).toMatchObject({ state: 'queued', attempt: 2 });
    await waitFor(async () => (await containers()).length === 0, {
      what: 'no container',
      deadlineMs: 30_000,
    });
    await waitFor(async () => (await volumes()).length === 0, { what: 'no volume', deadlineMs: 30_000 });
    for (const { id } of others) expect(await docker.getContainer(id).inspect()).toMatchObject({ Id: id });
  }, 120_000);
});
