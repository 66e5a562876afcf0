// Files in and out of containers of the real engine, where Docker has ways of its own.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openConnection } from '../../../shared/adapters/docker/connection.ts';
import { createFactsReader } from '../../../shared/adapters/docker/engine-facts.ts';
import { createInputVolumes } from '../../../shared/adapters/docker/input-volumes.ts';
import { openDockerRuntime } from '../../../shared/adapters/docker/open.ts';
import { createPauseContainers } from '../../../shared/adapters/docker/pause-containers.ts';
import { createTaskVolumes } from '../../../shared/adapters/docker/task-volumes.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import type { ContainerRuntime, ContainerSpec } from '../../../shared/ports/container-runtime.ts';
import { TEST_IMAGE, uniqueName } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { docker, openWire } from './engine.ts';
import { inputFile, readAll } from './file-suite.ts';
import { makeContainerSpec, removeAll, runToEnd } from './runs.ts';

const workerId = uniqueName('w-');
const log = silentLog();
const open = (dockerHost = '') => openDockerRuntime({ dockerHost, log, networkSlots: 0, workerId });
const spec = (over: Partial<ContainerSpec> = {}) => makeContainerSpec(workerId, over);
let runtime: ContainerRuntime;

beforeAll(async () => {
  runtime = await open();
});
afterAll(async () => {
  await removeAll(runtime, workerId);
  await runtime.close();
});

const leave = (command: string, over: Partial<ContainerSpec> = {}) =>
  runToEnd(runtime, spec({ command, ...over }));
const paths = async (id: string) => [...(await readAll(runtime, id)).keys()].sort();
const inputVolumes = async () => {
  const label = [`cloudai.worker=${workerId}`];
  const { Volumes } = await docker.listVolumes({ filters: JSON.stringify({ label }) as never });
  return (Volumes ?? []).map(({ Name }) => Name).filter((name) => name.startsWith('cloudai-input-'));
};

/** An image of the test's own: with things in /output, and another user. */
async function makeImage(user: string): Promise<string> {
  const container = await docker.createContainer({
    Image: TEST_IMAGE,
    Entrypoint: ['/bin/sh', '-c', 'mkdir /output; echo old > /output/old; chmod 700 /output'],
  });
  await container.start();
  await container.wait();
  const tag = uniqueName('t');
  await container.commit({ repo: 'cloudai/test-user', tag, changes: `USER ${user}` });
  await container.remove();
  return `cloudai/test-user:${tag}`;
}

describe('files of an image with a user of its own', () => {
  it.each(['1234', '1234:5678', 'root'])('%s can be written and read', async (user) => {
    const image = await makeImage(user);
    try {
      const one = spec({
        image,
        hasInput: true,
        command: 'set -e; cd /output; id -u > id; mkdir sub; cat /input/given > sub/copy; ls',
      });
      await runtime.provideInput(one, [inputFile('given', 'text')]);
      const { status, ear, id } = await runToEnd(runtime, one);
      expect([status.exitCode, ear.stderr]).toEqual([0, '']);
      // What the image has there is not in the way.
      expect(ear.stdout).toBe('id\nsub\n');
      const seen = await readAll(runtime, id);
      expect(seen.get('sub/copy')?.bytes.toString()).toBe('text');
      expect(seen.get('id')?.bytes.toString()).toBe(user === 'root' ? '0\n' : '1234\n');
      await runtime.remove(id);
      // Nothing written, nothing found, here too.
      const idle = await runToEnd(runtime, spec({ image, command: 'true' }));
      expect(await paths(idle.id)).toEqual([]);
      await runtime.remove(idle.id);
    } finally {
      await docker.getImage(image).remove();
    }
  });
});

