// What is decided without an engine: addresses, settings of a container, the pause program, the tally of a pull.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeContainerSpec } from '../../../test/conformance/runtime/runs.ts';
import { tempDir } from '../../../test/support/servers.ts';
import { readDockerHost } from './connection.ts';
import { containerSettings } from './container-settings.ts';
import { readFacts } from './engine-facts.ts';
import { pauseProgram } from './pause-image.ts';
import { createPullTally } from './pull-progress.ts';

const described = {
  ServerVersion: '20.10',
  OSType: 'linux',
  Architecture: 'x86_64',
  NCPU: 4,
  MemTotal: 8 * 2 ** 30,
  Driver: 'overlay2',
  DriverStatus: [['Backing Filesystem', 'xfs']] as const,
  DockerRootDir: '/var/lib/docker',
  Plugins: { Log: ['json-file', 'local'] },
  Runtimes: { runc: {} },
};

describe('the address of an engine', () => {
  it.each([
    ['unix:///run/user/1000/docker.sock', { socketPath: '/run/user/1000/docker.sock', host: undefined }],
    ['tcp://10.0.0.5:2375', { protocol: 'http', host: '10.0.0.5', port: '2375' }],
    ['tcp://[::1]:2375', { protocol: 'http', host: '::1' }],
    ['tcp://engine', { protocol: 'http', host: 'engine', port: 2375 }],
    ['https://engine', { protocol: 'https', port: 2376 }],
    ['tcp://engine:2376', { protocol: 'https' }],
    ['ssh://ci@build-1', { protocol: 'ssh', host: 'build-1', username: 'ci', port: 22 }],
  ])('%s', (address, options) => {
    expect(readDockerHost(address, {}).options).toMatchObject(options);
  });

  it('must bring certificates along when it names a folder of them', () => {
    const env = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/no/such/folder' };
    expect(() => readDockerHost('tcp://engine:2375', env)).toThrow(/ca\.pem/);
  });
});

describe('the settings of a container', () => {
  const facts = readFacts(described);
  const choice = { networkMode: 'bridge', limitStorage: false, logMaxBytes: 1_000_000 };
  const settings = (over: Parameters<typeof makeContainerSpec>[1] = {}) =>
    containerSettings(makeContainerSpec('w', over), facts, choice);

  it('replace the entry point of the image by the command', () => {
    expect(settings({ command: 'a && b' }).Entrypoint).toEqual(['/bin/sh', '-c', 'a && b']);
    expect(settings({ command: ['a', 'b c'] }).Entrypoint).toEqual(['a', 'b c']);
    expect(settings({ command: null })).not.toHaveProperty('Entrypoint');
    expect(() => settings({ command: [] })).toThrow(/empty list/);
  });

  it('limit storage only when told to', () => {
    const spec = makeContainerSpec('w', {
      resources: { cpuMillis: 1, memoryMb: 6, gpus: 0, storageMb: 300 },
    });
    expect(containerSettings(spec, facts, { ...choice, limitStorage: true }).HostConfig?.StorageOpt).toEqual({
      size: '300m',
    });
    expect(containerSettings(spec, facts, choice).HostConfig).not.toHaveProperty('StorageOpt');
    expect(facts.mayLimitStorage).toBe(true);
    const ext4 = { ...described, DriverStatus: [['Backing Filesystem', 'extfs']] as const };
    expect(readFacts(ext4).mayLimitStorage).toBe(false);
  });

  it('let no task choose devices by itself', () => {
    const env = { NVIDIA_VISIBLE_DEVICES: 'all' };
    expect(settings({ env, gpuIds: ['gpu-1'] }).Env).toContain('NVIDIA_VISIBLE_DEVICES=gpu-1');
    const withGpus = readFacts({ ...described, Runtimes: { nvidia: {} } });
    const plain = containerSettings(makeContainerSpec('w', { env }), withGpus, choice);
    expect(plain.Env).toContain('NVIDIA_VISIBLE_DEVICES=void');
    expect(plain.Env).not.toContain('NVIDIA_VISIBLE_DEVICES=all');
  });

  it('ask the engine for real devices only', () => {
    const gpuIds = ['gpu-0', 'GPU-8f1c0e9a-1', 'MIG-0a'];
    expect(settings({ gpuIds }).HostConfig?.DeviceRequests).toMatchObject([
      { DeviceIDs: ['GPU-8f1c0e9a-1', 'MIG-0a'] },
    ]);
    expect(settings({ gpuIds: ['gpu-0'] }).HostConfig).not.toHaveProperty('DeviceRequests');
  });

  it('keep the log whole up to the limit, and bound it', () => {
    const spare = 64 * 2 ** 20;
    expect(settings().HostConfig?.LogConfig).toEqual({
      Type: 'local',
      Config: { 'max-size': String(2_000_000 + spare), 'max-file': '2', compress: 'false' },
    });
    const logOf = (Log: readonly string[]) =>
      containerSettings(makeContainerSpec('w'), readFacts({ ...described, Plugins: { Log } }), choice)
        .HostConfig?.LogConfig;
    expect(logOf(['json-file'])).toEqual({
      Type: 'json-file',
      Config: { 'max-size': String(6_000_000 + spare), 'max-file': '2' },
    });
    expect(logOf([])).toBeUndefined();
  });

  it('give a folder for output, input only to those who have it, and let no task rename them', () => {
    const env = { CLOUDAI_OUTPUT: '/etc', CLOUDAI_INPUT: '/root' };
    const plain = settings({ env, taskId: 'task-1', attempt: 1 });
    expect(plain.Env).toEqual(['CLOUDAI_OUTPUT=/output', 'CLOUDAI_INPUT=/input']);
    expect(plain.HostConfig?.Mounts).toMatchObject([
      { Type: 'volume', Target: '/output', Source: 'cloudai-output-task-1-1' },
    ]);
    const given = settings({ taskId: 'task-1', attempt: 2, hasInput: true });
    expect(given.HostConfig?.Mounts).toMatchObject([
      { Target: '/output' },
      { Type: 'volume', Target: '/input', Source: 'cloudai-input-task-1-2', ReadOnly: true },
    ]);
  });
});

