// What a process has cost so far, from /proc. Linux only.

import { readFile } from 'node:fs/promises';

/** Clock ticks a second of /proc, fixed in every Linux that Node runs on. */
const TICKS = 100;

export interface Cost {
  /** Processor time, seconds. */
  readonly cpu: number;
  /** Resident now, megabytes. */
  readonly memory: number;
}

export async function costOf(pid: number): Promise<Cost> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? '0';
  return { cpu: (Number(fields[11]) + Number(fields[12])) / TICKS, memory: Number(rss) / 1_024 };
}
