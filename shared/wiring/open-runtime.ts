// Picks the container runtime that the settings name. Only a main.ts, a test or a bench comes here.

import { openConnection } from '../adapters/docker/connection.ts';
import { hostCommands } from '../adapters/docker/host-commands.ts';
import { openDockerRuntime } from '../adapters/docker/open.ts';
import { removeTaskNetworks } from '../adapters/docker/task-network.ts';
import { openProcessRuntime } from '../adapters/process/open.ts';
import { openScriptedRuntime } from '../adapters/scripted/open.ts';
import type { RunnerConfig } from '../platform/config/runner.ts';
import type { Log } from '../platform/log.ts';
import type { ContainerRuntime } from '../ports/container-runtime.ts';

export async function openRuntime(config: RunnerConfig, log: Log): Promise<ContainerRuntime> {
  const { workerId, dockerHost, networkSlots, taskNetwork, containers, mounts, logMaxBytes, dataDir } =
    config;
  const pullStallMs = config.pullStallSeconds * 1_000;
  switch (config.runtime) {
    case 'docker':
      return openDockerRuntime({
        ...{
          dockerHost,
          networkSlots,
          taskNetwork,
          containers,
          mounts,
          workerId,
          logMaxBytes,
          pullStallMs,
          log,
        },
      });
    case 'process':
      return openProcessRuntime({ dataDir: `${dataDir}/runner-${workerId}`, log });
    case 'scripted':
      return openScriptedRuntime({});
  }
}

/** For a machine that is no worker any more. Returns the names of what is gone and of what is in use. */
export async function removeNetworks(dockerHost: string): Promise<{ removed: string[]; used: string[] }> {
  const connection = openConnection(dockerHost);
  try {
    return await removeTaskNetworks(connection, hostCommands());
  } finally {
    connection.close();
  }
}
