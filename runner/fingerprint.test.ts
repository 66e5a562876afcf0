import { describe, expect, it } from 'vitest';
import { silentLog } from '../shared/platform/log.ts';
import { fingerprint, parseNvidia } from './fingerprint.ts';

const info = {
  kind: 'docker' as const,
  version: '20.10.24',
  os: 'linux',
  arch: 'x64',
  cpuCores: 8,
  memoryMb: 16_000,
  storageMb: 100_000,
  gpuSupport: false,
};
const unset = { cpus: null, memoryMb: null, storageMb: null, gpus: null };

describe('capacity', () => {
  it('is the machine less a reserve', async () => {
    const { capacity } = await fingerprint({ ...unset, gpus: 0 }, info, silentLog());
    expect(capacity).toEqual({ cpuMillis: 8_000, memoryMb: 15_200, gpus: 0, storageMb: 90_000 });
  });

  it('of a small machine is never less than half of it', async () => {
    const tiny = { ...info, memoryMb: 300, storageMb: 900 };
    const { capacity } = await fingerprint({ ...unset, gpus: 0 }, tiny, silentLog());
    expect(capacity).toMatchObject({ memoryMb: 150, storageMb: 450 });
  });

  it('is what the settings say', async () => {
    const machine = await fingerprint({ cpus: 1.5, memoryMb: 512, storageMb: 0, gpus: 2 }, info, silentLog());
    expect(machine.capacity).toEqual({ cpuMillis: 1_500, memoryMb: 512, gpus: 2, storageMb: 0 });
    expect(machine.gpuIds).toEqual(['gpu-0', 'gpu-1']);
    expect(machine.fingerprint).toMatchObject({ cpuCores: 8, memoryMb: 16_000, runtimeVersion: '20.10.24' });
  });
});

describe('what nvidia-smi says', () => {
  it('is read line by line', () => {
    const text = 'GPU-1c2d, NVIDIA A100-SXM4-40GB\nGPU-3e4f, Tesla T4\n';
    expect(parseNvidia(text)).toEqual([
      { id: 'GPU-1c2d', model: 'NVIDIA A100-SXM4-40GB' },
      { id: 'GPU-3e4f', model: 'Tesla T4' },
    ]);
    expect(parseNvidia('No devices were found\n')).toEqual([]);
  });
});
