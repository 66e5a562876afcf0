// A machine whose runner comes back under another name, on a real engine that several runners and clusters share: what is
// nobody's any more goes, whole, and all else stays.

import { Readable } from 'node:stream';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDockerRuntime } from '../../../shared/adapters/docker/open.ts';
import type { Task } from '../../../shared/model/task.ts';
import { assignTask, startTask, takeBackTask } from '../../../shared/model/task-life.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import type { ContainerRuntime } from '../../../shared/ports/container-runtime.ts';
import { uniqueName } from '../../support/servers.ts';
import { makeRegistration, makeTask } from '../../support/tasks.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openStage, type Stage } from './stage.ts';

const docker = new Docker();
const small = { cpuMillis: 250, memoryMb: 64, gpus: 0, storageMb: 0 };
/** Down for long, removed by an admin, at work beside this one, and of another cluster. */
const names = { down: 'w-down-', removed: 'w-removed-', up: 'w-up-', foreign: 'w-foreign-' };
type Name = keyof typeof names;
const ids = Object.fromEntries(
  Object.entries(names).map(([name, prefix]) => [name, uniqueName(prefix)]),
) as Record<Name, string>;
const lives = {} as Record<Name, ContainerRuntime>;
let stage: Stage;

const open = (workerId: string, networkSlots: number) =>
  openDockerRuntime({
    ...{ dockerHost: process.env.DOCKER_HOST ?? '', log: silentLog(), networkSlots, workerId },
  });

beforeAll(async () => {
  stage = await openStage({ openRuntime: (workerId) => open(workerId, 0) });
  for (const name of Object.keys(names) as Name[]) lives[name] = await open(ids[name], 1);
  await stage.store.workers.register(makeRegistration({ id: ids.up }));
  await stage.store.workers.register(makeRegistration({ id: ids.down }));
  await stage.store.workers.setLiveness(ids.down, 'down', Date.now());
});
afterAll(async () => {
  for (const name of Object.keys(names) as Name[]) {
    for (const { id } of await lives[name].list(ids[name])) await lives[name].remove(id);
    await lives[name].close();
    for (const volume of await volumesOf(name)) await docker.getVolume(volume).remove();
  }
  await stage?.close();
});

const ofWorker = (name: Name) => ({ label: [`cloudai.worker=${ids[name]}`] });
const containersOf = async (name: Name) => docker.listContainers({ all: true, filters: ofWorker(name) });
const slotsOf = async (name: Name) =>
  (await containersOf(name)).filter(({ Labels }) => 'cloudai.slot' in Labels).map(({ Id }) => Id);
const volumesOf = async (name: Name) => {
  const { Volumes } = await docker.listVolumes({ filters: JSON.stringify(ofWorker(name)) as never });
  return (Volumes ?? []).map(({ Name }) => Name);
};

/** A running container of the worker. */
const run = async (name: Name, task: Task): Promise<string> => {
  const of = { taskId: task.id, attempt: 1, workerId: ids[name] };
  const { image } = task.spec;
  const spec = { ...of, ownerId: task.ownerId, image, command: 'sleep 600', env: {}, resources: small };
  const id = await lives[name].create({
    ...spec,
    ...{ gpuIds: [], network: 'bridge', pidsLimit: 64, hasInput: false, mounts: [] },
  });
  await lives[name].start(id);
  return id;
};

/** A task that runs on the worker by the record, or did. */
const place = async (name: Name, how: 'wanted' | 'lost'): Promise<Task> => {
  const task = await stage.insert({ resources: small });
  const by = { attempt: 1, workerId: ids[name] };
  const term = await stage.store.nextTerm();
  const assigned = await stage.write(task, (now) => assignTask(now, { ...by, term, now: Date.now() }));
  const started = { ...by, containerId: 'unknown', imageId: null, gpuIds: [] };
  const running = await stage.write(assigned, (now) => startTask(now, { ...started, now: Date.now() }));
  if (how === 'wanted') return running;
  return stage.write(running, (now) => takeBackTask(now, { ...by, now: Date.now(), message: 'gone' }));
};

/** Files of an attempt that never got its container. */
const provide = (name: Name, task: Task) =>
  lives[name].provideInput({ taskId: task.id, attempt: 1, workerId: ids[name] }, [
    { path: 'in', sizeBytes: 4, open: async () => Readable.from([Buffer.from('text')]) },
  ]);

describe('a runner beside things of other workers', () => {
  it('removes what the record has given up of those that are gone, and leaves all else', async () => {
    const over = {} as Record<Name, string>;
    for (const name of ['down', 'removed', 'up'] as const)
      over[name] = await run(name, await place(name, 'lost'));
    await provide('down', await place('down', 'lost'));
    await provide('up', await place('up', 'lost'));
    // The next ones find a slot, and have one each.
    for (const name of Object.keys(names) as Name[]) await lives[name].list(ids[name]);
    await waitFor(
      async () =>
        (await Promise.all((Object.keys(names) as Name[]).map(slotsOf))).every(({ length }) => length === 1),
      { what: 'a slot of each worker', deadlineMs: 30_000 },
    );
    const wanted = await run('removed', await place('removed', 'wanted'));
    const unknown = await run('foreign', makeTask({ resources: small }));
    expect(await volumesOf('down')).toHaveLength(2);
    const others = async () => [
      ...(await containersOf('up')).map(({ Id }) => Id),
      ...(await containersOf('foreign')).map(({ Id }) => Id),
      ...(await volumesOf('up')),
    ];
    const before = await others();

    await stage.start({ strays: { everyMs: 200, graceMs: 1_000 } });
    await waitFor(async () => (await containersOf('down')).length + (await volumesOf('down')).length === 0, {
      what: 'nothing to be left of the worker that is down',
      deadlineMs: 30_000,
    });
    await waitFor(async () => !(await containersOf('removed')).some(({ Id }) => Id === over.removed), {
      what: 'the container of the removed worker to be gone',
      deadlineMs: 30_000,
    });
    // With the network it is in, whether that is a slot or not.
    for (const id of [wanted, unknown]) {
      const { State, HostConfig } = await docker.getContainer(id).inspect();
      expect(State.Running).toBe(true);
      const [, slot] = /^container:(.+)$/.exec(HostConfig.NetworkMode ?? '') ?? [];
      if (slot) expect((await docker.getContainer(slot).inspect()).State.Running).toBe(true);
    }
    expect(await others()).toEqual(expect.arrayContaining(before));
  }, 120_000);
});
