// What the engine measures of a container, in the words of the port.

import { isAppError } from '../../errors.ts';
import type { ContainerUsage } from '../../model/usage.ts';
import { type Connection, LOOK_TIMEOUT_MS } from './connection.ts';

const NS_PER_MS = 1e6;
const BYTES_PER_MB = 2 ** 20;

/** The part of the engine's answer that is used here. */
export interface EngineStats {
  readonly read: string;
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: {
    readonly usage?: number;
    readonly stats?: { readonly total_inactive_file?: number; readonly inactive_file?: number };
  };
  readonly networks?: Readonly<
    Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>
  > | null;
}

/** Null for a container that does not run: the engine answers with zeros then, and with the year 1 as time. */
export function toUsage(stats: EngineStats): ContainerUsage | null {
  const at = Date.parse(stats.read);
  const cpu = stats.cpu_stats?.cpu_usage?.total_usage;
  const { usage, stats: parts } = stats.memory_stats ?? {};
  if (Number.isNaN(at) || at <= 0 || cpu === undefined || usage === undefined) return null;
  // Version 1 of control groups counts those of the whole tree under a name of its own.
  const reclaimable = parts?.total_inactive_file ?? parts?.inactive_file ?? 0;
  // A container in another one's network namespace has no networks of its own.
  const networks = Object.values(stats.networks ?? {});
  return {
    at,
    cpuMs: Math.round(cpu / NS_PER_MS),
    memoryMb: Math.max(0, usage - reclaimable) / BYTES_PER_MB,
    networkReceivedBytes: networks.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0),
    networkSentBytes: networks.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0),
  };
}

export function createMeasurement(connection: Connection) {
  return {
    async measure(containerId: string): Promise<ContainerUsage | null> {
      try {
        const container = connection.docker.getContainer(containerId);
        const stats = await connection.ask('measure the container', LOOK_TIMEOUT_MS, (abortSignal) =>
          // Without `one-shot` the engine waits for a second measurement.
          (container.stats as (options: object) => Promise<EngineStats>).call(container, {
            stream: false,
            'one-shot': true,
            abortSignal,
          }),
        );
        return toUsage(stats);
      } catch (error) {
        if (isAppError(error, 'not_found')) return null;
        throw error;
      }
    },
  };
}
