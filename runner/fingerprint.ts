// What this machine is and what of it tasks may use: from the container engine, which may live on another host than
// the runner's own process, and from the settings, which win.
//
// Default capacity: all cores; memory less a reserve of 5 % (at least 256 MB, at most 2 GB) for the system and the
// runner; free disk less 10 % (at least 1 GB) so that images and logs find room. A small machine keeps half.

import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { promisify } from 'node:util';
import type { WorkerFingerprint } from '../shared/model/worker.ts';
import type { RunnerConfig } from '../shared/platform/config/runner.ts';
import type { Log } from '../shared/platform/log.ts';
import { readVersion } from '../shared/platform/version.ts';
import type { RuntimeInfo } from '../shared/ports/container-runtime.ts';
import type { Capacity } from './core/capacity-ledger.ts';

export interface Machine extends Capacity {
  readonly fingerprint: WorkerFingerprint;
}

interface Gpu {
  readonly id: string;
  readonly model: string;
}

const NVIDIA_SMI_DEADLINE_MS = 10_000;

export type CapacityConfig = Pick<RunnerConfig, 'cpus' | 'memoryMb' | 'storageMb' | 'gpus'>;

export async function fingerprint(config: CapacityConfig, info: RuntimeInfo, log: Log): Promise<Machine> {
  const gpus = config.gpus === null ? await findGpus(info, log) : simulatedGpus(config.gpus);
  return {
    capacity: {
      cpuMillis: Math.round((config.cpus ?? info.cpuCores) * 1_000),
      memoryMb: config.memoryMb ?? less(info.memoryMb, clamp(info.memoryMb * 0.05, 256, 2_048)),
      gpus: gpus.length,
      storageMb: config.storageMb ?? less(info.storageMb, Math.max(info.storageMb * 0.1, 1_024)),
    },
    gpuIds: gpus.map(({ id }) => id),
    fingerprint: {
      os: info.os,
      arch: info.arch,
      cpuModel: cpus()[0]?.model.trim() || 'unknown',
      cpuCores: info.cpuCores,
      memoryMb: info.memoryMb,
      storageMb: info.storageMb,
      gpuModels: gpus.map(({ model }) => model),
      runtime: info.kind,
      runtimeVersion: info.version,
      version: readVersion(),
      ...(info.taskNetwork
        ? {
            taskNetwork: info.taskNetwork.guarded ? ('guarded' as const) : ('open' as const),
            ...(info.taskNetwork.why === null ? {} : { taskNetworkWhy: info.taskNetwork.why }),
          }
        : {}),
    },
  };
}

/** Never less than half is left, however small the machine. */
function less(whole: number, reserve: number): number {
  return Math.floor(Math.max(whole - reserve, whole / 2, 0));
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function simulatedGpus(count: number): Gpu[] {
  return Array.from({ length: count }, (_, n) => ({ id: `gpu-${n}`, model: 'simulated' }));
}

async function findGpus(info: RuntimeInfo, log: Log): Promise<Gpu[]> {
  const found = await queryNvidia(log);
  if (found.length > 0 && !info.gpuSupport) {
    log.warn(
      { gpus: found.length },
      'the container engine cannot give GPUs to containers; they are not offered',
    );
    return [];
  }
  return found;
}

async function queryNvidia(log: Log): Promise<Gpu[]> {
  try {
    const { stdout } = await promisify(execFile)(
      'nvidia-smi',
      ['--query-gpu=uuid,name', '--format=csv,noheader'],
      { timeout: NVIDIA_SMI_DEADLINE_MS },
    );
    return parseNvidia(stdout);
  } catch (error) {
    // Not there is the usual case.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') log.warn({ err: error }, 'nvidia-smi failed');
    return [];
  }
}

/** Lines such as `GPU-5a5d…, NVIDIA A100-SXM4-40GB`. */
export function parseNvidia(text: string): Gpu[] {
  return text
    .split('\n')
    .map((line) => line.split(','))
    .filter(([id]) => id?.trim().startsWith('GPU-'))
    .map(([id = '', ...model]) => ({ id: id.trim(), model: model.join(',').trim() }));
}
