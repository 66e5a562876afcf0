// What the processes of a group use together, from /proc.

import { readdir, readFile } from 'node:fs/promises';
import type { ContainerUsage } from '../../model/usage.ts';
import { readStat } from './process-mark.ts';

/** The kernel counts processor time for programs in hundredths of a second, on every machine. */
const MS_PER_TICK = 10;
const KB_PER_MB = 1_024;

export async function groupUsage(group: number): Promise<ContainerUsage> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  let ticks = 0;
  let memoryKb = 0;
  for (const pid of pids) {
    const stat = await read(`/proc/${pid}/stat`);
    if (stat === null) continue;
    const found = readStat(stat);
    if (found.group !== group) continue;
    ticks += found.ticks;
    const status = await read(`/proc/${pid}/status`);
    memoryKb += Number(/^VmRSS:\s+(\d+) kB/m.exec(status ?? '')?.[1] ?? 0);
  }
  return {
    at: Date.now(),
    cpuMs: ticks * MS_PER_TICK,
    memoryMb: memoryKb / KB_PER_MB,
    // Plain processes share the machine's network; nobody counts for them.
    networkReceivedBytes: 0,
    networkSentBytes: 0,
  };
}

async function read(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}