describe('the pause program', () => {
  it('is an executable that sleeps until it is killed', async () => {
    if (process.platform !== 'linux' || process.arch !== 'x64') return;
    const dir = await tempDir();
    const path = `${dir.path}/pause`;
    writeFileSync(path, pauseProgram('x64'), { mode: 0o755 });
    const began = performance.now();
    // 124: `timeout` had to end it.
    expect(statusOf(['timeout', '0.3', path])).toBe(124);
    expect(performance.now() - began).toBeGreaterThan(250);
    await dir.remove();
  });

  it('is made for arm64 as well, with its instructions in place', () => {
    const program = pauseProgram('arm64');
    expect(program.readUInt16LE(18)).toBe(183);
    expect(program.length).toBe(64 + 56 + 8 * 4);
    // svc 0, then a branch back over seven instructions.
    expect(program.readUInt32LE(120 + 6 * 4)).toBe(0xd4000001);
    expect((program.readUInt32LE(120 + 7 * 4) << 6) >> 6).toBe(-7);
    expect(() => pauseProgram('mips')).toThrow(/mips/);
  });
});

function statusOf([command = '', ...args]: string[]): number | null {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return 0;
  } catch (error) {
    return (error as { status: number | null }).status;
  }
}

describe('the tally of a pull', () => {
  it('adds layers and their bytes up', () => {
    const tally = createPullTally();
    const lines = [
      { status: 'Pulling from library/x', id: 'latest' },
      { status: 'Already exists', id: 'a', progressDetail: {} },
      { status: 'Pulling fs layer', id: 'b', progressDetail: {} },
      { status: 'Pulling fs layer', id: 'c', progressDetail: {} },
      { status: 'Downloading', id: 'b', progressDetail: { current: 10, total: 100 } },
      { status: 'Downloading', id: 'c', progressDetail: { current: 50, total: 50 } },
      { status: 'Extracting', id: 'c', progressDetail: { current: 1, total: 50 } },
      { status: 'Pull complete', id: 'c', progressDetail: {} },
      { status: 'Digest: sha256:1' },
    ];
    for (const line of lines) tally.add(line);
    expect(tally.progress()).toEqual({ layersDone: 2, layersTotal: 3, bytesDone: 60, bytesTotal: 150 });
  });
});