describe('an output folder', () => {
  it('is read also when its time lies in the past', async () => {
    const command =
      'mkdir /tmp/src && echo x > /tmp/src/a && touch -d "2001-01-01 00:00" /tmp/src && cp -a /tmp/src/. /output/ && ls -ld /output';
    const { id, ear } = await leave(command);
    expect(ear.stdout).toContain('2001');
    expect(await paths(id)).toEqual(['a']);
  });

  it('with 10,000 small files comes out whole', async () => {
    const program =
      'BEGIN { for (d = 0; d < 10; d++) for (n = 0; n < 1000; n++) { f = d "/" n; print f > f; close(f) } }';
    const command = `cd /output; mkdir 0 1 2 3 4 5 6 7 8 9; awk '${program}'`;
    const resources = { cpuMillis: 2_000, memoryMb: 64, gpus: 0, storageMb: 0 };
    const { id } = await leave(command, { resources });
    const seen = await readAll(runtime, id);
    const files = [...seen].filter(([, { type }]) => type === 'file');
    expect(files).toHaveLength(10_000);
    expect(files.filter(([path, { bytes }]) => `${path}\n` !== bytes.toString())).toEqual([]);
    await runtime.remove(id);
  }, 120_000);

  it('that is cut off in the middle is a fault, and can be read again', async () => {
    const wire = await openWire();
    const through = await open(wire.dockerHost);
    const { id } = await leave('for n in 1 2 3 4; do head -c 8000000 /dev/zero > /output/$n; done');
    const cutWhileReading = async () => {
      for await (const { content } of through.readOutput(id)) {
        wire.cut();
        for await (const _ of content);
      }
    };
    await expect(cutWhileReading()).rejects.toMatchObject({ code: 'runtime_unavailable', retryable: true });
    const cutBetween = async () => {
      for await (const { content } of through.readOutput(id)) {
        content.destroy();
        wire.cut();
      }
    };
    await expect(cutBetween()).rejects.toMatchObject({ code: 'runtime_unavailable' });
    expect([...(await readAll(through, id)).values()].map(({ bytes }) => bytes.length)).toEqual([
      8_000_000, 8_000_000, 8_000_000, 8_000_000,
    ]);
    await through.close();
    await wire.dispose();
  });

  it('does not keep its container from being removed while it is read', async () => {
    const { id } = await leave('head -c 20000000 /dev/zero > /output/large');
    const reading = async () => {
      for await (const { content } of runtime.readOutput(id)) {
        await runtime.remove(id);
        for await (const _ of content);
      }
    };
    await expect(reading()).rejects.toMatchObject({ code: 'runtime_unavailable' });
    expect(await runtime.inspect(id)).toBeNull();
  });

  it('goes with its container, and so does the input', async () => {
    const one = spec({ hasInput: true, command: 'echo x > /output/x' });
    await runtime.provideInput(one, [inputFile('a', 'a')]);
    const { id } = await runToEnd(runtime, one);
    const volumes = (await docker.getContainer(id).inspect()).Mounts.map(({ Name }) => Name ?? '');
    expect(volumes).toHaveLength(2);
    // Another life removes it, which knows the container by its id only.
    const next = await open();
    await next.remove(id);
    await next.close();
    for (const name of volumes)
      await expect(docker.getVolume(name).inspect()).rejects.toMatchObject({ statusCode: 404 });
  });
});

describe('input that an earlier life left', () => {
  it('is swept with the containers it came through, and that of others is not', async () => {
    const used = spec({ hasInput: true, command: 'cat /input/a' });
    await runtime.provideInput(used, [inputFile('a', 'kept')]);
    const id = await runtime.create(used);
    const connection = openConnection('');
    const facts = createFactsReader(connection);
    const networks = { modeOf: async (network: string) => network };
    const pauses = createPauseContainers({ connection, facts, workerId, image: undefined, networks, log });
    const life = () => {
      const volumes = createTaskVolumes({ connection, pauses, log, sweepGraceMs: 0 });
      return { ...createInputVolumes({ connection, pauses, volumes }), sweep: volumes.sweep };
    };
    const left = spec({ hasInput: true });
    await life().provideInput(left, [inputFile('b', 'left')]);
    const name = `cloudai-input-${left.taskId}-1`;
    await pauses.shelf(`${name}-again`, { 'cloudai.input': name }, []);
    // An engine that is killed while it makes a volume may have forgotten its labels.
    const forgotten = `cloudai-output-${uniqueName('task-')}-1`;
    await docker.createVolume({ Name: forgotten });
    const held = life();
    const mine = spec({ hasInput: true });
    await held.provideInput(mine, [inputFile('c', 'mine')]);
    expect(await inputVolumes()).toHaveLength(3);
    await waitFor(
      async () => {
        held.sweep(workerId);
        const { Volumes } = await docker.listVolumes();
        return ![name, forgotten].some((one) => Volumes.some(({ Name }) => Name === one));
      },
      { what: 'the left volumes to be gone' },
    );
    expect((await inputVolumes()).sort()).toEqual(
      [used, mine].map(({ taskId }) => `cloudai-input-${taskId}-1`).sort(),
    );
    await held.dropInput(mine);
    connection.close();
    await runtime.start(id);
    await runtime.wait(id);
    expect((await docker.getContainer(id).logs({ stdout: true })).toString()).toContain('kept');
    await runtime.remove(id);
    expect(await inputVolumes()).toEqual([]);
  });
});
