// Containers of tasks, from creation to proven removal. Must never start a container a second time: an attempt
// runs once, whatever answers of the engine were lost.

import { setTimeout as delay } from 'node:timers/promises';
import { AppError, isAppError } from '../../errors.ts';
import type { ContainerPolicy } from '../../platform/config/containers.ts';
import { untilAborted } from '../../platform/deadline.ts';
import type { ContainerSpec, ContainerStatus } from '../../ports/container-runtime.ts';
import { type Connection, LOOK_TIMEOUT_MS, WORK_TIMEOUT_MS } from './connection.ts';
import {
  containerName,
  containerSettings,
  inputVolumeName,
  LABEL_INPUT,
  LABEL_TASK,
  LABEL_WORKER,
  OUTPUT_PATH,
  outputVolumeName,
  volumeAt,
} from './container-settings.ts';
import { toStatus } from './container-status.ts';
import type { FactsReader } from './engine-facts.ts';
import type { EngineLives } from './engine-lives.ts';
import {
  createFault,
  isNamespaceGone,
  isNetworkGone,
  isNotRunning,
  isRemovalToRepeat,
  isStorageLimitUnsupported,
  namespaceLost,
  startFault,
  statusOf,
} from './errors.ts';
import type { Exits } from './exits.ts';
import type { HostMounts } from './host-mounts.ts';
import type { Images } from './images.ts';
import type { InputVolumes } from './input-volumes.ts';
import type { KernelLog } from './kernel-log.ts';
import type { NetworkSlots, Slot } from './network-slots.ts';
import { createOutputFolders, type OutputFolders } from './output-folder.ts';
import type { PauseContainers } from './pause-containers.ts';
import type { TaskNetworks } from './task-network.ts';
import type { TaskVolumes } from './task-volumes.ts';

const REMOVE_LIMIT_MS = 60_000;
const REMOVE_PAUSE_MS = 50;
const NOT_STARTED_PAUSE_MS = 200;
/** Looks at the engine at once, for a list. */
const LIST_CONCURRENCY = 8;

