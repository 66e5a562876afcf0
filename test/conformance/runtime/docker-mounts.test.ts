// Folders of the machine in containers of the Docker engine: what a program finds there, and what it is not given.

import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDockerRuntime } from '../../../shared/adapters/docker/open.ts';
import type { Mount } from '../../../shared/model/mounts.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import type { ContainerRuntime } from '../../../shared/ports/container-runtime.ts';
import { tempDir, uniqueName } from '../../support/servers.ts';
import { docker } from './engine.ts';
import { makeContainerSpec, removeAll, runToEnd } from './runs.ts';

const workerId = uniqueName('w-');
let root: string;
let remove: () => Promise<void>;
let runtime: ContainerRuntime;

const open = () =>
  openDockerRuntime({
    dockerHost: '',
    log: silentLog(),
    networkSlots: 0,
    workerId,
    mounts: [
      { path: `${root}/sets`, readOnly: true },
      { path: `${root}/runs`, readOnly: false },
    ],
  });
const mount = (path: string, readOnly = false, target = '/m'): Mount => ({
  source: `${root}/${path}`,
  target,
  readOnly,
});
const spec = (command: string, ...mounts: Mount[]) => makeContainerSpec(workerId, { command, mounts });

beforeAll(async () => {
  ({ path: root, remove } = await tempDir());
  for (const path of ['sets/images', 'runs/a', 'secret']) await mkdir(`${root}/${path}`, { recursive: true });
  await writeFile(`${root}/sets/images/cat.txt`, 'a cat');
  await writeFile(`${root}/secret/key.txt`, 'the key');
  await symlink(`${root}/secret`, `${root}/runs/link`);
  runtime = await open();
});
afterAll(async () => {
  await removeAll(runtime, workerId);
  await runtime.close();
  await remove();
});

describe('a folder of the machine', () => {
  it('is found at its target, to be read only or to be written to', async () => {
    const command =
      'cat /sets/cat.txt; echo made > /m/made.txt; echo x > /sets/x 2>/dev/null || echo " refused"; grep " /sets " /proc/mounts | grep -c "[ ,]ro,"';
    const { ear, status } = await runToEnd(
      runtime,
      spec(command, mount('sets/images', true, '/sets'), mount('runs/a')),
    );
    expect(status.exitCode).toBe(0);
    expect(ear.stdout).toBe('a cat refused\n1\n');
    expect(await readFile(`${root}/runs/a/made.txt`, 'utf8')).toBe('made\n');
  });

  it('brings nothing along that is mounted, on either side, and no new rights', async () => {
    const id = await runtime.create(spec('true', mount('sets', true)));
    const { HostConfig } = await docker.getContainer(id).inspect();
    expect(HostConfig.Mounts?.filter(({ Type }) => Type === 'bind')).toEqual([
      {
        Type: 'bind',
        Source: `${root}/sets`,
        Target: '/m',
        ReadOnly: true,
        BindOptions: { Propagation: 'rprivate', NonRecursive: true },
      },
    ]);
    expect(HostConfig.SecurityOpt).toEqual(['no-new-privileges']);
    expect(HostConfig.Binds).toBeNull();
  });

  it.each([
    ['it is not one of those that may be mounted', 'secret', true, 'does not let'],
    ['a link leads to such a one', 'runs/link', true, 'leads out'],
    ['it may only be read', 'sets', false, 'only read-only'],
    ['it is not there', 'runs/none', false, 'has no folder'],
    ['it is a file', 'sets/images/cat.txt', true, 'something else than a folder'],
  ])('is refused when %s, and no container is made', async (_what, path, readOnly, why) => {
    const refused = spec('cat /m/key.txt', mount(path, readOnly));
    await expect(runtime.create(refused)).rejects.toMatchObject({
      code: 'container_start_failed',
      retryable: false,
      message: expect.stringContaining(why),
    });
    expect((await runtime.list(workerId)).some(({ taskId }) => taskId === refused.taskId)).toBe(false);
  });

  it.each([
    ['this life', () => Promise.resolve(runtime)],
    ['an earlier life', open],
  ])('that was exchanged for a link since %s made the container is not given', async (_whose, starter) => {
    await mkdir(`${root}/runs/swapped`);
    const id = await runtime.create(spec('cat /m/key.txt', mount('runs/swapped')));
    await rename(`${root}/runs/swapped`, `${root}/runs/${uniqueName('gone')}`);
    await symlink(`${root}/secret`, `${root}/runs/swapped`);
    const life = await starter();
    try {
      await expect(life.start(id)).rejects.toMatchObject({ code: 'container_start_failed' });
    } finally {
      if (life !== runtime) await life.close();
      await rename(`${root}/runs/swapped`, `${root}/runs/${uniqueName('link')}`);
    }
  });
});

describe('a runtime that was told of no folders', () => {
  it('mounts none', async () => {
    const plain = await openDockerRuntime({ dockerHost: '', log: silentLog(), networkSlots: 0, workerId });
    try {
      await expect(plain.create(spec('true', mount('sets', true)))).rejects.toThrow('does not let');
    } finally {
      await plain.close();
    }
  });
});
