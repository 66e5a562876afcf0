// Measured use of this machine, cheap enough for every heartbeat and never a reason for one to be late: each reading
// is bounded in time. Processor time comes from Node itself; the library would run a shell for it, and wait for it.

import { statfs } from 'node:fs/promises';
import { cpus } from 'node:os';
import { mem, networkStats } from 'systeminformation';
import type { GpuUsage, WorkerUsage } from '../../shared/model/worker.ts';
import type { Log } from '../../shared/platform/log.ts';
import { Gauge } from './gauge.ts';
import { readGpuUsage } from './gpu-usage.ts';
import { outwardInterfaces } from './network-interfaces.ts';

const MB = 1_024 * 1_024;
/** These run a process each time, so they are not read with every heartbeat. */
const SPARING_MS = 9_000;

interface Rates {
  readonly receive: number;
  readonly transmit: number;
}

export interface MachineUsageParts {
  /** On the disk whose use counts. */
  readonly directory: string;
  /** Real devices of this worker. */
  readonly gpuIds: readonly string[];
  readonly log: Log;
}

export class MachineUsage {
  readonly #memory: Gauge<number>;
  readonly #disk: Gauge<number>;
  readonly #network: Gauge<Rates>;
  readonly #gpus: Gauge<readonly GpuUsage[]> | null;
  #before = cpuTimes();

  constructor({ directory, gpuIds, log }: MachineUsageParts) {
    this.#memory = new Gauge({ what: 'the use of memory', read: readMemory, initial: 0, log });
    this.#disk = new Gauge({ what: 'the use of the disk', read: () => readDisk(directory), initial: 0, log });
    this.#network = new Gauge({
      what: 'the use of the network',
      read: readNetwork,
      initial: { receive: 0, transmit: 0 },
      everyMs: SPARING_MS,
      log,
    });
    this.#gpus =
      gpuIds.length === 0
        ? null
        : new Gauge({
            what: 'the use of GPUs',
            read: () => readGpuUsage(gpuIds),
            initial: [],
            everyMs: SPARING_MS,
            log,
          });
  }

  /** CPU is the mean since the last call. Takes a quarter of a second at most. */
  async measure(): Promise<WorkerUsage> {
    const [memoryUsedMb, storageUsedMb, network, gpus] = await Promise.all([
      this.#memory.value(),
      this.#disk.value(),
      this.#network.value(),
      this.#gpus?.value() ?? [],
    ]);
    return {
      cpuPercent: this.#cpuPercent(),
      memoryUsedMb,
      storageUsedMb,
      networkReceiveRate: network.receive,
      networkTransmitRate: network.transmit,
      gpus,
    };
  }

  #cpuPercent(): number {
    const now = cpuTimes();
    const { busy, all } = { busy: now.busy - this.#before.busy, all: now.all - this.#before.all };
    this.#before = now;
    return all > 0 ? Math.round((busy / all) * 1_000) / 10 : 0;
  }
}

/** Without what the kernel can take back. */
async function readMemory(): Promise<number> {
  const { total, available } = await mem();
  return Math.round((total - available) / MB);
}

async function readDisk(directory: string): Promise<number> {
  const { blocks, bfree, bsize } = await statfs(directory);
  return Math.round(((blocks - bfree) * bsize) / MB);
}

/** Since the reading before; nothing the first time. */
async function readNetwork(): Promise<Rates> {
  const names = await outwardInterfaces();
  const stats = names.length === 0 ? [] : await networkStats(names.join(','));
  // The types know nothing of the first time.
  const sum = (rates: readonly (number | null)[]) =>
    Math.round(rates.reduce<number>((total, rate) => total + Math.max(0, rate ?? 0), 0));
  return {
    receive: sum(stats.map(({ rx_sec }) => rx_sec)),
    transmit: sum(stats.map(({ tx_sec }) => tx_sec)),
  };
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
