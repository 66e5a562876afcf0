// Pulling, by the real engine from a small registry of the test.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDockerRuntime } from '../../../shared/adapters/docker/open.ts';
import { PAUSE_IMAGE } from '../../../shared/adapters/docker/pause-image.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import type { ContainerRuntime, PullProgress } from '../../../shared/ports/container-runtime.ts';
import { gate } from '../../support/gate.ts';
import { uniqueName } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { docker } from './engine.ts';
import { type Registry, startRegistry } from './registry.ts';
import { makeContainerSpec } from './runs.ts';

describe('images of the Docker runtime', () => {
  const workerId = uniqueName('w-');
  const names: string[] = [];
  let registry: Registry;
  let runtime: ContainerRuntime;

  beforeAll(async () => {
    registry = await startRegistry();
    runtime = await openDockerRuntime({ dockerHost: '', log: silentLog(), networkSlots: 0, workerId });
  });
  afterAll(async () => {
    for (const name of names)
      await docker
        .getImage(name)
        .remove({ force: true })
        .catch(() => undefined);
    await runtime.close();
    await registry.close();
  });

  /** A name that no other test uses, removed at the end. */
  const newImage = (path = 'some/image', tag = ':1.0') => {
    const name = `${registry.host}/${path}-${uniqueName('')}${tag}`;
    names.push(name);
    return name;
  };
  const layersAsked = (image: string) => {
    const path = image.slice(registry.host.length + 1).replace(/:[^:/]*$/, '');
    return registry.layersAsked.filter((one) => one.startsWith(`/v2/${path}/blobs/`)).length;
  };

  it('are pulled when missing, once, and shown while they come', async () => {
    const image = newImage();
    const seen: PullProgress[] = [];
    const id = await runtime.ensureImage(image, 'if-missing', { onProgress: (one) => void seen.push(one) });
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(seen.at(-1)).toMatchObject({ layersDone: 1, layersTotal: 1 });
    expect(seen.every(({ bytesDone, bytesTotal }) => bytesDone <= bytesTotal)).toBe(true);
    const asked = registry.asked.length;
    expect(await runtime.ensureImage(image, 'if-missing', {})).toBe(id);
    expect(await runtime.ensureImage(image, 'never', {})).toBe(id);
    expect(registry.asked.length).toBe(asked);
    const listed = await runtime.images();
    expect(listed.find(({ name }) => name === image)).toMatchObject({
      sizeBytes: expect.any(Number),
      createdAt: expect.any(Number),
    });
    expect(listed.filter(({ name }) => name.includes('<none>') || name === PAUSE_IMAGE)).toEqual([]);
  });

  it('are asked for again with "always"', async () => {
    const image = newImage();
    const first = await runtime.ensureImage(image, 'always', {});
    names.push(first);
    registry.renew();
    expect(await runtime.ensureImage(image, 'if-missing', {})).toBe(first);
    expect(await runtime.ensureImage(image, 'always', {})).not.toBe(first);
  });

  it('without a tag mean latest', async () => {
    const image = newImage('untagged', '');
    await runtime.ensureImage(image, 'if-missing', {});
    expect(registry.asked.some((one) => one.endsWith('/manifests/latest'))).toBe(true);
  });

  it('are pulled once for all who want them at the same time', async () => {
    const image = newImage();
    const { opened, open } = gate();
    registry.holdLayers(opened);
    const all = Array.from({ length: 5 }, () => runtime.ensureImage(image, 'if-missing', {}));
    await waitFor(() => layersAsked(image) > 0, { what: 'the pull to begin' });
    const late = runtime.ensureImage(image, 'always', {});
    open();
    const ids = await Promise.all([...all, late]);
    expect(new Set(ids).size).toBe(1);
    expect(layersAsked(image)).toBe(1);
  });

  it('are still pulled for the others when one gives up', async () => {
    const image = newImage();
    const { opened, open } = gate();
    registry.holdLayers(opened);
    const impatient = runtime.ensureImage(image, 'if-missing', { signal: AbortSignal.timeout(200) });
    const patient = runtime.ensureImage(image, 'if-missing', {});
    await expect(impatient).rejects.toMatchObject({ code: 'timed_out' });
    open();
    expect(await patient).toMatch(/^sha256:/);
  });

  it('are no longer pulled when nobody waits', async () => {
    const image = newImage();
    const { opened, open } = gate();
    registry.holdLayers(opened);
    const impatient = runtime.ensureImage(image, 'if-missing', { signal: AbortSignal.timeout(1_000) });
    await waitFor(() => layersAsked(image) > 0, { what: 'the pull to begin' });
    await expect(impatient).rejects.toMatchObject({ code: 'timed_out' });
    open();
    // The engine asks for the layer once more: what the stopped pull had of it is thrown away.
    expect(await runtime.ensureImage(image, 'if-missing', {})).toMatch(/^sha256:/);
    expect(layersAsked(image)).toBe(2);
  });

  it('that the registry does not have are not found', async () => {
    await expect(runtime.ensureImage(newImage('missing'), 'if-missing', {})).rejects.toMatchObject({
      code: 'image_not_found',
    });
  });

  it('cannot be pulled from a registry that fails or is away', async () => {
    registry.setBroken(true);
    await expect(runtime.ensureImage(newImage(), 'if-missing', {})).rejects.toMatchObject({
      code: 'image_pull_failed',
      retryable: true,
    });
    registry.setBroken(false);
    await expect(runtime.ensureImage('127.0.0.1:1/some/image:1', 'always', {})).rejects.toMatchObject({
      code: 'image_pull_failed',
      retryable: true,
      message: expect.stringContaining('127.0.0.1:1/some/image:1'),
    });
  });

  it('come although the connection to the registry breaks in the middle', async () => {
    const image = newImage();
    registry.cutLayers(1);
    expect(await runtime.ensureImage(image, 'if-missing', {})).toMatch(/^sha256:/);
    expect(layersAsked(image)).toBeGreaterThan(1);
  });

  it('on whose way nothing comes any more are given up', async () => {
    const image = newImage();
    const { opened, open } = gate();
    registry.holdLayers(opened);
    const impatient = await openDockerRuntime({
      dockerHost: '',
      log: silentLog(),
      networkSlots: 0,
      workerId,
      pullStallMs: 1_000,
    });
    await expect(impatient.ensureImage(image, 'if-missing', {})).rejects.toMatchObject({
      code: 'image_pull_failed',
      retryable: true,
      message: `the pull of "${image}" stood still for 1 seconds`,
    });
    open();
    expect(await impatient.ensureImage(image, 'if-missing', {})).toMatch(/^sha256:/);
    await impatient.close();
  });

  it.each(['../containers/json', 'x/json?a', 'UPPER', 'a b', '', '-x', 'a@sha256:short', 'x:y:z'])(
    'named "%s" are refused before the engine is asked',
    async (image) => {
      for (const policy of ['never', 'always'] as const) {
        await expect(runtime.ensureImage(image, policy, {})).rejects.toMatchObject({
          code: 'image_not_found',
          message: expect.stringContaining('not a valid image reference'),
        });
      }
    },
  );

  it('may be named by their content', async () => {
    const image = newImage();
    const id = await runtime.ensureImage(image, 'if-missing', {});
    expect(await runtime.ensureImage(id, 'if-missing', {})).toBe(id);
    await expect(runtime.ensureImage(`sha256:${'0'.repeat(64)}`, 'if-missing', {})).rejects.toMatchObject({
      code: 'image_not_found',
    });
  });

  it('run with their own command when the task names none', async () => {
    const image = newImage();
    await runtime.ensureImage(image, 'if-missing', {});
    const id = await runtime.create(makeContainerSpec(workerId, { image, command: null }));
    const { Config } = await docker.getContainer(id).inspect();
    expect([Config.Entrypoint, Config.Cmd]).toEqual([null, ['/program']]);
    await runtime.remove(id);
    const gone = makeContainerSpec(workerId, { image: 'cloudai/no-such-image:1' });
    await expect(runtime.create(gone)).rejects.toMatchObject({ code: 'image_not_found' });
  });
});
