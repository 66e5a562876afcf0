// What a task's container may do: the limits the engine was told, and what a program inside finds.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDockerRuntime } from '../../../shared/adapters/docker/open.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import type { ContainerRuntime, ContainerSpec } from '../../../shared/ports/container-runtime.ts';
import { TEST_IMAGE, uniqueName } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { docker, slotsOf } from './engine.ts';
import { makeContainerSpec, removeAll, runToEnd } from './runs.ts';

describe.each([0, 2])('a container of the Docker runtime with %i network slots', (networkSlots) => {
  const workerId = uniqueName('w-');
  let runtime: ContainerRuntime;
  const spec = (over: Partial<ContainerSpec>) => makeContainerSpec(workerId, over);
  const output = async (over: Partial<ContainerSpec>) => (await runToEnd(runtime, spec(over))).ear.stdout;

  beforeAll(async () => {
    runtime = await openDockerRuntime({ dockerHost: '', log: silentLog(), networkSlots, workerId });
    await runtime.list(workerId);
    await waitFor(async () => (await slotsOf(workerId)).length === networkSlots, {
      what: 'warm slots',
      deadlineMs: 30_000,
    });
  });
  afterAll(async () => {
    await removeAll(runtime, workerId);
    await runtime.close();
  });

  it('has the limits that were asked for', async () => {
    const resources = { cpuMillis: 1_250, memoryMb: 96, gpus: 0, storageMb: 500 };
    const id = await runtime.create(spec({ attempt: 3, resources, pidsLimit: 77, gpuIds: ['sim-1'] }));
    const { HostConfig, Config, Name } = await docker.getContainer(id).inspect();
    expect(HostConfig).toMatchObject({
      NanoCpus: 1_250_000_000,
      Memory: 96 * 2 ** 20,
      MemorySwap: 96 * 2 ** 20,
      PidsLimit: 77,
      Privileged: false,
      AutoRemove: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Binds: null,
      PortBindings: {},
      RestartPolicy: { Name: 'no' },
    });
    expect(Config.Labels).toMatchObject({
      'cloudai.attempt': '3',
      'cloudai.worker': workerId,
      'cloudai.gpus': 'sim-1',
    });
    expect(Name).toBe(`/cloudai-${Config.Labels['cloudai.task']}-3`);
    expect(HostConfig.DeviceRequests).toBeNull();
  });

  it('gets no more cores than the machine has', async () => {
    const { NCPU } = await docker.info();
    const resources = { cpuMillis: (NCPU + 1) * 1_000, memoryMb: 64, gpus: 0, storageMb: 0 };
    const id = await runtime.create(spec({ resources }));
    expect((await docker.getContainer(id).inspect()).HostConfig.NanoCpus).toBe(NCPU * 1e9);
  });

  it('asks the engine for real devices by their ids', async () => {
    const id = await runtime.create(spec({ gpuIds: ['GPU-8f1c0e9a'] }));
    expect((await docker.getContainer(id).inspect()).HostConfig.DeviceRequests).toMatchObject([
      { DeviceIDs: ['GPU-8f1c0e9a'], Capabilities: [['gpu']] },
    ]);
    const { gpuSupport } = await runtime.info();
    if (!gpuSupport)
      await expect(runtime.start(id)).rejects.toMatchObject({ code: 'container_start_failed' });
  });

  it('has only the capabilities that are kept, and cannot gain any', async () => {
    const status = await output({ command: 'cat /proc/self/status' });
    // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID are the bits 0, 1, 3, 4, 5, 6, 7.
    for (const set of ['CapEff', 'CapPrm', 'CapBnd'])
      expect(status).toMatch(new RegExp(`^${set}:\\s+00000000000000fb$`, 'm'));
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Seccomp:\s+2$/m);
  });

  it('may do what entry points do, and not what changes the network or the machine', async () => {
    const tries = [
      'chown 1000 /tmp',
      'su -s /bin/true nobody 2>/dev/null || true',
      'ip link set lo down',
      'ip addr add 10.9.9.9/8 dev lo',
      'mknod /tmp/disk b 8 0',
      'mount -t tmpfs x /tmp',
      'hostname other',
      'ping -c 1 -W 1 127.0.0.1',
      'echo 1 > /proc/sys/net/ipv4/ip_forward',
    ];
    const command = tries.map((one) => `(${one}) >/dev/null 2>&1; echo $?`).join('; ');
    const codes = (await output({ command, network: 'bridge' })).trim().split('\n').map(Number);
    expect(codes.slice(0, 2)).toEqual([0, 0]);
    expect(codes.slice(2).every((code) => code !== 0)).toBe(true);
    expect(codes).toHaveLength(tries.length);
  });

  it('cannot start more processes than its limit', async () => {
    const command = 'for n in $(seq 40); do sleep 5 & done; echo all';
    const { ear, status } = await runToEnd(runtime, spec({ command, pidsLimit: 12 }));
    expect(ear.stdout).not.toContain('all');
    expect(ear.stderr).toMatch(/fork|resource/i);
    expect(status.exitCode).not.toBe(0);
  });

  it('has no way out with network none', async () => {
    const seen = await output({ command: 'ip -o addr; ip route; echo end', network: 'none' });
    expect(seen).not.toMatch(/eth0|default|172\./);
    expect(seen).toContain('127.0.0.1');
    expect(seen).toContain('end');
  });

  it('has a route with network bridge', async () => {
    expect(await output({ command: 'ip route', network: 'bridge' })).toMatch(/default via/);
  });

  it('sees no sign of other containers', async () => {
    const seen = await output({ command: 'ps -o pid,args | wc -l; ls / | grep -c dockerenv' });
    expect(Number(seen.split('\n')[0])).toBeLessThan(6);
  });

  it.skipIf(networkSlots > 0)('is held to the policy of its worker', async () => {
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
    };
    const strict = await openDockerRuntime({
      dockerHost: '',
      log: silentLog(),
      networkSlots,
      workerId,
      containers: {
        imageAllow: ['registry.example.com/*', TEST_IMAGE],
        readOnlyRoot: true,
        user: '1234:5678',
        seccompProfile: JSON.stringify(profile),
      },
    });
    try {
      const tries = [
        'id -u',
        'id -g',
        'echo x > /tmp/a; ls -n /tmp/a',
        'echo x > /etc/a || echo read-only',
        'mkdir /tmp/b || echo no-folder',
      ];
      const command = [...tries, 'echo kept > /output/a'].join('; ');
      await strict.ensureImage(TEST_IMAGE, 'never', {});
      const { id, ear, status } = await runToEnd(strict, spec({ command }));
      expect(status.exitCode).toBe(0);
      expect(ear.stdout).toMatch(/^1234\n5678\n.* 1234 .*\/tmp\/a\nread-only\nno-folder\n$/);
      const entries = [];
      for await (const entry of strict.readOutput(id)) {
        entries.push(entry.path);
        entry.content.resume();
      }
      expect(entries).toContain('a');
      await expect(strict.ensureImage('python:3.9', 'if-missing', {})).rejects.toThrow(/IMAGE_ALLOW/);
    } finally {
      await strict.close();
    }
  });

  it('needs a command when the image has none', async () => {
    await expect(runtime.create(spec({ command: [] }))).rejects.toMatchObject({
      code: 'container_start_failed',
    });
  });
});
