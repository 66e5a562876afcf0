import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../shared/platform/log.ts';
import { tempDir } from '../../test/support/servers.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { parseGpuUsage } from './gpu-usage.ts';
import { MachineUsage } from './machine-usage.ts';
import { outwardInterfaces } from './network-interfaces.ts';

const log = silentLog();
const { PATH } = process.env;
const removals: (() => Promise<void>)[] = [];
afterEach(async () => {
  process.env.PATH = PATH;
  for (const remove of removals.splice(0)) await remove();
});

async function folder(): Promise<string> {
  const { path, remove } = await tempDir();
  removals.push(remove);
  return path;
}

/** A tool of that name in front of all others. */
async function tool(name: string, script: string): Promise<void> {
  const path = await folder();
  await writeFile(`${path}/${name}`, `#!/bin/sh\n${script}\n`);
  await chmod(`${path}/${name}`, 0o755);
  process.env.PATH = `${path}:${PATH}`;
}

describe('the use of this machine', () => {
  it('is measured', async () => {
    const usage = new MachineUsage({ directory: await folder(), gpuIds: [], log });
    const until = performance.now() + 60;
    while (performance.now() < until);
    // On a busy machine the first answer may come without what was not read in time.
    const measured = await waitFor(
      async () => {
        const now = await usage.measure();
        return now.memoryUsedMb > 0 && now.storageUsedMb > 0 && now.cpuPercent > 0 ? now : null;
      },
      { what: 'a whole measurement' },
    );
    expect(measured.cpuPercent).toBeLessThanOrEqual(100);
    expect(measured.memoryUsedMb).toBeGreaterThan(10);
    expect(measured.memoryUsedMb).toBeLessThan(totalmem() / 2 ** 20);
    expect(measured.storageUsedMb).toBeGreaterThan(0);
    expect(measured).toMatchObject({ networkReceiveRate: 0, networkTransmitRate: 0, gpus: [] });
  });

  it('has an entry for each real device, by the id tasks know it by', async () => {
    await tool('nvidia-smi', `echo 'GPU-b, 7, 100, 40960'; echo 'GPU-a, 93, 2048, 40960'`);
    const usage = new MachineUsage({ directory: await folder(), gpuIds: ['GPU-a', 'GPU-b'], log });
    const { gpus } = await waitFor(
      async () => {
        const measured = await usage.measure();
        return measured.gpus.length > 0 ? measured : null;
      },
      { what: 'the devices' },
    );
    expect(gpus).toEqual([
      { id: 'GPU-a', utilizationPercent: 93, memoryUsedMb: 2_048, memoryTotalMb: 40_960 },
      { id: 'GPU-b', utilizationPercent: 7, memoryUsedMb: 100, memoryTotalMb: 40_960 },
    ]);
  });

  it('does not wait for a tool that hangs, nor fail for one that is missing', async () => {
    await tool('nvidia-smi', 'exec sleep 5');
    const hung = new MachineUsage({ directory: await folder(), gpuIds: ['GPU-a'], log });
    expect((await hung.measure()).gpus).toEqual([]);
    process.env.PATH = await folder();
    const missing = new MachineUsage({ directory: '/no/such/folder', gpuIds: ['GPU-a'], log });
    expect(await missing.measure()).toMatchObject({ storageUsedMb: 0, gpus: [] });
  });
});

describe('what nvidia-smi prints', () => {
  it('is read, with gaps as nothing', () => {
    const text = 'GPU-1, [N/A], 3, 80\n\nGPU-9, 1, 2, 3\nGPU-2, 0, 0, 80\n';
    expect(parseGpuUsage(text, ['GPU-1', 'GPU-2', 'GPU-3'])).toEqual([
      { id: 'GPU-1', utilizationPercent: 0, memoryUsedMb: 3, memoryTotalMb: 80 },
      { id: 'GPU-2', utilizationPercent: 0, memoryUsedMb: 0, memoryTotalMb: 80 },
    ]);
    expect(parseGpuUsage('NVIDIA-SMI has failed\n', ['GPU-1'])).toEqual([]);
  });
});

describe('network interfaces', () => {
  it('are the physical ones where there are any', async () => {
    const sys = await folder();
    for (const path of ['lo', 'eth1/device', 'eth0/device', 'eth0/brport', 'br0/bridge', 'veth1/brport']) {
      await mkdir(`${sys}/${path}`, { recursive: true });
    }
    expect(await outwardInterfaces(sys)).toEqual(['eth0', 'eth1']);
  });

  it('are those with an address elsewhere', async () => {
    expect(await outwardInterfaces('/no/such/folder')).not.toContain('lo');
  });
});