export interface Containers {
  create(spec: ContainerSpec): Promise<string>;
  start(containerId: string): Promise<void>;
  wait(containerId: string, signal?: AbortSignal): Promise<ContainerStatus>;
  inspect(containerId: string): Promise<ContainerStatus | null>;
  list(workerId: string): Promise<ContainerStatus[]>;
  kill(containerId: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  remove(containerId: string): Promise<void>;
  readOutput: OutputFolders['readOutput'];
}

export function createContainers(parts: {
  connection: Connection;
  facts: FactsReader;
  images: Images;
  exits: Exits;
  inputs: InputVolumes;
  volumes: TaskVolumes;
  slots: NetworkSlots;
  pauses: Pick<PauseContainers, 'shelf' | 'remove'>;
  networks: Pick<TaskNetworks, 'modeOf' | 'restore'>;
  kernelLog: KernelLog;
  lives: EngineLives;
  bootId: string | null;
  logMaxBytes: number;
  policy: ContainerPolicy;
  hostMounts: HostMounts;
}): Containers {
  const { connection, facts, images, exits, inputs, volumes, slots, pauses, networks, kernelLog, lives } =
    parts;
  const { bootId, logMaxBytes, policy, hostMounts } = parts;
  const { docker } = connection;
  /** Created by this process and never asked to start: the only ones that are started without a look. With their mounts. */
  const unstarted = new Map<string, ContainerSpec['mounts']>();
  let mayLimitStorage = true;

  const createOnce = async (spec: ContainerSpec, networkMode: string): Promise<string> => {
    const known = await facts.get();
    const limitStorage = mayLimitStorage && known.mayLimitStorage && spec.resources.storageMb > 0;
    try {
      const settings = containerSettings(spec, known, {
        ...{ networkMode, limitStorage, bootId, logMaxBytes, policy },
      });
      const container = await connection.ask(
        'create the container',
        WORK_TIMEOUT_MS,
        (abortSignal) => docker.createContainer({ ...settings, abortSignal }),
        (error) => createFault(error, spec.image, containerName(spec.taskId, spec.attempt)),
      );
      return container.id;
    } catch (error) {
      if (!limitStorage || !(error instanceof AppError) || !isStorageLimitUnsupported(error.cause))
        throw error;
      mayLimitStorage = false;
      return createOnce(spec, networkMode);
    }
  };

  const createInSlot = async (spec: ContainerSpec): Promise<string | null> => {
    const slot = slots.take(spec.ownerId, spec.network);
    if (!slot) return null;
    try {
      const id = await createOnce(spec, `container:${slot.name}`);
      slots.bind(slot, id);
      return id;
    } catch (error) {
      if (isGone(error, slot)) {
        slots.drop(slot);
        return null;
      }
      // Without an answer nobody knows whether a container of that slot exists.
      if (isAppError(error, 'runtime_unavailable')) slots.doubt(slot);
      else slots.giveBack(slot);
      throw error;
    }
  };

  const startOnce = (containerId: string) =>
    connection.ask(
      'start the container',
      WORK_TIMEOUT_MS,
      async (abortSignal) => {
        try {
          await docker.getContainer(containerId).start({ abortSignal });
        } catch (error) {
          // 304: it runs already.
          if (statusOf(error) !== 304) throw error;
        }
      },
      startFault,
    );

  const inspect = async (containerId: string): Promise<ContainerStatus | null> => {
    const known = folders.statusWhileRead(containerId);
    if (known) return known;
    try {
      const found = await connection.ask('look at the container', LOOK_TIMEOUT_MS, (abortSignal) =>
        docker.getContainer(containerId).inspect({ abortSignal }),
      );
      const status = toStatus(found);
      volumes.learn(status.id, found.Mounts?.map(({ Name }) => Name ?? '') ?? []);
      const oomKilled =
        status.oomKilled || (status.state === 'exited' && kernelLog.killedForMemory(status.id));
      if (status.state === 'running') exits.follow(status.id);
      if (status.state !== 'exited' || oomKilled) return { ...status, oomKilled };
      return { ...status, oomKilled, ...(await lives.judge(found, status, exits.sightOf(status.id))) };
    } catch (error) {
      if (isAppError(error, 'not_found')) return null;
      throw error;
    }
  };

  const folders = createOutputFolders({ connection, inspect });

  /** The engine writes nothing into a container whose own files are read-only, volumes included. */
  const openOutput = async (id: string, spec: ContainerSpec) => {
    if (!policy.readOnlyRoot) return folders.openToAll(id);
    const volume = outputVolumeName(spec);
    const helper = await pauses.shelf(`${volume}-open`, { [LABEL_INPUT]: volume }, [
      volumeAt(OUTPUT_PATH, volume),
    ]);
    try {
      await folders.openToAll(helper);
    } finally {
      await pauses.remove(helper);
    }
  };

  /** Of a container that an earlier life has made. */
  const mountsOf = async (containerId: string): Promise<ContainerSpec['mounts']> => {
    const { HostConfig } = await connection.ask('look at the container', LOOK_TIMEOUT_MS, (abortSignal) =>
      docker.getContainer(containerId).inspect({ abortSignal }),
    );
    return (HostConfig.Mounts ?? []).flatMap(({ Type, Source, Target, ReadOnly = false }) =>
      Type === 'bind' ? [{ source: Source, target: Target, readOnly: ReadOnly }] : [],
    );
  };

  /** After the creation, before the start. */
  const prepareFolders = async (id: string, spec: ContainerSpec) => {
    volumes.learn(id, [outputVolumeName(spec), ...(spec.hasInput ? [inputVolumeName(spec)] : [])]);
    if (policy.user !== null || !(await images.runsAsRoot(spec.image))) await openOutput(id, spec);
    folders.note(id);
  };

  const remove = async (containerId: string) => {
    folders.stopReading(containerId);
    // Only the container knows which volumes are its own.
    if (!volumes.knows(containerId)) await inspect(containerId);
    const end = performance.now() + REMOVE_LIMIT_MS;
    for (;;) {
      await connection.ask('remove the container', WORK_TIMEOUT_MS, async (abortSignal) => {
        try {
          await docker.getContainer(containerId).remove({ force: true, v: true, abortSignal });
        } catch (error) {
          if (statusOf(error) !== 404 && !isRemovalToRepeat(error)) throw error;
        }
      });
      const [seen] = await Promise.all([inspect(containerId), slots.examine(containerId)]);
      if (seen === null) break;
      if (performance.now() > end) {
        throw new AppError('runtime_unavailable', 'the container engine does not remove the container', {
          retryable: true,
        });
      }
      await delay(REMOVE_PAUSE_MS);
    }
    unstarted.delete(containerId);
    exits.forget(containerId);
    folders.forget(containerId);
    slots.release(containerId);
    await volumes.release(containerId);
  };

  return {
    inspect,
    readOutput: folders.readOutput,

    async create(wanted) {
      slots.begin();
      const done = slots.working();
      try {
        const spec = { ...wanted, mounts: await hostMounts.resolve(wanted.mounts) };
        if (spec.hasInput) await inputs.check(spec);
        const id =
          (await createInSlot(spec)) ?? (await createOnce(spec, await networks.modeOf(spec.network)));
        try {
          await prepareFolders(id, spec);
        } catch (error) {
          // Its program could not write; the next try makes it anew.
          await remove(id).catch(() => undefined);
          throw error;
        }
        unstarted.set(id, spec.mounts);
        return id;
      } finally {
        done();
      }
    },

    async start(containerId) {
      const done = slots.working();
      try {
        await folders.noted(containerId);
        let mounts = unstarted.get(containerId) ?? [];
        if (!unstarted.delete(containerId)) {
          const seen = await inspect(containerId);
          if (!seen) throw new AppError('not_found', 'cannot start the container: it is gone');
          if (seen.state !== 'created') return;
          mounts = await mountsOf(containerId);
        }
        await hostMounts.confirm(mounts);
        try {
          await startOnce(containerId);
        } catch (error) {
          const slot = slots.slotOf(containerId);
          if (!slot && error instanceof AppError && isNetworkGone(error.cause)) {
            await networks.restore();
            return await startOnce(containerId).then(() => exits.follow(containerId));
          }
          if (!slot || !isGone(error, slot)) throw error;
          // The container may know its slot by the id that it has now, which ends with a pause container.
          const before = { ...slot };
          if (!(await slots.revive(slot))) throw namespaceLost(error);
          await startOnce(containerId).catch((again) => {
            throw isGone(again, before) ? namespaceLost(again) : again;
          });
        }
        exits.follow(containerId);
      } finally {
        done();
      }
    },

    async wait(containerId, signal) {
      for (;;) {
        await exits.ended(containerId, signal);
        const status = await inspect(containerId);
        if (!status) throw new AppError('not_found', 'the container is gone');
        if (status.state === 'exited') return status;
        // Not started yet: the engine answers such a wait at once.
        await untilAborted(delay(NOT_STARTED_PAUSE_MS), signal);
      }
    },

    async list(workerId) {
      slots.begin();
      const found = await connection.ask('list containers', LOOK_TIMEOUT_MS, (abortSignal) =>
        docker.listContainers({
          all: true,
          filters: { label: [LABEL_TASK, `${LABEL_WORKER}=${workerId}`] },
          abortSignal,
        }),
      );
      const ids = found.map(({ Id }) => Id);
      const seen: (ContainerStatus | null)[] = [];
      for (let at = 0; at < ids.length; at += LIST_CONCURRENCY) {
        seen.push(...(await Promise.all(ids.slice(at, at + LIST_CONCURRENCY).map(inspect))));
      }
      slots.sweep();
      volumes.sweep(workerId);
      return seen.filter((status) => status !== null);
    },

    async kill(containerId, signal) {
      await connection.ask(`send ${signal} to the container`, LOOK_TIMEOUT_MS, async (abortSignal) => {
        try {
          await docker.getContainer(containerId).kill({ signal, abortSignal });
        } catch (error) {
          if (statusOf(error) !== 404 && !isNotRunning(error)) throw error;
        }
      });
    },

    async remove(containerId) {
      const done = slots.working();
      try {
        await remove(containerId);
      } finally {
        done();
      }
    },
  };
}

function isGone(error: unknown, slot: Slot): boolean {
  return error instanceof AppError && isNamespaceGone(error.cause, [slot.id, slot.name]);
}
