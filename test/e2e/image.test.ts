// The image that infra/Dockerfile makes, and its three roles in containers: a cluster of its own that runs a task.

import { randomBytes } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { WorkerBody } from '../../shared/contracts/workers.ts';
import { ask, freePort, type Reply } from '../support/cluster.ts';
import { buildImage, makeBase, makeBuilt, PACKAGES } from '../support/image-build.ts';
import { redisUrl, TEST_IMAGE, tempDir, uniqueName } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';

const SOCKET = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '');
const SECOND_NS = 1_000_000_000;

describe('the image', () => {
  const docker = new Docker();
  const name = uniqueName('cloudai-test-');
  const image = `${name}:image`;
  const containers: Docker.Container[] = [];
  let secrets: Awaited<ReturnType<typeof tempDir>>;
  let url: string;
  let token = '';

  beforeAll(async () => {
    secrets = await tempDir();
    // For the user of the image.
    await chmod(secrets.path, 0o755);
    await writeFile(join(secrets.path, 'jwt-secret'), `${randomBytes(32).toString('hex')}\n`, {
      mode: 0o644,
    });
    const images = { base: `${name}:base`, built: `${name}:built` };
    await Promise.all([makeBase(docker, images.base), makeBuilt(docker, images.built)]);
    await buildImage(docker, images, image);
    await docker.createVolume({ Name: name });
  });
  afterAll(async () => {
    await Promise.allSettled(containers.map((one) => one.remove({ force: true, v: true })));
    await docker
      .getVolume(name)
      .remove()
      .catch(() => undefined);
    for (const tag of ['image', 'built', 'base']) {
      await docker
        .getImage(`${name}:${tag}`)
        .remove({ force: true })
        .catch(() => undefined);
    }
    await secrets?.remove();
  });

  /** As infra/compose.yaml starts them, on the network of the tests. */
  async function start(role: string[], env: Record<string, string> = {}, socket: string[] = []) {
    const container = await docker.createContainer({
      Image: image,
      Cmd: role,
      ...(socket.length > 0 ? { User: '0:0' } : {}),
      Env: Object.entries({ REDIS_URL: redisUrl, REDIS_PREFIX: name, ...env }).map((pair) => pair.join('=')),
      // Its test is the image's own.
      Healthcheck: { Test: [], Interval: SECOND_NS },
      HostConfig: {
        NetworkMode: 'host',
        ReadonlyRootfs: true,
        Tmpfs: { '/tmp': '' },
        CapDrop: ['ALL'],
        ...(socket.length > 0 ? { CapAdd: ['DAC_OVERRIDE', 'NET_ADMIN'] } : {}),
        SecurityOpt: ['no-new-privileges'],
        Binds: [
          `${name}:/data`,
          `${secrets.path}:/run/secrets:ro`,
          `${PACKAGES}:/app/node_modules:ro`,
          ...socket,
        ],
      },
    });
    containers.push(container);
    await container.start();
    return container;
  }

  async function untilReady(api: Docker.Container): Promise<void> {
    await waitFor(
      async () => {
        const { State } = await api.inspect();
        if (!State.Running) return 'ended';
        return (await fetch(`${url}/readyz`)).status === 200 && 'ready';
      },
      { what: '/readyz', deadlineMs: 90_000, everyMs: 100 },
    );
    const { State } = await api.inspect();
    if (!State.Running) throw new Error(`the API ended: ${(await ended(api)).said}`);
  }

  async function ended(container: Docker.Container): Promise<{ code: number; said: string }> {
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    const said = (await container.logs({ stdout: true, stderr: true })) as unknown as Buffer;
    return { code: StatusCode, said: said.toString() };
  }

  const call = <T>(method: string, path: string, body?: unknown): Promise<Reply<T>> =>
    ask<T>(url, { token, deadlineMs: 60_000 }, method, path, body);

  it('runs as no root, keeps its data in a volume and ends on SIGTERM', async () => {
    const { Config } = await docker.getImage(image).inspect();
    expect(Config).toMatchObject({ User: '1000:1000', Volumes: { '/data': {} }, StopSignal: 'SIGTERM' });
  });

  it('says what roles there are, and what settings lack', async () => {
    const wrong = await start(['worker']);
    const bare = await start(['api']);
    const [role, settings] = await Promise.all([ended(wrong), ended(bare)]);
    expect(role.code).toBe(64);
    expect(role.said).toContain('"worker" is no role of this image');
    expect(role.said).toMatch(/api .*\n.*scheduler .*\n.*runner /);
    expect(settings.code).toBe(78);
    expect(settings.said).toContain('JWT_SECRET is required (or JWT_SECRET_FILE)');
  });

  it('is an API, a scheduler and a runner that run a task, tell their health and stop when told to', async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const apiEnv = {
      PORT: String(port),
      HOST: '127.0.0.1',
      GRPC_PORT: 'off',
      JWT_SECRET_FILE: '/run/secrets/jwt-secret',
    };
    const api = await start(['api'], apiEnv);
    await untilReady(api);
    // One after the other, so that none is made after a failure of another.
    const others = [
      await start(['scheduler']),
      await start(['runner'], { WORKER_ID: name, NETWORK_SLOTS: '0' }, [`${SOCKET}:/var/run/docker.sock`]),
    ];
    expect(await (await fetch(url)).text()).toContain('<!doctype html>');

    const person = { username: 'alice', password: 'secure123' };
    await call('POST', '/api/auth/register', person);
    token = (await call<{ token: string }>('POST', '/api/auth/login', person)).body.token;
    const task = {
      docker_image: TEST_IMAGE,
      command: 'echo shipped',
      cpu_required: 0.1,
      memory_required: 16,
    };
    const { body } = await call<TaskBody>('POST', '/api/tasks', task);
    const done = await waitFor(
      async () => {
        const now = (await call<TaskBody>('GET', `/api/tasks/${body.task_id}`)).body;
        return ['completed', 'failed'].includes(now.status) ? now : null;
      },
      { what: 'the task to end', deadlineMs: 60_000 },
    );
    expect(done).toMatchObject({ status: 'completed', worker_id: name, exit_code: 0 });
    expect((await call<string>('GET', `/api/tasks/${body.task_id}/logs`)).body).toBe('shipped\n');
    // By its own iptables, on the network of its machine.
    const { body: worker } = await call<WorkerBody>('GET', `/workers/${name}`);
    expect(worker.fingerprint).toMatchObject({ task_network: 'guarded', task_network_why: null });

    for (const container of [api, ...others]) {
      await waitFor(async () => (await container.inspect()).State.Health?.Status === 'healthy', {
        what: 'a healthy container',
      });
    }
    await Promise.all([api, ...others].map((one) => one.kill({ signal: 'SIGTERM' })));
    const codes = await Promise.all([api, ...others].map(async (one) => (await ended(one)).code));
    expect(codes).toEqual([0, 0, 0]);
  });
});
