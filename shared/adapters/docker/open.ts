// The Docker engine as container runtime. Puts the parts together; holds no logic of its own.

import { imageRule } from '../../model/image-rules.ts';
import type { MountRule } from '../../model/mounts.ts';
import { readBootId } from '../../platform/boot-id.ts';
import type { ContainerPolicy } from '../../platform/config/containers.ts';
import { socketOf } from '../../platform/config/mounts.ts';
import type { TaskNetworkConfig } from '../../platform/config/task-network.ts';
import { withDeadline } from '../../platform/deadline.ts';
import type { Log } from '../../platform/log.ts';
import type { ContainerRuntime } from '../../ports/container-runtime.ts';
import { openConnection } from './connection.ts';
import { createContainers } from './containers.ts';
import { createFactsReader } from './engine-facts.ts';
import { createHealth } from './engine-health.ts';
import { createEngineLives } from './engine-lives.ts';
import { imageNotAllowed } from './errors.ts';
import { createExits } from './exits.ts';
import { type HostCommands, hostCommands } from './host-commands.ts';
import { createHostMounts } from './host-mounts.ts';
import { createImages } from './images.ts';
import { createInputVolumes } from './input-volumes.ts';
import { NO_KERNEL_LOG, openKernelLog } from './kernel-log.ts';
import { createMeasurement } from './measurement.ts';
import { createNetworkSlots } from './network-slots.ts';
import { createOutputs } from './output.ts';
import { createPauseContainers } from './pause-containers.ts';
import { createStrays } from './strays.ts';
import { createTaskNetworks } from './task-network.ts';
import { createTaskVolumes } from './task-volumes.ts';

export interface DockerRuntimeOptions {
  /** `unix://…`, `tcp://…`, `http(s)://…`, `ssh://…`; empty means DOCKER_HOST or the local engine. */
  readonly dockerHost: string;
  readonly log: Log;
  /** Most warm network namespaces kept ready, from the first use of containers on; 0 switches them off. */
  readonly networkSlots: number;
  readonly workerId: string;
  /** Text of an attempt that the runner keeps, by which the engine's own log is bounded; by default 1 GiB. */
  readonly logMaxBytes?: number;
  /** A pull on which nothing comes for so long is given up. */
  readonly pullStallMs?: number;
  /** So long what an earlier life may still be at work on is left alone; by default a minute. */
  readonly sweepGraceMs?: number;
  /** An image present on the engine whose own command runs for ever; by default one is made. */
  readonly pauseImage?: string;
  /** By default the image decides, and every image may run. */
  readonly containers?: ContainerPolicy;
  /** Folders of this machine that tasks may mount; by default none, and none where the engine is on another machine. */
  readonly mounts?: readonly MountRule[];
  /** What tasks may reach; by default no rules are made and they are on the engine's own bridge. */
  readonly taskNetwork?: TaskNetworkConfig;
  /** Programs of the engine's machine; by default those of this one. */
  readonly commands?: HostCommands;
  /** Between two looks at those rules; by default ten seconds. */
  readonly holdRulesEveryMs?: number;
}

const LOG_MAX_BYTES = 2 ** 30;
const NO_POLICY: ContainerPolicy = { imageAllow: [], readOnlyRoot: false, user: null, seccompProfile: null };
const NO_RULES: TaskNetworkConfig = { policy: 'off', allow: [], block: [], servers: [] };
/** A runner stops within seconds, whatever its engine does. */
const CLOSE_MS = 3_000;

/**
 * Does not need the engine to be there: calls throw `runtime_unavailable` until it is. Throws `bad_config` for an
 * address that cannot be read.
 */
export async function openDockerRuntime(options: DockerRuntimeOptions): Promise<ContainerRuntime> {
  const { log, workerId } = options;
  const connection = openConnection(options.dockerHost);
  const facts = createFactsReader(connection);
  const policy = options.containers ?? NO_POLICY;
  const isAllowed = imageRule(policy.imageAllow);
  const exits = createExits(connection);
  const images = createImages(connection, options.pullStallMs);
  const outputs = createOutputs(connection, exits, log);
  const networks = createTaskNetworks({
    connection,
    config: options.taskNetwork ?? NO_RULES,
    commands: options.commands ?? hostCommands(),
    log,
    ...(options.holdRulesEveryMs === undefined ? {} : { holdEveryMs: options.holdRulesEveryMs }),
  });
  const pauses = createPauseContainers({
    connection,
    facts,
    workerId,
    image: options.pauseImage,
    networks,
    log,
  });
  const slots = createNetworkSlots({
    pauses,
    count: options.networkSlots,
    log,
    ...(options.sweepGraceMs === undefined ? {} : { sweepEveryMs: options.sweepGraceMs }),
  });
  const kernelLog = connection.isLocal ? openKernelLog() : NO_KERNEL_LOG;
  const volumes = createTaskVolumes({
    connection,
    pauses,
    log,
    ...(options.sweepGraceMs === undefined ? {} : { sweepGraceMs: options.sweepGraceMs }),
  });
  const inputs = createInputVolumes({ connection, pauses, volumes });
  const bootId = connection.isLocal ? await readBootId() : null;
  const lives = createEngineLives(connection, bootId);
  const logMaxBytes = options.logMaxBytes ?? LOG_MAX_BYTES;
  const { measure } = createMeasurement(connection);
  const hostMounts = createHostMounts(connection.isLocal ? (options.mounts ?? []) : [], [
    socketOf(options.dockerHost),
  ]);
  const containers = createContainers({
    connection,
    facts,
    images,
    exits,
    inputs,
    volumes,
    slots,
    pauses,
    networks,
    kernelLog,
    lives,
    bootId,
    logMaxBytes,
    policy,
    hostMounts,
  });
  let closing: Promise<void> | null = null;
  return {
    kind: 'docker',
    info: async () => {
      const info = await facts.info();
      return options.taskNetwork ? { ...info, taskNetwork: await networks.facts() } : info;
    },
    health: createHealth({ connection, facts, slots, networks, workerId }).health,
    ensureImage: async (image, pullPolicy, how) => {
      if (!isAllowed(image)) throw imageNotAllowed(image);
      return images.ensure(image, pullPolicy, how);
    },
    images: images.list,
    provideInput: inputs.provideInput,
    dropInput: inputs.dropInput,
    measure,
    ...containers,
    ...outputs,
    ...createStrays({ connection, containers, volumes }),
    close() {
      const late = () => new Error('the engine is too slow');
      networks.close();
      closing ??= withDeadline(slots.close(), CLOSE_MS, late)
        .catch((error) => log.warn({ err: error }, 'network slots: left to the next start'))
        .finally(() => {
          connection.close();
          kernelLog.close();
        });
      return closing;
    },
  };
}
