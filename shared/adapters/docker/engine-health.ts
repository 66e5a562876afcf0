// How the engine does, asked of it in one small question every few seconds. Judges nothing.

import type { EngineHealth } from '../../ports/container-runtime.ts';
import { type Connection, HEALTH_TIMEOUT_MS } from './connection.ts';
import { LABEL_WORKER } from './container-settings.ts';
import type { FactsReader } from './engine-facts.ts';
import type { NetworkSlots } from './network-slots.ts';
import type { TaskNetworks } from './task-network.ts';

export function createHealth(parts: {
  readonly connection: Connection;
  readonly facts: Pick<FactsReader, 'freeMb'>;
  readonly slots: Pick<NetworkSlots, 'fault'>;
  readonly networks: Pick<TaskNetworks, 'fault'>;
  readonly workerId: string;
}): { health(): Promise<EngineHealth> } {
  const { connection, facts, slots, networks, workerId } = parts;
  return {
    async health() {
      // Not a mere ping: that is answered before the engine has looked at anything.
      await connection.ask('ask how it does', HEALTH_TIMEOUT_MS, (abortSignal) =>
        connection.docker.listContainers({
          limit: 1,
          filters: { label: [`${LABEL_WORKER}=${workerId}`] },
          abortSignal,
        }),
      );
      const fault = networks.fault() ?? slots.fault();
      return {
        freeMb: await facts.freeMb(),
        networkFault: fault && { forMs: performance.now() - fault.since, message: fault.message },
      };
    },
  };
}
