// What a figure was measured on, printed with every benchmark.

import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';

export function machineLine(): string {
  const [first] = cpus();
  const docker = tryRun('docker', ['version', '--format', '{{.Server.Version}}']);
  return [
    `${cpus().length} × ${first?.model.trim() ?? 'cpu'}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `kernel ${release()}`,
    `Node ${process.versions.node}`,
    docker ? `Docker ${docker}` : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}

function tryRun(command: string, args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

/** The q-quantile of `values` by the nearest-rank method, in the unit of the values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN;
}
