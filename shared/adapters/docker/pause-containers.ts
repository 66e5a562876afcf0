// The pause containers behind network slots: made, looked at and removed. Knows nothing of owners and tasks.

import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { ContainerCreateOptions, MountConfig } from 'dockerode';
import { isAppError } from '../../errors.ts';
import type { TaskNetwork } from '../../model/task.ts';
import type { Log } from '../../platform/log.ts';
import { type Connection, LOOK_TIMEOUT_MS, WORK_TIMEOUT_MS } from './connection.ts';
import { hardening, LABEL_TASK, LABEL_WORKER } from './container-settings.ts';
import type { FactsReader } from './engine-facts.ts';
import { statusOf } from './errors.ts';
import { canPause, PAUSE_IMAGE, PAUSE_PATH, pauseArchive } from './pause-image.ts';
import type { TaskNetworks } from './task-network.ts';

export const LABEL_SLOT = 'cloudai.slot';
/** Room for the threads of the engine's own start program. */
const PAUSE_PIDS = 64;
const NETWORK_FILES = ['/etc/hosts', '/etc/resolv.conf', '/etc/hostname'];

export interface Pause {
  readonly id: string;
  readonly name: string;
  readonly network: TaskNetwork;
}

/** What a container of the pause image is for. */
interface Purpose {
  readonly name: string;
  readonly network: TaskNetwork;
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts?: MountConfig;
}

export interface PauseContainers {
  /** A running pause container on the network, with the print of its files; null when the machine cannot. */
  make(network: TaskNetwork): Promise<(Pause & { print: string }) | null>;
  /** Starts one that has stopped, or makes it anew under its name; returns its id. */
  revive(pause: Pause): Promise<string>;
  /** Changes when a container in the namespace has written to the files of the network. */
  print(id: string): Promise<string>;
  /** All pause containers of this worker, and which container of a task is in each. */
  survey(): Promise<(Pause & { user: string | null })[]>;
  /** A container that is never started, only to reach what is mounted in it. Returns its id. */
  shelf(name: string, labels: Readonly<Record<string, string>>, mounts: MountConfig): Promise<string>;
  remove(id: string): Promise<void>;
}

export function createPauseContainers(parts: {
  readonly connection: Connection;
  readonly facts: FactsReader;
  readonly workerId: string;
  /** An image that is there already, instead of the one made here. It must run for ever. */
  readonly image: string | undefined;
  readonly networks: Pick<TaskNetworks, 'modeOf'>;
  readonly log: Log;
}): PauseContainers {
  const { connection, facts, workerId, networks, log } = parts;
  const { docker } = connection;

  const importImage = async (arch: string) => {
    const archive = await pauseArchive(arch);
    await connection.ask('make the pause image', WORK_TIMEOUT_MS, async (abortSignal) => {
      const [repo, tag] = PAUSE_IMAGE.split(':');
      const stream = await docker.importImage(archive as never, { repo, tag, abortSignal });
      for await (const _ of stream as Readable);
    });
  };

  const create = async (image: string, { name, network, labels, mounts }: Purpose) => {
    const mode = await networks.modeOf(network);
    return connection.ask('create a pause container', WORK_TIMEOUT_MS, (abortSignal) => {
      const options: ContainerCreateOptions = {
        name,
        Image: image,
        ...(image === PAUSE_IMAGE ? { Entrypoint: [PAUSE_PATH] } : {}),
        User: '65534:65534',
        // It has nothing to lose, and an engine that stops waits for it otherwise.
        StopSignal: 'SIGKILL',
        Labels: { ...labels, [LABEL_WORKER]: workerId },
        AttachStdout: false,
        AttachStderr: false,
        HostConfig: {
          ...hardening(PAUSE_PIDS),
          NetworkMode: mode,
          ...(mounts ? { Mounts: mounts } : { ReadonlyRootfs: true }),
          RestartPolicy: { Name: 'no' },
          LogConfig: { Type: 'none', Config: {} },
        },
        abortSignal,
      };
      return docker.createContainer(options);
    });
  };

  /** Makes the image first, where it is not there yet. */
  const createAnyway = (purpose: Purpose) =>
    create(parts.image ?? PAUSE_IMAGE, purpose).catch(async (error) => {
      if (!isAppError(error, 'not_found') || parts.image !== undefined) throw error;
      await importImage((await facts.get()).arch);
      return create(PAUSE_IMAGE, purpose);
    });

  const start = async (id: string) => {
    await connection.ask('start a pause container', WORK_TIMEOUT_MS, async (abortSignal) => {
      try {
        await docker.getContainer(id).start({ abortSignal });
      } catch (error) {
        if (statusOf(error) !== 304) throw error;
      }
    });
  };

  const print = async (id: string): Promise<string> => {
    const stats = await Promise.all(
      NETWORK_FILES.map((path) =>
        connection.ask('look at a pause container', LOOK_TIMEOUT_MS, async (abortSignal) => {
          const answer = await docker.getContainer(id).infoArchive({ path, abortSignal } as never);
          const { headers } = answer as unknown as { headers: Record<string, string> };
          (answer as unknown as Readable).resume();
          return headers['x-docker-container-path-stat'] ?? '';
        }),
      ),
    );
    return stats.join(' ');
  };

  const remove = (id: string) =>
    connection.ask('remove a pause container', WORK_TIMEOUT_MS, async (abortSignal) => {
      try {
        await docker.getContainer(id).remove({ force: true, v: true, abortSignal });
      } catch (error) {
        if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
      }
    });

  return {
    print,
    remove,
    async make(network) {
      const { arch, os } = await facts.get();
      if (parts.image === undefined && (os !== 'linux' || !canPause(arch))) {
        log.info({ arch, os }, 'network slots are off: no pause program for this kind of machine');
        return null;
      }
      const name = `cloudai-slot-${workerId}-${randomBytes(5).toString('hex')}`;
      const { id } = await createAnyway(slotPurpose(name, network));
      try {
        await start(id);
        return { id, name, network, print: await print(id) };
      } catch (error) {
        await remove(id).catch(() => undefined);
        throw error;
      }
    },
    async revive({ id, name, network }) {
      try {
        await start(id);
        return id;
      } catch (error) {
        if (!isAppError(error, 'not_found')) throw error;
      }
      const anew = await create(parts.image ?? PAUSE_IMAGE, slotPurpose(name, network));
      await start(anew.id);
      return anew.id;
    },
    async shelf(name, labels, mounts) {
      return (await createAnyway({ name, network: 'none', labels, mounts })).id;
    },
    async survey() {
      const list = (label: string) =>
        connection.ask('list containers', LOOK_TIMEOUT_MS, (abortSignal) =>
          docker.listContainers({
            all: true,
            filters: { label: [label, `${LABEL_WORKER}=${workerId}`] },
            abortSignal,
          }),
        );
      // Pause containers first: one that appears in between is not yet of interest.
      const pauses = await list(LABEL_SLOT);
      const tasks = await list(LABEL_TASK);
      const users = new Map(tasks.map(({ Id, HostConfig }) => [HostConfig.NetworkMode, Id]));
      return pauses.map(({ Id: id, Names, Labels }) => {
        const name = (Names[0] ?? '').replace(/^\//, '');
        const network = Labels[LABEL_SLOT] === 'none' ? 'none' : 'bridge';
        const user = users.get(`container:${id}`) ?? users.get(`container:${name}`) ?? null;
        return { id, name, network, user };
      });
    },
  };
}

function slotPurpose(name: string, network: TaskNetwork): Purpose {
  return { name, network, labels: { [LABEL_SLOT]: network } };
}
