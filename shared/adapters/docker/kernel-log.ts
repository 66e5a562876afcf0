// Whether the kernel killed a process of a container for memory, from the kernel's own log. A second source: some
// engines miss it (seen with Docker 20.10 where not every cgroup v1 hierarchy is mounted: "loading cgroup for 17721:
// cgroups: cannot find cgroup mount destination"). Only for an engine on this machine; says nothing where the log
// may not be read.

import { closeSync, constants, openSync, readSync } from 'node:fs';

/** One record at most; the kernel's own limit. */
const RECORD_BYTES = 8_192;
/** Ids kept, the latest. */
const KEPT = 1_000;
/** Records read in one go: more than any usual log buffer holds. */
const MOST_RECORDS = 100_000;

export interface KernelLog {
  /** True when the log tells of such a kill. The container must have ended: the kernel writes before it kills. */
  killedForMemory(containerId: string): boolean;
  close(): void;
}

export const NO_KERNEL_LOG: KernelLog = { killedForMemory: () => false, close: () => undefined };

export function openKernelLog(path = '/dev/kmsg'): KernelLog {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return NO_KERNEL_LOG;
  }
  const killed = new Set<string>();
  const record = Buffer.alloc(RECORD_BYTES);

  /** Reads what has come since the last time; a read gives one record. */
  const catchUp = () => {
    for (let n = 0; n < MOST_RECORDS; n += 1) {
      try {
        const bytes = readSync(file, record, 0, RECORD_BYTES, null);
        if (bytes === 0) return;
        const id = memoryKillOf(record.toString('latin1', 0, bytes));
        if (id !== null) killed.add(id);
      } catch (error) {
        // EPIPE: records were written over before they were read; the next read goes on behind them.
        if ((error as NodeJS.ErrnoException).code !== 'EPIPE') return;
      }
    }
  };

  return {
    killedForMemory(containerId) {
      catchUp();
      for (const old of [...killed].slice(0, Math.max(0, killed.size - KEPT))) killed.delete(old);
      return killed.has(containerId);
    },
    close: () => closeSync(file),
  };
}

/**
 * The container in a record like this, or null:
 * 6,812,5840027221,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=4059…,mems_allowed=0,oom_memcg=/docker/4059…,task_memcg=/docker/4059…,task=tail,pid=16837,uid=0
 * With systemd the group is called …/docker-4059….scope.
 */
export function memoryKillOf(record: string): string | null {
  if (!record.includes('oom-kill:constraint=CONSTRAINT_MEMCG')) return null;
  return /oom_memcg=[^,]*?([0-9a-f]{64})/.exec(record)?.[1] ?? null;
}
