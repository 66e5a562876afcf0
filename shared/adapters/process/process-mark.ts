// Tells a process from a later one with the same number: by its start time and the boot of the machine.

import { readdir, readFile } from 'node:fs/promises';
import { readBootId } from '../../platform/boot-id.ts';

export interface ProcessMark {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process. */
  readonly startTicks: string;
  readonly bootId: string;
}

/**
 * Reads what the wrapper wrote: the process's own line of /proc/<pid>/stat and, behind it, the boot id. Null while
 * the line is not whole.
 */
export function readMark(text: string): ProcessMark | null {
  const [stat = '', bootId = ''] = text.split('\n');
  if (!text.endsWith('\n') || bootId === '') return null;
  const { pid, startTicks } = readStat(stat);
  return { pid, startTicks, bootId };
}

/**
 * True while this very process runs, or, when somebody killed it alone, while anything of its group runs. What has
 * ended and was not yet collected by its parent does not run.
 */
export async function isAlive(mark: ProcessMark): Promise<boolean> {
  if (await isOfEarlierBoot(mark)) return false;
  const own = await readProc(`/proc/${mark.pid}/stat`);
  // The number is not given away while a process of its group is left.
  if (own === null) return groupRuns(mark.pid);
  const { startTicks, state } = readStat(own);
  return startTicks === mark.startTicks && runs(state);
}

/** The machine has been started anew since. */
export async function isOfEarlierBoot({ bootId }: ProcessMark): Promise<boolean> {
  return (await readBootId()) !== bootId;
}

async function groupRuns(group: number): Promise<boolean> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readProc(`/proc/${pid}/stat`)));
  return stats.some((text) => {
    if (text === null) return false;
    const stat = readStat(text);
    return stat.group === group && runs(stat.state);
  });
}

function runs(state: string): boolean {
  return state !== 'Z' && state !== 'X';
}

async function readProc(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}

export interface ProcessStat {
  readonly pid: number;
  readonly group: number;
  readonly startTicks: string;
  readonly state: string;
  /** Processor time of the process and of its children that have ended, in the kernel's ticks. */
  readonly ticks: number;
}

export function readStat(stat: string): ProcessStat {
  // `pid (name) state …`: the name may hold spaces and brackets, so what follows is counted from the last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    pid: Number.parseInt(stat, 10),
    group: Number(fields[2]),
    startTicks: fields[19] ?? '',
    state: fields[0] ?? '',
    ticks: fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0),
  };
}
