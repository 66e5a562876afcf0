// Measured use of this machine, cheap enough for every heartbeat.

import { statfs } from 'node:fs/promises';
import { cpus, freemem, totalmem } from 'node:os';
import { NO_USAGE, type WorkerUsage } from '../../shared/model/worker.ts';

const MB = 1_024 * 1_024;

export class MachineUsage {
  readonly #directory: string;
  #before = cpuTimes();

  /** @param directory on the disk whose use counts */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** CPU is the mean since the last call. */
  async measure(): Promise<WorkerUsage> {
    const now = cpuTimes();
    const { busy, all } = { busy: now.busy - this.#before.busy, all: now.all - this.#before.all };
    this.#before = now;
    const disk = await statfs(this.#directory).catch(() => null);
    return {
      ...NO_USAGE,
      cpuPercent: all > 0 ? Math.round((busy / all) * 1_000) / 10 : 0,
      memoryUsedMb: Math.round((totalmem() - freemem()) / MB),
      storageUsedMb: disk ? Math.round(((disk.blocks - disk.bfree) * disk.bsize) / MB) : 0,
    };
  }
}

function cpuTimes(): { busy: number; all: number } {
  let busy = 0;
  let all = 0;
  for (const { times } of cpus()) {
    const used = times.user + times.nice + times.sys + times.irq;
    busy += used;
    all += used + times.idle;
  }
  return { busy, all };
}
