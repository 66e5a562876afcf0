// Measured use of the machine's NVIDIA devices. The tool is asked itself, as when the machine is looked over at the
// start: it alone names devices by the ids tasks get them by, and a tool that hangs can be killed.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { GpuUsage } from '../../shared/model/worker.ts';

const DEADLINE_MS = 8_000;
const QUERY = ['--query-gpu=uuid,utilization.gpu,memory.used,memory.total', '--format=csv,noheader,nounits'];

/** Throws when the tool is not there, fails or hangs. */
export async function readGpuUsage(gpuIds: readonly string[]): Promise<GpuUsage[]> {
  const limits = { timeout: DEADLINE_MS, killSignal: 'SIGKILL', maxBuffer: 1_048_576 } as const;
  const { stdout } = await promisify(execFile)('nvidia-smi', QUERY, limits);
  return parseGpuUsage(stdout, gpuIds);
}

/** Lines such as `GPU-5a5d…, 37, 10240, 40960`, in the order of `gpuIds`; what is not available counts as 0. */
export function parseGpuUsage(text: string, gpuIds: readonly string[]): GpuUsage[] {
  const rows = text.split('\n').map((line) => line.split(',').map((cell) => cell.trim()));
  const byId = new Map(rows.map(([id = '', ...cells]) => [id, cells.map((cell) => Number(cell) || 0)]));
  return gpuIds.flatMap((id) => {
    const cells = byId.get(id);
    if (!cells) return [];
    const [utilizationPercent = 0, memoryUsedMb = 0, memoryTotalMb = 0] = cells;
    return [{ id, utilizationPercent, memoryUsedMb, memoryTotalMb }];
  });
}
